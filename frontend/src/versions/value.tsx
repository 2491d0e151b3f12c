/** A value as a person reads it: a text as it is, anything else as JSON. */
export function Value({ value, absent }: { value: unknown; absent: string }) {
  if (value === undefined || value === null || value === '') return <span className="quiet">{absent}</span>
  return <pre className="vs-value mono">{typeof value === 'string' ? value : written(value)}</pre>
}

/** What fits into a line is written in one. */
function written(value: unknown): string {
  const short = JSON.stringify(value)
  return short.length <= 40 ? short : JSON.stringify(value, null, 2)
}
