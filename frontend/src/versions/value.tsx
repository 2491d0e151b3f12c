/** A value as a person reads it: a text as it is, anything else as JSON. */
export function Value({ value, absent }: { value: unknown; absent: string }) {
  if (value === undefined || value === null || value === '') return <span className="quiet">{absent}</span>
  return <pre className="vs-value mono">{typeof value === 'string' ? value : JSON.stringify(value, null, 2)}</pre>
}
