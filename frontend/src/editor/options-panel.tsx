import { NumberInput, Select, Switch } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { FlowNode, Repeat, RetryPolicy, Timeout } from '~/api/types'
import type { Command } from '~/doc/commands'
import { forgetInSchemes } from '~/doc/leaving'
import { type Option, optionsOf } from '~/doc/options'
import { useDoc, useDocStore } from '~/doc/store'
import { useText } from '~/i18n/text'

/** What happens when the node fails, takes long, or is run several times; each option says what it does. */
export function NodeOptions({ node }: { node: FlowNode }) {
  const store = useDocStore()
  const has = new Set(optionsOf(node))
  const set = (patch: Partial<FlowNode>, tag?: string) =>
    store
      .getState()
      .commit({ op: 'set', list: 'nodes', key: node.id, patch: patch as object }, tag && `${node.id}:${tag}`)
  const setOptional = (on: boolean) => {
    const { doc, commit } = store.getState()
    const command: Command = { op: 'set', list: 'nodes', key: node.id, patch: { optional: on || undefined } }
    // No scheme can leave out a node that always runs.
    commit({ op: 'batch', commands: [...(on ? [] : forgetInSchemes(doc, new Set([node.id]))), command] })
  }
  const form = { node, set }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: leaving the fields ends the running gesture
    <div className="pn-options" onBlur={() => store.getState().seal()}>
      {has.has('optional') && <Choice name="optional" on={node.optional === true} onChange={setOptional} />}
      {has.has('ignore') && (
        <Choice
          name="ignore"
          on={node.ignore_failure === true}
          onChange={(on) => set({ ignore_failure: on || undefined })}
        />
      )}
      {has.has('mayRetry') && (
        <Choice name="mayRetry" on={!node.no_retry} onChange={(on) => set({ no_retry: on ? undefined : true })} />
      )}
      {has.has('maySkip') && (
        <Choice name="maySkip" on={!node.no_skip} onChange={(on) => set({ no_skip: on ? undefined : true })} />
      )}
      {has.has('retry') && <AutoRetry {...form} />}
      {has.has('timeout') && <TimeoutFields {...form} />}
      {has.has('repeat') && <RepeatFields {...form} />}
      {has.has('reruns') && <Reruns {...form} />}
    </div>
  )
}

interface FormProps {
  node: FlowNode
  set(patch: Partial<FlowNode>, tag?: string): void
}

function Choice({
  name,
  on,
  onChange,
  children,
}: {
  name: Exclude<Option, 'reruns'>
  on: boolean
  onChange(on: boolean): void
  children?: ReactNode
}) {
  const { t } = useTranslation()
  return (
    <section className="pn-option" aria-label={t(`options.${name}`)}>
      <Switch
        label={t(`options.${name}`)}
        // The label of the library holds the help too, which would be read as part of the name and then once more.
        aria-label={t(`options.${name}`)}
        description={t(`options.${name}Help`)}
        checked={on}
        onChange={(e) => onChange(e.currentTarget.checked)}
      />
      {on && children && <div className="pn-option-body">{children}</div>}
    </section>
  )
}

const second = 1000
const day = 86_400

/** A number of the document; an empty field takes it out. */
function Amount({
  label,
  help,
  value,
  min,
  max,
  decimals = 0,
  onChange,
}: {
  label: string
  help?: string
  value: number | undefined
  min: number
  max: number
  decimals?: number
  onChange(value: number | undefined): void
}) {
  return (
    <NumberInput
      label={label}
      description={help}
      value={value ?? ''}
      min={min}
      max={max}
      decimalScale={decimals}
      clampBehavior="blur"
      onChange={(v) => onChange(v === '' ? undefined : Number(v))}
    />
  )
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / second
}

function millis(s: number | undefined): number | undefined {
  return s === undefined ? undefined : Math.round(s * second)
}

