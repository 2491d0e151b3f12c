import { ActionIcon, Autocomplete, Button, SegmentedControl, Select } from '@mantine/core'
import { useContext, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { IconPlus, IconTrash } from '~/app/icons'
import { type Comparison, type PlainCondition, type Rule, readCondition, writeCondition } from '~/doc/condition'
import type { ScopeName } from '~/doc/scope'
import { useDoc } from '~/doc/store'
import { Expression } from '~/form/lazy-expression'
import { ExpressionPreview } from '~/form/preview'
import { PreviewContext } from '~/form/preview-context'

interface Props {
  id: string
  label: string
  placeholder: string
  value: string
  scope: readonly ScopeName[]
  invalid: boolean
  autoFocus: boolean
  onChange(value: string): void
}

/** A condition, as rules that anybody can read, or as the CEL that they mean. */
export function ConditionField(props: Props) {
  const { t } = useTranslation('editor')
  const { value } = props
  const plain = useMemo(() => readCondition(value), [value])
  const [wantsCel, setWantsCel] = useState(plain === null)
  const cel = wantsCel || plain === null
  return (
    <div className="cond">
      <div className="cond-head">
        <span className="sf-label">{t('condition.title')}</span>
        <SegmentedControl
          size="xs"
          aria-label={t('condition.title')}
          value={cel ? 'cel' : 'plain'}
          data={[
            { value: 'plain', label: t('condition.plain'), disabled: plain === null },
            { value: 'cel', label: 'CEL' },
          ]}
          onChange={(v) => setWantsCel(v === 'cel')}
        />
      </div>
      {cel ? (
        <>
          <Expression {...props} bare wants="boolean" />
          {plain === null && <div className="quiet">{t('condition.tooMuch')}</div>}
        </>
      ) : (
        <Rules {...props} />
      )}
    </div>
  )
}

const nothing: Rule = { name: '', how: '==', value: '', named: false }

/** The rules stay as they are written while one of them is not complete yet. */
function Rules({ value, scope, autoFocus, onChange }: Props) {
  const { t } = useTranslation('editor')
  const ask = useContext(PreviewContext)
  const [draft, setDraft] = useState<PlainCondition>(() => readCondition(value) ?? { join: 'all', rules: [] })
  // What came from outside, an undo for one, is taken over.
  const taken = writeCondition(draft) === value ? draft : (readCondition(value) ?? draft)
  const shown = taken.rules.length > 0 ? taken : { ...taken, rules: [nothing] }
  const change = (next: PlainCondition) => {
    setDraft(next)
    onChange(writeCondition(next))
  }
  const set = (i: number, patch: Partial<Rule>) =>
    change({ ...shown, rules: shown.rules.map((r, j) => (i === j ? { ...r, ...patch } : r)) })
  return (
    <>
      {shown.rules.length > 1 && (
        <SegmentedControl
          size="xs"
          aria-label={t('condition.join')}
          value={shown.join}
          data={(['all', 'any'] as const).map((join) => ({ value: join, label: t(`condition.${join}`) }))}
          onChange={(join) => change({ ...shown, join: join as PlainCondition['join'] })}
        />
      )}
      {shown.rules.map((rule, i) => (
        <RuleRow
          // biome-ignore lint/suspicious/noArrayIndexKey: a rule is known by its place
          key={i}
          n={i + 1}
          rule={rule}
          scope={scope}
          autoFocus={autoFocus && i === 0}
          onChange={(patch) => set(i, patch)}
          onRemove={() => change({ ...shown, rules: shown.rules.filter((_, j) => j !== i) })}
        />
      ))}
      <Button
        variant="subtle"
        size="compact-xs"
        leftSection={<IconPlus size={13} aria-hidden />}
        onClick={() => setDraft({ ...shown, rules: [...shown.rules, nothing] })}
      >
        {t('condition.add')}
      </Button>
      {value && <code className="cond-cel">{value}</code>}
      {ask && value && <ExpressionPreview ask={ask} value={value} bare />}
    </>
  )
}

const words = {
  '==': 'equal',
  '!=': 'unequal',
  '>': 'above',
  '>=': 'aboveOrEqual',
  '<': 'below',
  '<=': 'belowOrEqual',
  contains: 'contains',
  startsWith: 'startsWith',
  endsWith: 'endsWith',
  in: 'in',
  isTrue: 'isTrue',
  isFalse: 'isFalse',
} as const satisfies Record<Comparison, string>

/** The comparisons that make sense for a type; one that is not known may be anything. */
function comparisonsOf(type: string | undefined): Comparison[] {
  if (type === 'boolean') return ['isTrue', 'isFalse', '==', '!=']
  if (type === 'integer' || type === 'number') return ['==', '!=', '>', '>=', '<', '<=', 'in']
  if (type === 'string') return ['==', '!=', 'contains', 'startsWith', 'endsWith', 'in']
  return Object.keys(words) as Comparison[]
}

function RuleRow({
  n,
  rule,
  scope,
  autoFocus,
  onChange,
  onRemove,
}: {
  n: number
  rule: Rule
  scope: readonly ScopeName[]
  autoFocus: boolean
  onChange(patch: Partial<Rule>): void
  onRemove(): void
}) {
  const { t } = useTranslation('editor')
  const type = scope.find((s) => s.name === rule.name)?.type
  const comparisons = [...new Set([...comparisonsOf(type), rule.how])]
  const choices = useChoices(rule.name)
  const names = [...new Set([...scope.map((s) => s.name), ...(rule.name ? [rule.name] : [])])]
  const compares = rule.how !== 'isTrue' && rule.how !== 'isFalse'
  const rename = (name: string) => {
    const next = comparisonsOf(scope.find((s) => s.name === name)?.type)
    onChange({ name, ...(next.includes(rule.how) ? {} : { how: next[0] as Comparison }) })
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: three fields that make one sentence
    <div className="cond-rule" role="group" aria-label={t('condition.rule', { n })}>
      <Select
        aria-label={t('condition.name')}
        placeholder={t('condition.name')}
        searchable
        autoFocus={autoFocus}
        data={names}
        value={rule.name || null}
        classNames={{ input: 'mono' }}
        onChange={(name) => name && rename(name)}
      />
      <Select
        aria-label={t('condition.how')}
        data={comparisons.map((how) => ({ value: how, label: t(`condition.op.${words[how]}`) }))}
        value={rule.how}
        allowDeselect={false}
        onChange={(how) => how && onChange({ how: how as Comparison })}
      />
      <ActionIcon size={24} aria-label={t('condition.remove', { n })} onClick={onRemove}>
        <IconTrash size={14} aria-hidden />
      </ActionIcon>
      {compares && (
        <Autocomplete
          className="cond-value"
          size="xs"
          aria-label={t('condition.value')}
          placeholder={t(rule.how === 'in' ? 'condition.listHelp' : 'condition.valueHelp')}
          data={[...choices, ...scope.filter((s) => s.name !== rule.name).map((s) => `\${${s.name}}`)]}
          value={written(rule, type)}
          onChange={(v) => onChange(read(v, rule.how === 'in' ? undefined : type))}
        />
      )}
    </div>
  )
}

/** The values that a variable may have, where its type lists them. */
function useChoices(name: string): string[] {
  const schema = useDoc((s) => s.doc.variables?.find((v) => v.name === name)?.schema)
  return Array.isArray(schema?.enum) ? schema.enum.map(String) : []
}

const literal = /^(?:-?\d+(?:\.\d+)?|true|false)$/

/** The value as a person writes it: a text variable is compared with texts, so they need no quotes. */
function written(rule: Rule, type: string | undefined): string {
  if (rule.named) return `\${${rule.value}}`
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(rule.value)
  return type === 'string' && rule.how !== 'in' && quoted ? (JSON.parse(rule.value) as string) : rule.value
}

function read(text: string, type: string | undefined): Partial<Rule> {
  const named = /^\$\{([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\}$/.exec(text)
  if (named) return { value: named[1] as string, named: true }
  return { value: type === 'string' && literal.test(text) ? JSON.stringify(text) : text, named: false }
}
