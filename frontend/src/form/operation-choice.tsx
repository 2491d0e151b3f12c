import type { WidgetProps } from '@rjsf/utils'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { JsonObject } from '~/api/types'
import { useText } from '~/i18n/text'
import { gateway } from '~/systems/api'
import { type Entry, keyOf, type Offer } from './choices'
import { infoOf } from './context'
import { wordOf } from './operation'
import { PickOne } from './source'

/** A field that chooses a system of the project, or an operation of the system that another field chooses. */
export function OperationChoice(props: WidgetProps) {
  const word = wordOf(props.schema as never)
  return word?.part === 'operation' ? <Operations {...props} /> : <Systems {...props} />
}

function entry(value: string, label: string): Entry {
  return { key: keyOf(value), value, label: label || value, disabled: false }
}

/** An offer of entries that came with one answer. */
function useOffer(entries: Entry[], query: { isFetching: boolean; error: unknown; refetch(): unknown }): Offer {
  return {
    entries,
    byKey: useMemo(() => new Map(entries.map((e) => [e.key, e])), [entries]),
    loading: query.isFetching && entries.length === 0,
    failure: undefined,
    error: query.error ?? undefined,
    empty: [],
    unknown: [],
    reload: () => void query.refetch(),
  }
}

function Systems(props: WidgetProps) {
  const text = useText()
  const project = infoOf(props.registry).asks?.project ?? ''
  const [opened, setOpened] = useState(false)
  const query = useQuery({
    ...gateway.systems(project),
    enabled: opened || props.value !== undefined,
    staleTime: 30_000,
  })
  const entries = useMemo(() => (query.data ?? []).map((s) => entry(s.id, text(s.title))), [query.data, text])
  return <PickOne {...props} offer={useOffer(entries, query)} onOpen={() => setOpened(true)} />
}

function Operations(props: WidgetProps) {
  const { t } = useTranslation()
  const text = useText()
  const info = infoOf(props.registry)
  const name = wordOf(props.schema as never)?.system ?? ''
  const given = ((info.data ?? {}) as JsonObject)[name]
  const system = typeof given === 'string' && given !== '' && !given.includes('${') ? given : undefined
  const query = useQuery({
    ...gateway.system(info.asks?.project ?? '', system ?? ''),
    enabled: system !== undefined,
    staleTime: 30_000,
    retry: false,
  })
  const entries = useMemo(() => {
    const all = system === undefined ? [] : (query.data?.operations ?? [])
    const label = (o: (typeof all)[number]) => [o.group, text(o.title) || o.id].filter(Boolean).join(' / ')
    // Those that can be called come first.
    return all
      .toSorted((a, b) => Number(b.enabled) - Number(a.enabled))
      .map((o) => entry(o.id, o.enabled ? label(o) : t('form.operation.off', { name: label(o) })))
  }, [query.data, system, text, t])
  const titles = (props.registry.rootSchema.properties ?? {}) as { [n: string]: { title?: string } }
  const offer = useOffer(entries, query)
  const missing = system === undefined ? [titles[name]?.title ?? name] : []
  return (
    <>
      <PickOne {...props} offer={{ ...offer, empty: missing }} onOpen={() => undefined} />
      {system && typeof props.value === 'string' && <About system={system} operation={props.value} {...props} />}
    </>
  )
}

/** What the chosen operation is, and what stands in the way of calling it. */
function About({ system, operation, registry }: WidgetProps & { system: string; operation: string }) {
  const { t } = useTranslation()
  const text = useText()
  const { asks } = infoOf(registry)
  const { data } = useQuery({
    ...gateway.operation(asks?.project ?? '', system, operation),
    enabled: !operation.includes('${'),
    retry: false,
  })
  if (!data) return null
  const granted = data.plugins.includes(asks?.plugin ?? '')
  return (
    <div className="sf-operation">
      <code className="mono">
        {data.method} {data.path}
      </code>
      <span className="sf-risk" data-risk={data.risk}>
        {t(`form.operation.${data.risk}`)}
      </span>
      {text(data.doc) && <div className="sf-help">{text(data.doc)}</div>}
      {!data.enabled && <div className="sf-hint">{t('form.operation.isOff')}</div>}
      {data.enabled && !granted && (
        <div className="sf-hint">{t('form.operation.notGranted', { plugin: asks?.plugin })}</div>
      )}
    </div>
  )
}
