import { useTranslation } from 'react-i18next'
import type { Plugin, Schema } from '~/api/types'
import { findAction } from '~/doc/scope'
import { type Lang, useLang } from '~/i18n/text'
import type { Change, Field } from './compare'
import { schemaAt } from './labels'
import type { Names } from './names'

/** What a field held and holds, in words; a side that has none is shown as it is written. */
export interface Said {
  before?: string | undefined
  after?: string | undefined
}

type Word = (value: unknown) => string | undefined

/** Says values as the forms do, where they are words of ours: types, choices, places, times. */
export function useWords(plugins: readonly Plugin[], names: Names): (change: Change, field: Field) => Said {
  const table = useTable(names)
  const { t } = useTranslation('versions')
  const lang = useLang()
  const truth: Word = (value) => t(value ? 'word.yes' : 'word.no')
  return (change, field) => {
    const word =
      wordFor(change, field) ?? table[`${change.list}/${field.path.join('.')}`] ?? table[field.path.join('.')]
    if (word) return { before: word(field.before), after: word(field.after) }
    const isTruth = typeof field.before === 'boolean' || typeof field.after === 'boolean'
    return isTruth && field.path[0] !== 'inputs' ? { before: truth(field.before), after: truth(field.after) } : {}
  }

  function wordFor(change: Change, { path }: Field): Word | undefined {
    if (path[0] === 'order') return (value) => inLines(value, (key) => names.thing(change.list, key))
    if (path[0] === 'without') return (value) => (value ? t(value === 'skip' ? 'word.skip' : 'word.run') : undefined)
    if (path[0] !== 'inputs' || change.list !== 'nodes') return undefined
    const node = names.node(change.key)
    const schema = schemaAt(
      findAction(plugins, node?.plugin, node?.action)?.inputs as Schema | undefined,
      path.slice(1),
    )
    return schema && ((value) => choiceIn(schema, value, lang))
  }
}

/** The fields of which every value has a word, by their way in the document. */
function useTable(names: Names): { [field: string]: Word } {
  const { t } = useTranslation('versions')
  const { t: common } = useTranslation()
  // These texts come with the notes that are drawn.
  const { t: notes } = useTranslation('notes')
  const times = (factor: number): Word => {
    return (value) => (typeof value === 'number' ? String(value * factor) : undefined)
  }
  const either = (word: string, yes: string, no: string): Word => {
    return (value) => (value === word ? yes : no)
  }
  const node: Word = (id) => (typeof id === 'string' ? names.thing('nodes', id) : undefined)
  return {
    'nodes/type': (value) => (typeof value === 'string' ? common(`node.type.${value as 'task'}`) : undefined),
    'nodes/strategy': either('first', common('gateway.first'), common('gateway.only')),
    'nodes/mode': either('independent', common('subflow.independent'), common('subflow.inline')),
    'nodes/version': (value) =>
      typeof value === 'number' && value > 0 ? t('place.version', { n: value }) : common('subflow.latest'),
    'retry.delay_ms': times(0.001),
    'retry.max_delay_ms': times(0.001),
    'retry.jitter': times(100),
    'timeout.after_ms': times(0.001),
    'timeout.action': either('skip', common('options.timeoutSkip'), common('options.timeoutFail')),
    'edges/from': node,
    'edges/to': node,
    'variables/source': (value) =>
      typeof value === 'string' ? common(`variables.source.${value as 'input'}`) : undefined,
    'notes/colour': (value) => notes(`colours.${(value as 'blue') || 'yellow'}`),
    'notes/size': (value) => (Array.isArray(value) ? value.join(' × ') : undefined),
    'flow/on_failure': either('fail', common('flow.fail'), common('flow.block')),
    'flow/timeout_ms': times(1 / 60_000),
    position: (value) => (value ? Object.values(value).join(', ') : undefined),
  }
}

function inLines(keys: unknown, nameOf: (key: string) => string): string | undefined {
  return Array.isArray(keys) ? keys.map((key) => nameOf(String(key))).join('\n') : undefined
}

/** The name of a choice that a form shows instead of its value. */
function choiceIn(schema: Schema, value: unknown, lang: Lang): string | undefined {
  const texts = schema['ui:i18n'] as { [lang in Lang]?: { enumNames?: unknown[] } } | undefined
  const choices = (schema.oneOf ?? schema.enum) as unknown[] | undefined
  if (!Array.isArray(choices)) return undefined
  const at = choices.findIndex((c) => c === value || (c as { const?: unknown } | null)?.const === value)
  const name = texts?.[lang]?.enumNames?.[at] ?? (choices[at] as { title?: unknown } | undefined)?.title
  return typeof name === 'string' ? name : undefined
}
