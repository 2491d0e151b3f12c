import { useTranslation } from 'react-i18next'
import type { Json, Schema } from '~/api/types'
import { useLang, useText } from '~/i18n/text'
import { isObject, resolved } from './model'
import type { Parameter } from './types'

/** How deep fields inside fields are shown before the rest is left to the text of the schema. */
const deepest = 6

/** How many fields are shown; the text of the schema has the rest. */
const rowsMax = 150

interface Row {
  path: string
  name: string
  depth: number
  schema: Schema
  required: boolean
}

/** The fields of a schema in the order in which they are read, each with its depth. */
export function rowsOf(schema: Schema, root = schema, depth = 0, prefix = ''): Row[] {
  if (depth >= deepest) return []
  const own = resolved(schema, root)
  const inner = isObject(own.items) ? resolved(own.items as Schema, root) : own
  const parts = [inner, ...(Array.isArray(inner.allOf) ? inner.allOf.filter(isObject) : [])].map((p) =>
    resolved(p as Schema, root),
  )
  return parts.flatMap((part) => {
    const properties = isObject(part.properties) ? part.properties : {}
    const required = Array.isArray(part.required) ? part.required : []
    return Object.entries(properties).flatMap(([name, s]) => {
      const field = resolved((isObject(s) ? s : {}) as Schema, root)
      const path = `${prefix}/${name}`
      return [
        { path, name, depth, schema: field, required: required.includes(name) },
        ...rowsOf(field, root, depth + 1, path),
      ]
    })
  })
}

/** The type of a schema in a word: "string", "object[]", "a | b". */
export function typeOf(schema: Schema): string {
  const { type, items } = schema
  if (type === 'array') return `${isObject(items) ? typeOf(items as Schema) : 'any'}[]`
  if (Array.isArray(type)) return type.filter((x) => x !== 'null').join(' | ')
  if (typeof type === 'string') return type
  if (Array.isArray(schema.enum)) return 'enum'
  if (isObject(schema.properties)) return 'object'
  const branches = schema.oneOf ?? schema.anyOf
  if (Array.isArray(branches)) {
    return [...new Set(branches.map((b) => (isObject(b) ? typeOf(b as Schema) : 'any')))].join(' | ')
  }
  return 'any'
}

/** A limit of a value: what is bounded, and how. */
export interface Bound {
  kind: 'value' | 'chars' | 'items' | 'word'
  text: string
}

/** What else holds for a value: "1 – 100", "≤ 64" characters, one of some values. */
export function boundsOf(schema: Schema): Bound[] {
  const out: Bound[] = []
  const range = (kind: Bound['kind'], low: Json | undefined, high: Json | undefined) => {
    if (low === undefined && high === undefined) return
    if (low === undefined) out.push({ kind, text: `≤ ${high}` })
    else out.push({ kind, text: high === undefined ? `≥ ${low}` : `${low} – ${high}` })
  }
  const word = (text: string) => out.push({ kind: 'word', text })
  range('value', schema.minimum, schema.maximum)
  range('chars', schema.minLength, schema.maxLength)
  range('items', schema.minItems, schema.maxItems)
  if (typeof schema.format === 'string') word(schema.format)
  if (typeof schema.pattern === 'string') word(`/${schema.pattern}/`)
  if (Array.isArray(schema.enum)) word(schema.enum.map((v) => JSON.stringify(v)).join(' | '))
  if (schema.default !== undefined) word(`= ${JSON.stringify(schema.default)}`)
  return out
}

function About({ schema, doc }: { schema: Schema; doc?: string }) {
  const { t } = useTranslation('systems')
  const lang = useLang()
  const texts = (schema['ui:i18n'] as { [lang: string]: { [word: string]: Json } } | undefined)?.[lang]
  const word = doc || (texts?.description ?? schema.description ?? texts?.title ?? schema.title)
  const bounds = boundsOf(schema).map((b) =>
    b.kind === 'chars' || b.kind === 'items' ? t(`schema.${b.kind}`, { range: b.text }) : b.text,
  )
  return (
    <>
      {typeof word === 'string' && word}
      {bounds.length > 0 && <div className="quiet mono sys-bounds">{bounds.join(' · ')}</div>}
    </>
  )
}

function Name({ name, required, depth = 0 }: { name: string; required: boolean; depth?: number }) {
  const { t } = useTranslation('systems')
  return (
    <span className="mono sys-field" style={{ paddingInlineStart: depth * 14 }}>
      {name}
      {required && (
        <span className="sys-required" title={t('operations.required')}>
          *<span className="sr-only">{t('operations.required')}</span>
        </span>
      )}
    </span>
  )
}

function Head() {
  const { t } = useTranslation('systems')
  return (
    <thead>
      <tr>
        <th>{t('schema.name')}</th>
        <th>{t('schema.type')}</th>
        <th>{t('schema.about')}</th>
      </tr>
    </thead>
  )
}

/** The fields of a JSON Schema as a table, and the schema itself behind a fold. */
export function SchemaTable({ schema }: { schema: Schema }) {
  const { t } = useTranslation('systems')
  const all = rowsOf(schema)
  const rows = all.slice(0, rowsMax)
  return (
    <>
      {rows.length > 0 ? (
        <table className="cat-table sys-schema">
          <Head />
          <tbody>
            {rows.map((r) => (
              <tr key={r.path}>
                <td>
                  <Name name={r.name} required={r.required} depth={r.depth} />
                </td>
                <td className="quiet mono">{typeOf(r.schema)}</td>
                <td>
                  <About schema={r.schema} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p className="quiet mono">{typeOf(schema)}</p>
      )}
      {all.length > rows.length && <p className="quiet">{t('schema.more', { n: all.length - rows.length })}</p>}
      <details className="sys-fold">
        <summary>JSON Schema</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
        <pre className="sys-code" tabIndex={0}>
          {JSON.stringify(schema, null, 2)}
        </pre>
      </details>
    </>
  )
}

/** The parameters of an operation as a table. */
export function ParameterTable({ parameters }: { parameters: readonly Parameter[] }) {
  const { t } = useTranslation('systems')
  const text = useText()
  return (
    <table className="cat-table sys-schema">
      <Head />
      <tbody>
        {parameters.map((p) => (
          <tr key={p.name}>
            <td>
              <Name name={p.name} required={p.required ?? false} />
              <div className="quiet sys-place">
                {t(`place.${p.in}`)}
                {p.secret && ` · ${t('place.secret')}`}
              </div>
            </td>
            <td className="quiet mono">{typeOf(p.schema ?? { type: 'string' })}</td>
            <td>
              <About schema={p.schema ?? {}} doc={text(p.doc)} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
