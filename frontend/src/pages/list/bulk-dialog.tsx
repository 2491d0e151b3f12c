import { Button, Group, Modal, TextInput } from '@mantine/core'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { IconCheck, IconCircleDashed, IconLoader2, IconX } from '~/app/icons'
import { useCodes } from '~/i18n/codes'
import { type Outcome, runErrand } from './bulk'

/** Something that can be done to several items. */
export interface BulkAction<T> {
  label: string
  /** It cannot be taken back: the number of items is typed first. */
  danger?: boolean
  act(item: T): Promise<string | undefined>
}

interface Props<T> {
  action: BulkAction<T>
  items: readonly T[]
  nameOf(item: T): string
  onClose(): void
  /** Something was done: lists are asked for again. */
  onDone(): void
}

const icons = { waiting: IconCircleDashed, working: IconLoader2, done: IconCheck, refused: IconX }
const shownAs = { waiting: 'idle', working: 'running', done: 'succeeded', refused: 'failed' }

/** Asks, does it to one item after the other, and says of each how it went. */
export function BulkDialog<T>({ action, items, nameOf, onClose, onDone }: Props<T>) {
  const { t } = useTranslation('home')
  const { t: common } = useTranslation()
  const codes = useCodes()
  const [outcomes, setOutcomes] = useState<readonly Outcome[]>([])
  const [phase, setPhase] = useState<'ask' | 'work' | 'end'>('ask')
  const [typed, setTyped] = useState('')
  const stop = useRef(false)
  const refused = outcomes.flatMap((o, i) => (o.state === 'refused' ? [i] : []))
  const done = outcomes.filter((o) => o.state === 'done').length
  const work = async (indexes: readonly number[]) => {
    stop.current = false
    setPhase('work')
    setOutcomes((old) =>
      items.map((_, i) => (indexes.includes(i) ? { state: 'waiting' } : (old[i] ?? { state: 'waiting' }))),
    )
    await runErrand({
      items: indexes,
      act: (i) => action.act(items[i] as T),
      say: codes.error,
      onChange: (at, outcome) => setOutcomes((old) => old.map((o, i) => (i === indexes[at] ? outcome : o))),
      stopped: () => stop.current,
    })
    setPhase('end')
    onDone()
  }
  const close = () => {
    stop.current = true
    onClose()
  }
  const confirmed = !action.danger || typed.trim() === String(items.length)
  return (
    <Modal
      opened
      onClose={close}
      title={t('bulk.title', { action: action.label, n: items.length })}
      size="lg"
      closeOnClickOutside={phase !== 'work'}
      closeButtonProps={{ 'aria-label': common('action.close') }}
    >
      <form
        onSubmit={(e) => {
          e.preventDefault()
          if (phase === 'ask' && confirmed) void work(items.map((_, i) => i))
        }}
      >
        <div role="status">
          {phase === 'ask'
            ? t('bulk.ask', { n: items.length })
            : t('bulk.progress', { done, refused: refused.length, n: items.length })}
        </div>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls is reached by keys */}
        <ul className="bk-list" tabIndex={0} aria-label={action.label}>
          {items.map((item, i) => {
            const outcome = outcomes[i]
            const state = outcome?.state ?? 'waiting'
            const Icon = icons[state]
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: the items do not change while the dialog is open
              <li key={i} data-s={shownAs[state]} data-outcome={state}>
                <Icon size={14} aria-hidden className={state === 'working' ? 'spin' : ''} />
                <span className="clip">{nameOf(item)}</span>
                {phase !== 'ask' && <span className="told">{outcome?.text ?? t(`bulk.${state}`)}</span>}
              </li>
            )
          })}
        </ul>
        {phase === 'ask' && action.danger && (
          <TextInput
            mt="sm"
            label={t('bulk.typedLabel')}
            description={t('bulk.typed', { n: items.length })}
            value={typed}
            inputMode="numeric"
            autoComplete="off"
            onChange={(e) => setTyped(e.currentTarget.value)}
            data-autofocus
          />
        )}
        <Group justify="flex-end" mt="md" gap="xs">
          {phase === 'ask' && (
            <>
              <Button variant="default" onClick={close}>
                {common('action.cancel')}
              </Button>
              <Button type="submit" color={action.danger ? 'red' : undefined} disabled={!confirmed}>
                {t('bulk.go')}
              </Button>
            </>
          )}
          {phase === 'work' && (
            <Button
              variant="default"
              onClick={() => {
                stop.current = true
              }}
            >
              {t('bulk.stop')}
            </Button>
          )}
          {phase === 'end' && refused.length > 0 && (
            <Button variant="default" onClick={() => void work(refused)}>
              {t('bulk.again2', { n: refused.length })}
            </Button>
          )}
          {phase === 'end' && <Button onClick={close}>{t('bulk.close')}</Button>}
        </Group>
      </form>
    </Modal>
  )
}

interface BarProps<T> {
  items: readonly T[]
  actions: readonly BulkAction<T>[]
  nameOf(item: T): string
  onClear(): void
  onDone(): void
}

/** What can be done to the selected items, where some are. */
export function BulkBar<T>({ items, actions, nameOf, onClear, onDone }: BarProps<T>) {
  const { t } = useTranslation('home')
  const [asked, setAsked] = useState<{ action: BulkAction<T>; items: readonly T[] }>()
  return (
    <>
      {items.length > 0 && (
        <section className="lp-bulk" aria-label={t('bulk.label')}>
          <strong className="num" role="status">
            {t('bulk.selected', { n: items.length })}
          </strong>
          {actions.map((action) => (
            <Button
              key={action.label}
              variant={action.danger ? 'subtle' : 'default'}
              color={action.danger ? 'red' : undefined}
              size="compact-sm"
              onClick={() => setAsked({ action, items })}
            >
              {action.label}
            </Button>
          ))}
          <Button variant="subtle" size="compact-sm" color="gray" onClick={onClear}>
            {t('bulk.clear')}
          </Button>
        </section>
      )}
      {asked && (
        <BulkDialog
          action={asked.action}
          items={asked.items}
          nameOf={nameOf}
          onClose={() => setAsked(undefined)}
          onDone={onDone}
        />
      )}
    </>
  )
}