function AutoRetry({ node, set }: FormProps) {
  const { t } = useTranslation()
  const retry = node.retry
  const change = (patch: Partial<RetryPolicy>, tag: string) =>
    set({ retry: without({ ...(retry as RetryPolicy), ...patch }) }, `retry/${tag}`)
  return (
    <Choice
      name="retry"
      on={retry !== undefined}
      onChange={(on) => set({ retry: on ? { max: 3, delay_ms: 10 * second, backoff: 2 } : undefined })}
    >
      {retry && (
        <>
          <Amount
            label={t('options.retryMax')}
            value={retry.max}
            min={1}
            max={100}
            onChange={(v) => change({ max: v ?? 1 }, 'max')}
          />
          <Amount
            label={t('options.retryDelay')}
            value={seconds(retry.delay_ms)}
            min={0}
            max={day}
            decimals={1}
            onChange={(v) => change({ delay_ms: millis(v) }, 'delay')}
          />
          <Amount
            label={t('options.retryBackoff')}
            help={t('options.retryBackoffHelp')}
            value={retry.backoff}
            min={1}
            max={100}
            decimals={2}
            onChange={(v) => change({ backoff: v }, 'backoff')}
          />
          <Amount
            label={t('options.retryMaxDelay')}
            help={t('options.retryMaxDelayHelp')}
            value={seconds(retry.max_delay_ms)}
            min={0}
            max={day}
            decimals={1}
            onChange={(v) => change({ max_delay_ms: millis(v) }, 'longest')}
          />
          <Amount
            label={t('options.retryJitter')}
            help={t('options.retryJitterHelp')}
            value={retry.jitter === undefined ? undefined : Math.round(retry.jitter * 100)}
            min={0}
            max={100}
            onChange={(v) => change({ jitter: v ? v / 100 : undefined }, 'jitter')}
          />
        </>
      )}
    </Choice>
  )
}

function TimeoutFields({ node, set }: FormProps) {
  const { t } = useTranslation()
  const timeout = node.timeout
  const change = (patch: Partial<Timeout>, tag: string) =>
    set({ timeout: without({ ...(timeout as Timeout), ...patch }) }, `timeout/${tag}`)
  return (
    <Choice
      name="timeout"
      on={timeout !== undefined}
      onChange={(on) => set({ timeout: on ? { after_ms: 600 * second } : undefined })}
    >
      {timeout && (
        <>
          <Amount
            label={t('options.timeoutAfter')}
            value={seconds(timeout.after_ms)}
            min={0.001}
            max={366 * day}
            decimals={3}
            onChange={(v) => change({ after_ms: millis(v) ?? second }, 'after')}
          />
          <Select
            label={t('options.timeoutAction')}
            data={[
              { value: 'fail', label: t('options.timeoutFail') },
              { value: 'skip', label: t('options.timeoutSkip') },
            ]}
            value={timeout.action === 'skip' ? 'skip' : 'fail'}
            allowDeselect={false}
            onChange={(v) => change({ action: v === 'skip' ? 'skip' : undefined }, 'action')}
          />
        </>
      )}
    </Choice>
  )
}

function RepeatFields({ node, set }: FormProps) {
  const { t } = useTranslation()
  const text = useText()
  const variables = useDoc((s) => s.doc.variables) ?? []
  const lists = variables.filter((v) => v.source === 'node' && v.schema?.type === 'array')
  const repeat = node.repeat
  const change = (patch: Partial<Repeat>, tag: string) =>
    set({ repeat: without({ ...(repeat as Repeat), ...patch }) }, `repeat/${tag}`)
  return (
    <Choice name="repeat" on={repeat !== undefined} onChange={(on) => set({ repeat: on ? { times: 2 } : undefined })}>
      {repeat && (
        <>
          <Amount
            label={t('options.repeatTimes')}
            value={repeat.times}
            min={1}
            max={1000}
            onChange={(v) => change({ times: v ?? 1 }, 'times')}
          />
          <Switch
            label={t('options.repeatContinue')}
            checked={repeat.continue_on_failure === true}
            onChange={(e) => change({ continue_on_failure: e.currentTarget.checked || undefined }, 'continue')}
          />
          <Select
            label={t('options.repeatCollect')}
            description={t('options.repeatCollectHelp')}
            placeholder={t('options.repeatNoCollect')}
            data={lists.map((v) => ({ value: v.name, label: text(v.title) ? `${text(v.title)} (${v.name})` : v.name }))}
            value={repeat.collect ?? null}
            onChange={(v) => change({ collect: v ?? undefined }, 'collect')}
            clearable
            clearButtonProps={{ 'aria-label': t('action.clear') }}
            nothingFoundMessage={t('node.noNodeVariables')}
          />
        </>
      )}
    </Choice>
  )
}

function Reruns({ node, set }: FormProps) {
  const { t } = useTranslation()
  return (
    <section className="pn-option" aria-label={t('options.reruns')}>
      <Amount
        label={t('options.reruns')}
        help={t('options.rerunsHelp')}
        value={node.max_reruns}
        min={1}
        max={1000}
        onChange={(v) => set({ max_reruns: v || undefined }, 'reruns')}
      />
    </section>
  )
}

/** The same without the fields that hold nothing. */
function without<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T
}
