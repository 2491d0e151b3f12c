import { ActionIcon, Button, Group, NumberInput, Select, Switch, TagsInput, TextInput } from '@mantine/core'
import { Suspense, useContext, useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Json, Plugin, Problem, Schema, Variable, VariableSource } from '~/api/types'
import { IconChevronRight, IconPlus, IconTrash } from '~/app/icons'
import { lazy } from '~/app/lazy'
import { type ScopeName, typeName } from '~/doc/scope'
import { useDoc, useDocStore } from '~/doc/store'
import { type Hint, hintsOf, renameEverywhere, type Use, usesOf } from '~/doc/uses'
import { Expression } from '~/form/lazy-expression'
import { SchemaForm } from '~/form/lazy-form'
import { PreviewContext } from '~/form/preview-context'
import { loadTexts } from '~/i18n'
import { useLang, useText, withText } from '~/i18n/text'
import { useUi } from '~/ui/store'
import { PanelHead, ProblemLines } from './panel'
import { usePerspective } from './perspective'
import { useScope } from './subflows'
import { VariableUses, VariableWorth } from './variable-uses'

const InputKeywords = lazy(async () => {
  const [module] = await Promise.all([import('./input-keywords'), loadTexts('files')])
  return { default: module.InputKeywords }
})

/** The variables of the flow. */
export function VariablesPanel({ plugins, onJump }: { plugins: readonly Plugin[]; onJump(problem: Problem): void }) {
  const { t } = useTranslation()
  const { t: own } = useTranslation('editor')
  const doc = useDoc((s) => s.doc)
  const uses = useMemo(() => usesOf(doc), [doc])
  const hints = useMemo(() => hintsOf(doc, uses), [doc, uses])
  const [query, setQuery] = useState('')
  const text = useText()
  const store = useDocStore()
  const variables = useDoc((s) => s.doc.variables)
  const problems = useDoc((s) => s.problems)
  const focus = useUi((s) => s.focus)
  const [open, setOpen] = useState<string | null>(null)
  const wanted = focus?.field.startsWith('variable:') ? focus.field.slice('variable:'.length) : null
  const list = variables ?? []
  const fits = (v: Variable) =>
    `${v.name} ${text(v.title)} ${text(v.doc)}`.toLowerCase().includes(query.trim().toLowerCase())
  const add = () => {
    const names = new Set(list.map((v) => v.name))
    let n = list.length + 1
    while (names.has(`var${n}`)) n++
    const item: Variable = { name: `var${n}`, source: 'input', schema: { type: 'string' } }
    store.getState().commit({ op: 'insert', list: 'variables', items: [{ index: list.length, item }] })
    setOpen(item.name)
  }
  return (
    <>
      <PanelHead title={t('variables.title')} sub={t('variables.sub')} />
      <div className="pn-body">
        {list.length === 0 && <p className="quiet">{t('variables.empty')}</p>}
        {list.length > 5 && (
          <TextInput
            mb="xs"
            aria-label={own('uses.search')}
            placeholder={own('uses.search')}
            value={query}
            onChange={(e) => setQuery(e.currentTarget.value)}
          />
        )}
        {list.map((variable, i) => (
          <VariableItem
            // biome-ignore lint/suspicious/noArrayIndexKey: the name is edited in place, the row stays
            key={i}
            hidden={!fits(variable) && (wanted ?? open) !== variable.name}
            uses={uses.filter((u) => u.variable === variable.name)}
            hint={hints.get(variable.name)}
            onJump={onJump}
            variable={variable}
            plugins={plugins}
            problems={problems.filter((p) => p.variable === variable.name)}
            open={(wanted ?? open) === variable.name}
            onToggle={() => setOpen(open === variable.name ? null : variable.name)}
            onRenamed={setOpen}
          />
        ))}
        <Button variant="default" fullWidth leftSection={<IconPlus size={14} aria-hidden />} onClick={add}>
          {t('variables.add')}
        </Button>
      </div>
    </>
  )
}

interface ItemProps {
  hidden: boolean
  uses: readonly Use[]
  hint: Hint | undefined
  onJump(problem: Problem): void
  variable: Variable
  plugins: readonly Plugin[]
  problems: Problem[]
  open: boolean
  onToggle(): void
  onRenamed(name: string): void
}

