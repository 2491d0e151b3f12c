import { NumberInput, Select, Switch, Textarea, TextInput } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Json, Plugin, Schema, Variable } from '~/api/types'
import { IconChevronRight } from '~/app/icons'
import type { ScopeName } from '~/doc/scope'
import { useDoc } from '~/doc/store'
import { Expression } from '~/form/lazy-expression'
import { useText } from '~/i18n/text'
import { formats, kindOf, othersOf, sourcesFor, type Word, widgetsFor, withOthers, withWord, wordsOf } from './keywords'
import './keywords.css'

interface Props {
  variable: Variable
  plugins: readonly Plugin[]
  scope: readonly ScopeName[]
  onSchema(schema: Schema, tag: string): void
  onShowIf(condition: string | undefined): void
}

/** How the start form asks for an input: what is shown, what is checked, where its choices come from. */
export function InputKeywords({ variable, plugins, scope, onSchema, onShowIf }: Props) {
  const { t } = useTranslation('files')
  const schema = variable.schema ?? { type: 'string' }
  const used = wordsOf(schema).length + Object.keys(othersOf(schema)).length + (variable.show_if ? 1 : 0)
  const [open, setOpen] = useState(false)
  const set = (word: Word, value: Json | undefined) => onSchema(withWord(schema, word, value), word)
  return (
    <section className="kw" aria-label={t('keyword.title')}>
      <button type="button" className="kw-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <IconChevronRight size={14} aria-hidden />
        {t('keyword.title')}
        {used > 0 && <span className="quiet num"> · {used}</span>}
      </button>
      {open && (
        <div className="kw-body">
          <p className="quiet">{t('keyword.help')}</p>
          <div>
            <div className="sf-label">
              <label htmlFor={`show-${variable.name}`}>{t('keyword.showIf')}</label>
            </div>
            <Expression
              id={`show-${variable.name}`}
              bare
              label={t('keyword.showIf')}
              value={variable.show_if ?? ''}
              scope={scope}
              wants="boolean"
              onChange={(v) => onShowIf(v === '' ? undefined : v)}
            />
            <p className="quiet kw-note">{t('keyword.showIfHelp')}</p>
          </div>
          <Looks schema={schema} set={set} />
          <Rules schema={schema} set={set} />
          <Source variable={variable} schema={schema} plugins={plugins} set={set} />
          <Others key={JSON.stringify(othersOf(schema))} schema={schema} onSchema={onSchema} />
        </div>
      )}
    </section>
  )
}

interface PartProps {
  schema: Schema
  set(word: Word, value: Json | undefined): void
}

function Looks({ schema, set }: PartProps) {
  const { t } = useTranslation('files')
  const widgets = widgetsFor(schema)
  const current = schema['ui:widget']
  const known = typeof current === 'string' && !widgets.some((w) => w === current) ? [current] : []
  return (
    <>
      <div className="kw-two">
        <Select
          label={t('keyword.widget')}
          data={[
            { value: '', label: t('keyword.widgetAuto') },
            ...widgets.map((w) => ({ value: w as string, label: t(`keyword.widgets.${w}`) })),
            ...known.map((w) => ({ value: w, label: w })),
          ]}
          value={typeof current === 'string' ? current : ''}
          allowDeselect={false}
          onChange={(v) => set('ui:widget', v || undefined)}
        />
        <TextInput
          label={t('keyword.placeholder')}
          value={wordText(schema['ui:placeholder'])}
          onChange={(e) => set('ui:placeholder', e.currentTarget.value || undefined)}
        />
      </div>
      <TextInput
        label={t('keyword.hint')}
        value={wordText(schema['ui:help'])}
        onChange={(e) => set('ui:help', e.currentTarget.value || undefined)}
      />
    </>
  )
}

