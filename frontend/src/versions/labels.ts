import { useTranslation } from 'react-i18next'
import type { FlowNode, Plugin, Schema } from '~/api/types'
import { findAction } from '~/doc/scope'
import { type Lang, useLang } from '~/i18n/text'
import type { Change } from './compare'
import type { Names } from './names'

/** How a field is called: in the forms, and in the document. */
export interface FieldName {
  title: string
  code: string
  /** The title is somebody's own, in whatever language it was written. */
  own: boolean
}

/** Parts of options that have a field of their own in the forms. */
const parts = {
  'retry.max': 'retryMax',
  'retry.delay_ms': 'retryDelay',
  'retry.backoff': 'retryBackoff',
  'retry.max_delay_ms': 'retryMaxDelay',
  'retry.jitter': 'retryJitter',
  'timeout.after_ms': 'timeoutAfter',
  'timeout.action': 'timeoutAction',
  'repeat.times': 'repeatTimes',
  'repeat.continue_on_failure': 'repeatContinue',
  'repeat.collect': 'repeatCollect',
} as const

/** Names fields as the forms do: those of a node's inputs by the schema of its action. */
export function useFieldName(node: FlowNode | undefined, plugins: readonly Plugin[], names: Names) {
  const { t, i18n } = useTranslation('versions')
  const { t: common } = useTranslation()
  const lang = useLang()
  const action = node && findAction(plugins, node.plugin, node.action)
  return (list: Change['list'], path: readonly string[]): FieldName => {
    const [first = '', ...rest] = path
    if (first === 'inputs' && rest.length > 0) {
      const title = titleIn(schemaAt(action?.inputs as Schema | undefined, rest), lang)
      if (title !== undefined) return { title, code: rest.join('.'), own: true }
    }
    if (first === 'without') return { title: names.thing('nodes', rest[0] ?? ''), code: rest.join('.'), own: true }
    const known = i18n.exists(`versions:field.${first}`)
    const title = known ? t(`field.${first}` as 'field.name') : first
    const part = list === 'nodes' ? parts[path.join('.') as keyof typeof parts] : undefined
    if (part) return { title: `${title} · ${common(`options.${part}`)}`, code: '', own: false }
    return { title, code: rest.join('.') || (known ? '' : first), own: !known }
  }
}

/** The property that lies this way inside a schema. */
export function schemaAt(schema: Schema | undefined, way: readonly string[]): Schema | undefined {
  let at = schema
  for (const step of way) at = (at?.properties as { [name: string]: Schema } | undefined)?.[step]
  return at
}

/** The title of a schema in a language. */
function titleIn(schema: Schema | undefined, lang: Lang): string | undefined {
  const texts = schema?.['ui:i18n'] as { [lang in Lang]?: { title?: string } } | undefined
  return texts?.[lang]?.title || (schema?.title as string | undefined) || undefined
}
