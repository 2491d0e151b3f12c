import { Button, Select, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import { IconX } from '~/app/icons'
import { useText } from '~/i18n/text'
import { gateway } from './api'
import { type AuditFilter, filtersSet, outcomes, periods } from './audit-model'

interface Props {
  project: string
  filter: AuditFilter
  onChange(next: AuditFilter): void
}

/** What narrows the audit; all of it is in the address of the page. A phone folds it. */
export function AuditFilters({ project, filter, open, onChange }: Props & { open: boolean }) {
  const { t } = useTranslation('systems')
  const set = filtersSet(filter)
  const custom = filter.from !== undefined || filter.to !== undefined
  const [exact, setExact] = useState(custom)
  return (
    <search className="sys-filters" data-open={open} aria-label={t('audit.filters')}>
      {filter.kind !== 'admin' && <CallFilters project={project} filter={filter} onChange={onChange} />}
      <Pick
        label={t('audit.byOutcome')}
        value={filter.outcome}
        data={outcomes.map((o) => ({ value: o, label: t(`audit.is.${o}`) }))}
        onPick={(outcome) => onChange({ ...filter, outcome })}
      />
      <Typed label={t('audit.byActor')} value={filter.actor} onTyped={(actor) => onChange({ ...filter, actor })} />
      {filter.kind !== 'admin' && (
        <Typed
          label={t('audit.byRun')}
          value={filter.run}
          onTyped={(run) => onChange({ ...filter, run, node: undefined })}
        />
      )}
      <Pick
        label={t('audit.byTime')}
        value={custom || exact ? 'exact' : filter.since}
        data={[
          ...Object.keys(periods).map((p) => ({ value: p, label: t(`audit.since.${p as keyof typeof periods}`) })),
          { value: 'exact', label: t('audit.since.exact') },
        ]}
        onPick={(since) => {
          setExact(since === 'exact')
          onChange({ ...filter, from: undefined, to: undefined, since: since === 'exact' ? undefined : since })
        }}
      />
      {(exact || custom) && (
        <>
          <Moment label={t('audit.from')} value={filter.from} onPick={(from) => onChange({ ...filter, from })} />
          <Moment label={t('audit.to')} value={filter.to} onPick={(to) => onChange({ ...filter, to })} />
        </>
      )}
      {set > 0 && (
        <Button
          variant="subtle"
          color="gray"
          leftSection={<IconX size={13} aria-hidden />}
          onClick={() => {
            setExact(false)
            onChange(filter.kind ? { kind: filter.kind } : {})
          }}
        >
          {t('audit.clear')}
        </Button>
      )}
    </search>
  )
}

function CallFilters({ project, filter, onChange }: Props) {
  const { t } = useTranslation('systems')
  const text = useText()
  const systems = useQuery(gateway.systems(project))
  const plugins = useQuery(queries.plugins(project))
  const operations = systems.data?.find((s) => s.id === filter.system)?.operations ?? []
  return (
    <>
      <Pick
        label={t('audit.bySystem')}
        value={filter.system}
        data={(systems.data ?? []).map((s) => ({ value: s.id, label: text(s.title) }))}
        onPick={(system) => onChange({ ...filter, system, operation: undefined })}
      />
      {filter.system && (
        <Pick
          label={t('audit.byOperation')}
          value={filter.operation}
          data={operations.map((o) => ({ value: o.id, label: text(o.title) }))}
          onPick={(operation) => onChange({ ...filter, operation })}
        />
      )}
      <Pick
        label={t('audit.byPlugin')}
        value={filter.plugin}
        data={(plugins.data ?? []).map((p) => ({ value: p.id, label: text(p.manifest.title) }))}
        onPick={(plugin) => onChange({ ...filter, plugin })}
      />
    </>
  )
}

interface PickProps {
  label: string
  value: string | undefined
  data: { value: string; label: string }[]
  onPick(value: string | undefined): void
}

function Pick({ label, value, data, onPick }: PickProps) {
  const { t } = useTranslation()
  // What the address names is shown also when nothing is known of it.
  const known = value === undefined || data.some((d) => d.value === value) ? data : [...data, { value, label: value }]
  return (
    <Select
      aria-label={label}
      placeholder={label}
      data={known}
      value={value ?? null}
      onChange={(next) => onPick(next ?? undefined)}
      clearable
      searchable={data.length > 6}
      clearButtonProps={{ 'aria-label': t('action.clear') }}
    />
  )
}

/** A text that takes effect when it was typed: each letter would be a question to the server. */
function Typed({
  label,
  value,
  onTyped,
}: {
  label: string
  value: string | undefined
  onTyped(v: string | undefined): void
}) {
  const [text, setText] = useState(value ?? '')
  const [shown, setShown] = useState(value)
  if (shown !== value) {
    setShown(value)
    setText(value ?? '')
  }
  const done = () => text.trim() !== (value ?? '') && onTyped(text.trim() || undefined)
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(e) => setText(e.currentTarget.value)}
      onBlur={done}
      onKeyDown={(e) => e.key === 'Enter' && done()}
    />
  )
}

/** An instant, typed in the time zone of the browser. */
function Moment({
  label,
  value,
  onPick,
}: {
  label: string
  value: string | undefined
  onPick(v: string | undefined): void
}) {
  return (
    <TextInput
      type="datetime-local"
      aria-label={label}
      title={label}
      value={local(value)}
      onChange={(e) => {
        const at = new Date(e.currentTarget.value)
        onPick(Number.isNaN(at.getTime()) ? undefined : at.toISOString())
      }}
    />
  )
}

function local(iso: string | undefined): string {
  if (!iso) return ''
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return ''
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