function VariableItem({
  hidden,
  uses,
  hint,
  onJump,
  variable,
  plugins,
  problems,
  open,
  onToggle,
  onRenamed,
}: ItemProps) {
  const { t } = useTranslation()
  const { t: own } = useTranslation('editor')
  const ask = useContext(PreviewContext)
  const look = usePerspective((s) => s.look)
  useEffect(() => {
    if (!open) return
    look(variable.name)
    return () => look(null)
  }, [open, look, variable.name])
  const store = useDocStore()
  const text = useText()
  const bad = problems.some((p) => p.level === 'error')
  if (hidden) return null
  return (
    <section className="pn-var" data-bad={bad} aria-label={variable.name}>
      <div className="pn-var-head">
        <button type="button" aria-expanded={open} onClick={onToggle}>
          <IconChevronRight size={14} aria-hidden />
          <span className="mono">{variable.name}</span>
          <span className="quiet clip">{text(variable.title)}</span>
        </button>
        <span className="quiet pn-var-kind">
          {t(`variables.source.${variable.source}`)} · {typeName(variable.schema)}
          {hint ? (
            <span className="pn-var-hint" data-hint={hint} title={own(`uses.hint.${hint}Help`)}>
              {' '}
              · {own(`uses.hint.${hint}`)}
            </span>
          ) : (
            uses.length > 0 && ` · ${own('uses.count', { count: uses.length })}`
          )}
        </span>
        <ActionIcon
          size={24}
          aria-label={t('variables.removeNamed', { name: variable.name })}
          onClick={() => store.getState().commit({ op: 'remove', list: 'variables', keys: [variable.name] })}
        >
          <IconTrash size={14} aria-hidden />
        </ActionIcon>
      </div>
      <ProblemLines problems={problems} />
      {open && (
        <>
          <VariableFields variable={variable} plugins={plugins} onRenamed={onRenamed} />
          <div className="pn-var-more">
            {ask && !variable.secret && <VariableWorth ask={ask} name={variable.name} />}
            <VariableUses uses={uses} onJump={onJump} />
          </div>
        </>
      )}
    </section>
  )
}

const sources: VariableSource[] = ['input', 'constant', 'computed', 'node']

const namePattern = /^[a-z][a-z0-9_]{0,63}$/

function VariableFields({
  variable,
  plugins,
  onRenamed,
}: {
  variable: Variable
  plugins: readonly Plugin[]
  onRenamed(name: string): void
}) {
  const { t } = useTranslation()
  const store = useDocStore()
  const doc = useDoc((s) => s.doc)
  const text = useText()
  const lang = useLang()
  const [name, setName] = useState(variable.name)
  const all = useScope(plugins)
  const scope = useMemo(() => all.filter((s) => s.name !== variable.name), [all, variable.name])
  const set = (patch: Partial<Variable>, tag?: string) =>
    store
      .getState()
      .commit({ op: 'set', list: 'variables', key: variable.name, patch }, tag && `var:${variable.name}:${tag}`)
  const taken = (doc.variables ?? []).some((v) => v.name === name && v !== variable)
  const nameError = namePattern.test(name) ? (taken ? t('variables.taken') : undefined) : t('variables.badName')
  const rename = () => {
    if (name === variable.name) return
    if (nameError) return setName(variable.name)
    store.getState().commit(renameEverywhere(doc, variable.name, name))
    onRenamed(name)
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: leaving the fields ends the running gesture
    <div className="pn-var-body" onBlur={() => store.getState().seal()}>
      <Group grow gap="xs" align="flex-start">
        <TextInput
          label={t('variables.name')}
          value={name}
          error={nameError}
          onChange={(e) => setName(e.currentTarget.value)}
          onBlur={rename}
          onKeyDown={(e) => e.key === 'Enter' && rename()}
          classNames={{ input: 'mono' }}
        />
        <TextInput
          label={t('variables.label')}
          value={text(variable.title)}
          onChange={(e) => set({ title: withText(variable.title, lang, e.currentTarget.value) }, 'title')}
        />
      </Group>
      <Group grow gap="xs" mt="xs">
        <Select
          label={t('variables.sourceLabel')}
          data={sources.map((s) => ({ value: s, label: t(`variables.source.${s}`) }))}
          value={variable.source}
          allowDeselect={false}
          onChange={(v) => v && set(sourcePatch(v as VariableSource))}
        />
        <TypeSelect schema={variable.schema} onChange={(schema) => set({ schema, value: undefined })} />
      </Group>
      <TypeDetails schema={variable.schema ?? { type: 'string' }} onChange={(schema) => set({ schema }, 'schema')} />
      {variable.source === 'computed' ? (
        <div className="sf-field" style={{ marginTop: 8 }}>
          <div className="sf-label">
            <label htmlFor={`expr-${variable.name}`}>{t('variables.expression')}</label>
          </div>
          <Expression
            id={`expr-${variable.name}`}
            bare
            label={t('variables.expression')}
            value={variable.expression ?? ''}
            scope={scope}
            wants={typeName(variable.schema)}
            onChange={(v) => set({ expression: v === '' ? undefined : v }, 'expression')}
          />
        </div>
      ) : variable.secret ? null : (
        <ValueField variable={variable} scope={scope} onChange={(value) => set({ value }, 'value')} />
      )}
      <Group gap="md" mt={4}>
        {variable.source === 'input' && (
          <Switch
            label={t('variables.required')}
            checked={variable.required === true}
            onChange={(e) => set({ required: e.currentTarget.checked || undefined })}
          />
        )}
        <Switch
          label={t('variables.output')}
          checked={variable.output === true}
          onChange={(e) => set({ output: e.currentTarget.checked || undefined })}
        />
        <Switch
          label={t('variables.secret')}
          checked={variable.secret === true}
          onChange={(e) =>
            set(
              e.currentTarget.checked
                ? { secret: true, value: undefined, output: undefined, schema: { type: 'string' } }
                : { secret: undefined, uses: undefined },
            )
          }
        />
      </Group>
      {variable.source === 'input' && !variable.secret && (
        <Suspense>
          <InputKeywords
            variable={variable}
            plugins={plugins}
            scope={scope}
            onSchema={(schema, tag) => set({ schema }, tag)}
            onShowIf={(show_if) => set({ show_if }, 'show_if')}
          />
        </Suspense>
      )}
      {variable.secret && <Uses variable={variable} onChange={(uses) => set({ uses })} />}
    </div>
  )
}