function wordText(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** The rules of a type beyond those that stand beside it. */
function Rules({ schema, set }: PartProps) {
  const { t } = useTranslation('files')
  const count = (word: 'minLength' | 'maxLength' | 'minItems' | 'maxItems' | 'multipleOf') => (
    <NumberInput
      label={t(`keyword.${word}`)}
      min={0}
      allowDecimal={word === 'multipleOf'}
      value={typeof schema[word] === 'number' ? schema[word] : ''}
      onChange={(v) => set(word, v === '' || (word === 'multipleOf' && Number(v) <= 0) ? undefined : Number(v))}
    />
  )
  const kind = kindOf(schema)
  if (kind === 'text')
    return (
      <>
        <div className="kw-two">
          <Select
            label={t('keyword.format')}
            data={[
              { value: '', label: t('keyword.formatNone') },
              ...formats.map((f) => ({ value: f as string, label: t(`keyword.formats.${f}`) })),
            ]}
            value={wordText(schema.format)}
            allowDeselect={false}
            onChange={(v) => set('format', v || undefined)}
          />
          <Pattern schema={schema} set={set} />
        </div>
        <div className="kw-two">
          {count('minLength')}
          {count('maxLength')}
        </div>
      </>
    )
  if (kind === 'number') return <div className="kw-two">{count('multipleOf')}</div>
  if (kind === 'list')
    return (
      <>
        <div className="kw-two">
          {count('minItems')}
          {count('maxItems')}
        </div>
        <Switch
          label={t('keyword.uniqueItems')}
          checked={schema.uniqueItems === true}
          onChange={(e) => set('uniqueItems', e.currentTarget.checked || undefined)}
        />
      </>
    )
  return null
}

function Pattern({ schema, set }: PartProps) {
  const { t } = useTranslation('files')
  const [text, setText] = useState(wordText(schema.pattern))
  const fine = isPattern(text)
  return (
    <TextInput
      label={t('keyword.pattern')}
      value={text}
      error={fine ? undefined : t('keyword.badPattern')}
      onChange={(e) => {
        setText(e.currentTarget.value)
        if (isPattern(e.currentTarget.value)) set('pattern', e.currentTarget.value || undefined)
      }}
      classNames={{ input: 'mono' }}
    />
  )
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u')
    return true
  } catch {
    return false
  }
}

/** Which plugin finds the choices, and which other inputs decide them. */
function Source({ variable, schema, plugins, set }: PartProps & { variable: Variable; plugins: readonly Plugin[] }) {
  const { t } = useTranslation('files')
  const text = useText()
  const variables = useDoc((s) => s.doc.variables)
  const sources = useMemo(() => sourcesFor(schema, plugins), [schema, plugins])
  const word = schema['x-source'] as { plugin?: string; action?: string; name?: string; fields?: Fields } | undefined
  const key = word ? `${word.plugin}/${word.action}/${word.name}` : ''
  const chosen = sources.find((s) => s.key === key)
  const others = (variables ?? []).filter((v) => v.source === 'input' && !v.secret && v.name !== variable.name)
  if (sources.length === 0 && !word) return <p className="quiet kw-note">{t('keyword.noSources')}</p>
  return (
    <>
      <Select
        label={t('keyword.source')}
        description={t('keyword.sourceHelp')}
        searchable
        data={[
          { value: '', label: t('keyword.sourceNone') },
          ...sources.map((s) => ({
            value: s.key,
            label: `${text(s.plugin.manifest.title)} · ${text(s.action.title)} · ${s.name}`,
          })),
          ...(word && !chosen ? [{ value: key, label: key }] : []),
        ]}
        value={key}
        allowDeselect={false}
        onChange={(v) => {
          const source = sources.find((s) => s.key === v)
          set('x-source', source && { plugin: source.plugin.id, action: source.action.id, name: source.name })
        }}
      />
      {chosen?.dependsOn.map((field) => (
        <Select
          key={field}
          label={t('keyword.depends', { field })}
          description={t('keyword.dependsHelp')}
          clearable
          data={others.map((v) => ({ value: v.name, label: text(v.title) ? `${v.name} · ${text(v.title)}` : v.name }))}
          value={word?.fields?.[field] ?? null}
          onChange={(v) => {
            const { [field]: _old, ...rest } = word?.fields ?? {}
            const fields = v ? { ...rest, [field]: v } : rest
            const { fields: _fields, ...plain } = word ?? {}
            set('x-source', Object.keys(fields).length > 0 ? { ...plain, fields } : plain)
          }}
        />
      ))}
    </>
  )
}

type Fields = { [field: string]: string }

/** What else the schema says, as it is: nothing of the profile is out of reach. */
function Others({ schema, onSchema }: { schema: Schema; onSchema: Props['onSchema'] }) {
  const { t } = useTranslation('files')
  const now = othersOf(schema)
  const [text, setText] = useState(Object.keys(now).length > 0 ? JSON.stringify(now, null, 2) : '')
  const [bad, setBad] = useState(false)
  const leave = () => {
    const next = withOthers(schema, text)
    setBad(next === null)
    if (next && JSON.stringify(next) !== JSON.stringify(schema)) onSchema(next, 'others')
  }
  return (
    <Textarea
      label={t('keyword.other')}
      description={t('keyword.otherHelp')}
      autosize
      minRows={2}
      maxRows={12}
      value={text}
      error={bad ? t('keyword.badJson') : undefined}
      onChange={(e) => setText(e.currentTarget.value)}
      onBlur={leave}
      classNames={{ input: 'mono' }}
    />
  )
}
