interface Props {
  value: unknown
  /** The value in words, where it has some. */
  said?: string | undefined
  absent: string
}

/** A value as a person reads it: in words, a text as it is, anything else as JSON. */
export function Value({ value, said, absent }: Props) {
  if (said !== undefined) return <span className="vs-value">{said}</span>
  if (value === undefined || value === null || value === '') return <span className="quiet">{absent}</span>
  return <pre className="vs-value mono">{typeof value === 'string' ? value : written(value)}</pre>
}

/** What fits into a line is written in one. */
function written(value: unknown): string {
  const short = JSON.stringify(value)
  return short.length <= 40 ? short : JSON.stringify(value, null, 2)
}