/** The operations that a secret may be sent to, as system/operation. */
function Uses({ variable, onChange }: { variable: Variable; onChange(uses: Variable['uses']): void }) {
  const { t } = useTranslation()
  return (
    <TagsInput
      size="xs"
      mt="xs"
      label={t('variables.uses')}
      placeholder={t('variables.usesHelp')}
      value={(variable.uses ?? []).map((u) => `${u.system}/${u.operation}`)}
      onChange={(v) =>
        onChange(
          v.length === 0
            ? undefined
            : v.map((text) => {
                const [system = '', operation = ''] = text.split('/')
                return { system: system.trim(), operation: operation.trim() }
              }),
        )
      }
    />
  )
}

/** What a change of source makes of the other fields. */
function sourcePatch(source: VariableSource): Partial<Variable> {
  return {
    source,
    ...(source === 'computed' ? { value: undefined } : { expression: undefined }),
    ...(source === 'input' ? {} : { required: undefined, show_if: undefined }),
  }
}

const types = ['string', 'integer', 'number', 'boolean', 'string[]', 'object', 'array'] as const

function TypeSelect({ schema, onChange }: { schema: Schema | undefined; onChange(schema: Schema): void }) {
  const { t } = useTranslation()
  const current = typeName(schema)
  const known = types as readonly string[]
  return (
    <Select
      label={t('variables.type')}
      data={[...(known.includes(current) ? [] : [current]), ...types].map((v) => ({ value: v, label: v }))}
      value={current}
      allowDeselect={false}
      onChange={(v) =>
        v && v !== current && onChange(v === 'string[]' ? { type: 'array', items: { type: 'string' } } : { type: v })
      }
    />
  )
}

/** Choices of a text, bounds of a number: the rules that most inputs need. */
function TypeDetails({ schema, onChange }: { schema: Schema; onChange(schema: Schema): void }) {
  const { t } = useTranslation()
  const set = (patch: Schema) => {
    const next: Schema = { ...schema, ...patch }
    for (const key of Object.keys(next)) if (next[key] === undefined) delete next[key]
    onChange(next)
  }
  if (schema.type === 'string') {
    const choices = Array.isArray(schema.enum) ? schema.enum.map(String) : []
    return (
      <TagsInput
        size="xs"
        mt="xs"
        label={t('variables.choices')}
        placeholder={t('variables.choicesHelp')}
        value={choices}
        onChange={(v) => set({ enum: v.length > 0 ? v : undefined })}
      />
    )
  }
  if (schema.type === 'integer' || schema.type === 'number') {
    const bound = (key: 'minimum' | 'maximum') => (
      <NumberInput
        label={t(`variables.${key}`)}
        value={typeof schema[key] === 'number' ? schema[key] : ''}
        onChange={(v) => set({ [key]: v === '' ? undefined : Number(v) })}
      />
    )
    return (
      <Group grow gap="xs" mt="xs">
        {bound('minimum')}
        {bound('maximum')}
      </Group>
    )
  }
  return null
}

/** The default of an input, the value of a constant, the initial value of the others. */
function ValueField({
  variable,
  scope,
  onChange,
}: {
  variable: Variable
  scope: readonly ScopeName[]
  onChange(value: Json | undefined): void
}) {
  const { t } = useTranslation()
  const title = t(
    variable.source === 'constant'
      ? 'variables.value'
      : variable.source === 'input'
        ? 'variables.default'
        : 'variables.initial',
  )
  const schema = useMemo<Schema>(
    () => ({ type: 'object', properties: { value: { ...(variable.schema ?? { type: 'string' }), title } } }),
    [variable.schema, title],
  )
  return (
    <div style={{ marginTop: 8 }}>
      <SchemaForm
        name={`val-${variable.name}`}
        schema={schema}
        value={variable.value === undefined ? {} : { value: variable.value }}
        onChange={(v) => {
          if (JSON.stringify(v.value) !== JSON.stringify(variable.value)) onChange(v.value)
        }}
        expressions={variable.source === 'constant'}
        scope={scope}
      />
    </div>
  )
}
