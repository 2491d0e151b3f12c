import { ActionIcon, Button, Popover, Select, TextInput } from '@mantine/core'
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { IconColumns3, IconFilter, IconSearch } from '~/app/icons'
import { useKeysOn } from '~/ui/keys'
import { busy } from './list'
import { type Span, spans, type Words } from './search'

/** A field that narrows the list as it is typed; the key / leads to it. */
export function SearchField({ label, value, onChange }: { label: string; value: string; onChange(q: string): void }) {
  const [text, setText] = useState(value)
  // The letters that an input method makes a word of are not the word yet.
  const [composing, setComposing] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const keys = useKeysOn()
  // The address may change without this field: a view, the back button. What it has from this field it has a while after
  // it was told, and by then more may have been typed.
  const told = useRef<string[]>([])
  useLayoutEffect(() => {
    const own = told.current.lastIndexOf(value)
    told.current = told.current.slice(own + 1)
    if (own < 0) setText((old) => (old.trim() === value ? old : value))
  }, [value])
  useEffect(() => {
    if (composing) return
    const timer = setTimeout(() => {
      if (text.trim() === value) return
      told.current.push(text.trim())
      onChange(text.trim())
    }, 200)
    return () => clearTimeout(timer)
  }, [text, value, onChange, composing])
  useEffect(() => {
    if (!keys) return
    const pressed = (e: KeyboardEvent) => {
      if (e.key !== '/' || e.ctrlKey || e.metaKey || e.altKey || busy(e.target)) return
      e.preventDefault()
      field.current?.focus()
      field.current?.select()
    }
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }, [keys])
  return (
    <TextInput
      ref={field}
      aria-label={label}
      placeholder={label}
      leftSection={<IconSearch size={14} aria-hidden />}
      value={text}
      onChange={(e) => setText(e.currentTarget.value)}
      onCompositionStart={() => setComposing(true)}
      onCompositionEnd={() => setComposing(false)}
      onKeyDown={(e) => {
        if (e.key === 'Escape') e.currentTarget.blur()
      }}
      w={230}
      className="lp-grow"
    />
  )
}

interface Chip {
  value: string
  label: string
  icon?: ReactNode
  /** A state whose colours it has while it is on. */
  state?: string
}

/** Switches beside each other; each narrows the list. */
export function Chips({
  label,
  chips,
  on,
  onChange,
  single = false,
}: {
  label: string
  chips: readonly Chip[]
  on: readonly string[]
  onChange(on: string[]): void
  single?: boolean
}) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out in the row
    <div className="lp-chips" role="group" aria-label={label}>
      {chips.map(({ value, label: name, icon, state }) => {
        const pressed = on.includes(value)
        const others = single ? [] : on
        return (
          <button
            key={value}
            type="button"
            className="lp-chip"
            data-s={state}
            aria-pressed={pressed}
            onClick={() => onChange(pressed ? on.filter((v) => v !== value) : [...others, value])}
          >
            {icon}
            {name}
          </button>
        )
      })}
    </div>
  )
}

type Time = Words<'since' | 'from' | 'to'>

interface FiltersProps {
  time: Time
  person: string
  personLabel: string
  onTime(time: Time): void
  onPerson(person: string): void
  children?: ReactNode
}

/** What narrows a list more rarely: a time, a person. */
export function MoreFilters({ time, person, personLabel, onTime, onPerson, children }: FiltersProps) {
  const { t } = useTranslation('home')
  const [open, setOpen] = useState(false)
  const [asked, setAsked] = useState(false)
  const custom = asked || Boolean(time.from || time.to)
  const used = (time.since || time.from || time.to ? 1 : 0) + (person ? 1 : 0)
  const label = used > 0 ? t('list.filtersOn', { n: used }) : t('list.filters')
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" shadow="md" trapFocus withRoles={false}>
      <Popover.Target>
        <Button
          variant="default"
          leftSection={<IconFilter size={14} aria-hidden />}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {label}
        </Button>
      </Popover.Target>
      <Popover.Dropdown role="dialog" aria-label={t('list.filters')}>
        <div className="lp-more">
          {children}
          <Select
            label={t('list.since')}
            data={[
              { value: '', label: t('list.any') },
              ...(Object.keys(spans) as Span[]).map((value) => ({ value, label: t(`list.${value}`) })),
              { value: 'custom', label: t('list.custom') },
            ]}
            value={custom ? 'custom' : (time.since ?? '')}
            onChange={(value) => {
              setAsked(value === 'custom')
              onTime(value && value !== 'custom' ? { since: value } : {})
            }}
            allowDeselect={false}
            comboboxProps={{ withinPortal: false }}
          />
          {custom && (
            <>
              <Moment label={t('list.from')} value={time.from} onChange={(from) => onTime({ to: time.to, from })} />
              <Moment label={t('list.to')} value={time.to} onChange={(to) => onTime({ from: time.from, to })} />
            </>
          )}
          <TextInput
            key={person}
            label={personLabel}
            defaultValue={person}
            onBlur={(e) => onPerson(e.currentTarget.value.trim())}
            onKeyDown={(e) => {
              if (e.key === 'Enter') onPerson(e.currentTarget.value.trim())
            }}
          />
        </div>
      </Popover.Dropdown>
    </Popover>
  )
}

/** An instant on the operator's clock. */
function Moment(props: { label: string; value: string | undefined; onChange(iso: string | undefined): void }) {
  const { label, value, onChange } = props
  return (
    <TextInput
      type="datetime-local"
      label={label}
      value={value ? local(value) : ''}
      onChange={(e) => {
        const at = Date.parse(e.currentTarget.value)
        onChange(Number.isNaN(at) ? undefined : new Date(at).toISOString())
      }}
    />
  )
}

function local(iso: string): string {
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return ''
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

interface ColumnsProps {
  columns: readonly { id: string; title: string }[]
  shown: readonly string[]
  onChange(shown: string[]): void
}

/** Chooses the columns; the first one stays. */
export function ColumnPicker({ columns, shown, onChange }: ColumnsProps) {
  const { t } = useTranslation('home')
  const [open, setOpen] = useState(false)
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" shadow="md" trapFocus withRoles={false}>
      <Popover.Target>
        <ActionIcon
          variant="default"
          className="lp-columns"
          aria-label={t('list.columns')}
          aria-expanded={open}
          title={t('list.columns')}
          size={30}
          onClick={() => setOpen(!open)}
        >
          <IconColumns3 size={15} aria-hidden />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown role="dialog" aria-label={t('list.columnsHelp')} p={6}>
        {columns.map(({ id, title }) => {
          const on = shown.includes(id)
          return (
            <label key={id} className="lp-column">
              <input
                type="checkbox"
                checked={on}
                onChange={() => onChange(on ? shown.filter((c) => c !== id) : [...shown, id])}
              />
              {title}
            </label>
          )
        })}
      </Popover.Dropdown>
    </Popover>
  )
}

/** How many rows there are, and the keys that lead through them. */
export function ListFoot({ count, more }: { count: number; more: boolean }) {
  const { t } = useTranslation('home')
  const keys = useKeysOn()
  return (
    <div className="lp-foot">
      <span className="num" role="status">
        {t(more ? 'list.countMore' : 'list.count', { n: count })}
      </span>
      <span className="grow" />
      <span className="lp-keys">
        {keys ? t('list.keys', { down: 'J', up: 'K', select: 'X', search: '/' }) : t('list.keysOff')}
      </span>
    </div>
  )
}
