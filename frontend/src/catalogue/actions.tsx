import { useId } from 'react'
import { useTranslation } from 'react-i18next'
import type { Action, Json, Manifest, Schema } from '~/api/types'
import { useFormat } from '~/app/format'
import { namedIcon } from '~/canvas/icons'
import { SchemaForm } from '~/form/lazy-form'
import { useLang, useText } from '~/i18n/text'

/** What a plugin offers: its actions, each with the form that the editor shows. */
export function ActionsTab({
  manifest,
  chosen,
  onChoose,
}: {
  manifest: Manifest
  chosen: string | undefined
  onChoose(id: string): void
}) {
  const { t } = useTranslation('catalogue')
  const text = useText()
  const action = manifest.actions.find((a) => a.id === chosen) ?? manifest.actions[0]
  if (!action) return null
  return (
    <div className="cat-actions">
      <nav aria-label={t('actions.list')}>
        <ul>
          {manifest.actions.map((a) => {
            const Icon = namedIcon(a.icon ?? manifest.icon)
            return (
              <li key={a.id}>
                <button type="button" aria-current={a.id === action.id} onClick={() => onChoose(a.id)}>
                  <Icon size={16} stroke={1.7} aria-hidden />
                  <span>
                    <span className="clip">{text(a.title)}</span>
                    <span className="quiet mono clip">{a.id}</span>
                  </span>
                </button>
              </li>
            )
          })}
        </ul>
      </nav>
      <ActionPreview key={action.id} action={action} />
    </div>
  )
}

const nothing = {}

function ActionPreview({ action }: { action: Action }) {
  const { t } = useTranslation('catalogue')
  const text = useText()
  const id = useId()
  const hasInputs = Object.keys(propertiesOf(action.inputs)).length > 0 || action.inputs.oneOf !== undefined
  return (
    <article className="cat-panel" aria-labelledby={id}>
      <div className="cat-action-head">
        <h2 id={id}>{text(action.title)}</h2>
        <Facts action={action} />
      </div>
      {action.doc && <p className="cat-prose">{text(action.doc)}</p>}
      <section aria-label={t('actions.inputs')}>
        <h3>{t('actions.inputs')}</h3>
        {hasInputs ? (
          <>
            <p className="quiet">{t('actions.inputsHint')}</p>
            <div className="cat-form">
              <SchemaForm
                name={`preview-${action.id}`}
                schema={action.inputs}
                value={nothing}
                onChange={() => undefined}
                readOnly
              />
            </div>
          </>
        ) : (
          <p className="quiet">{t('actions.noInputs')}</p>
        )}
      </section>
      <section aria-label={t('actions.outputs')}>
        <h3>{t('actions.outputs')}</h3>
        <Outputs schema={action.outputs} />
      </section>
    </article>
  )
}

/** What an action can do besides running, as small words. */
function Facts({ action }: { action: Action }) {
  const { t } = useTranslation('catalogue')
  const format = useFormat()
  const facts = [
    ...(action.waits ?? []).map((w) => t(`actions.waits.${w}`)),
    ...(action.cancel ? [t('actions.cancel')] : []),
    ...(action.rollback ? [t('actions.rollback')] : []),
    ...(action.options ? [t('actions.options')] : []),
    ...(action.timeout_ms ? [t('actions.timeout', { time: format.duration(action.timeout_ms) })] : []),
  ]
  if (facts.length === 0) return null
  return (
    <ul className="cat-chips" aria-label={t('actions.facts')}>
      {facts.map((f) => (
        <li key={f}>{f}</li>
      ))}
    </ul>
  )
}

function propertiesOf(schema: Schema): { [name: string]: Schema } {
  const own = schema.properties
  return typeof own === 'object' && own !== null && !Array.isArray(own) ? (own as { [name: string]: Schema }) : {}
}

function Outputs({ schema }: { schema: Schema }) {
  const { t } = useTranslation('catalogue')
  const lang = useLang()
  const entries = Object.entries(propertiesOf(schema))
  if (entries.length === 0) return <p className="quiet">{t('actions.noOutputs')}</p>
  return (
    <table className="cat-table">
      <thead>
        <tr>
          <th>{t('actions.output')}</th>
          <th>{t('actions.type')}</th>
          <th>{t('actions.about')}</th>
        </tr>
      </thead>
      <tbody>
        {entries.map(([name, s]) => {
          const title = wordIn(s, 'title', lang)
          const about = wordIn(s, 'description', lang)
          return (
            <tr key={name}>
              <td className="mono">{name}</td>
              <td className="quiet mono">{typeOf(s)}</td>
              <td>
                {title}
                {about && <div className="quiet">{about}</div>}
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

/** A text of a schema in the language that is shown. */
function wordIn(schema: Schema, word: 'title' | 'description', lang: string): string {
  const texts = (schema['ui:i18n'] as { [lang: string]: { [word: string]: Json } } | undefined)?.[lang]
  const found = texts?.[word] ?? schema[word]
  return typeof found === 'string' ? found : ''
}

/** The type of a schema in a word: "string", "list of object". */
function typeOf(schema: Schema): string {
  const { type, items } = schema
  if (type === 'array' && typeof items === 'object' && items !== null) return `${typeOf(items as Schema)}[]`
  if (Array.isArray(type)) return type.filter((x) => x !== 'null').join(' | ')
  return typeof type === 'string' ? type : 'any'
}
