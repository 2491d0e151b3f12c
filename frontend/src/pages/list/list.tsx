import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { IconSortAscending, IconSortDescending } from '~/app/icons'
import { useKeysOn } from '~/ui/keys'
import { revealed, windowOf } from './window'
import './list.css'

export interface Column<T> {
  id: string
  title: string
  /** The width as a track of a CSS grid. */
  width: string
  /** Left out on a phone, where a row is a card. */
  wide?: boolean
  /** Numbers and times stand in figures of one width. */
  num?: boolean
  sort?: { order: 'asc' | 'desc' | undefined; toggle(): void }
  cell(item: T): ReactNode
}

interface Props<T> {
  label: string
  items: readonly T[]
  columns: readonly Column<T>[]
  keyOf(item: T): string
  nameOf(item: T): string
  selected: ReadonlySet<string>
  onSelect(selected: ReadonlySet<string>): void
  /** Whether there are more rows than items, and how they are asked for. */
  more: boolean
  loading: boolean
  onMore(): void
}

const rowPx = 36
const cardPx = 64
const narrow = '(max-width: 700px)'

/** Whether rows are cards. */
function useCards(): boolean {
  const [cards, setCards] = useState(() => window.matchMedia(narrow).matches)
  useEffect(() => {
    const media = window.matchMedia(narrow)
    const changed = () => setCards(media.matches)
    media.addEventListener('change', changed)
    return () => media.removeEventListener('change', changed)
  }, [])
  return cards
}

/** A list of any length: only what is seen is drawn. Keys go from row to row, open and select. */
export function List<T>(props: Props<T>) {
  const { label, items, columns, keyOf, nameOf, selected, onSelect, more, loading, onMore } = props
  const { t } = useTranslation('home')
  const row = useCards() ? cardPx : rowPx
  const scroller = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 600 })
  const { start, end } = windowOf(view.top, view.height, row, items.length)
  const [wanted, setWanted] = useState<{ index: number } | null>(null)
  const last = useRef(0)

  const look = useCallback(() => {
    const el = scroller.current
    if (el) setView({ top: el.scrollTop, height: el.clientHeight })
  }, [])
  useLayoutEffect(() => {
    const el = scroller.current
    if (!el) return
    const seen = new ResizeObserver(look)
    seen.observe(el)
    return () => seen.disconnect()
  }, [look])
  useEffect(() => {
    if (more && !loading && end >= items.length - 5) onMore()
  }, [more, loading, end, items.length, onMore])

  const go = useCallback(
    (index: number) => {
      const el = scroller.current
      if (!el || items.length === 0) return
      const to = Math.max(0, Math.min(items.length - 1, index))
      el.scrollTop = revealed(to, el.scrollTop, el.clientHeight - headPx(el), row)
      look()
      setWanted({ index: to })
    },
    [items.length, row, look],
  )
  useEffect(() => {
    if (!wanted) return
    last.current = wanted.index
    scroller.current
      ?.querySelector<HTMLElement>(`[data-row="${wanted.index}"] .ls-cell a`)
      ?.focus({ preventScroll: true })
  }, [wanted])

  const anchor = useRef(0)
  const toggle = useCallback(
    (index: number, range: boolean) => {
      const item = items[index]
      if (item === undefined) return
      const next = new Set(selected)
      const on = !next.has(keyOf(item))
      const [from, to] = range ? [Math.min(anchor.current, index), Math.max(anchor.current, index)] : [index, index]
      for (const one of items.slice(from, to + 1)) {
        if (on) next.add(keyOf(one))
        else next.delete(keyOf(one))
      }
      anchor.current = index
      onSelect(next)
    },
    [items, selected, keyOf, onSelect],
  )
  const focused = useCallback(() => {
    const at = document.activeElement?.closest<HTMLElement>('[data-row]')
    return at && scroller.current?.contains(at) ? Number(at.dataset.row) : undefined
  }, [])
  useListKeys({
    step: (by) => {
      const at = focused()
      go(at === undefined ? last.current : at + by)
    },
    select: (range) => toggle(focused() ?? last.current, range),
    clear: () => selected.size > 0 && onSelect(new Set()),
  })

  const all = items.length > 0 && items.every((i) => selected.has(keyOf(i)))
  const some = !all && items.some((i) => selected.has(keyOf(i)))
  const template = `28px ${columns.map((c) => c.width).join(' ')}`
  const arrows = (e: KeyboardEvent) => {
    const at = focused()
    if (at === undefined || (e.key !== 'ArrowDown' && e.key !== 'ArrowUp')) return
    e.preventDefault()
    go(at + (e.key === 'ArrowDown' ? 1 : -1))
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: arrows move between the links inside
    <div className="ls" ref={scroller} onScroll={look} onKeyDown={arrows}>
      {/* biome-ignore-start lint/a11y/useSemanticElements: rows outside the window are not drawn, which a table element cannot say */}
      {/* biome-ignore-start lint/a11y/useFocusableInteractive: rows are not operated, what is in them is */}
      <div
        role="table"
        aria-label={label}
        aria-rowcount={more ? -1 : items.length + 1}
        style={{ ['--ls' as string]: template }}
      >
        <div role="row" className="ls-head" aria-rowindex={1}>
          <span role="columnheader" className="ls-check">
            <Check
              label={t('list.selectAll')}
              checked={all}
              mixed={some}
              onToggle={() => onSelect(all ? new Set() : new Set(items.map(keyOf)))}
            />
          </span>
          {columns.map((c) => (
            <Head key={c.id} column={c} />
          ))}
        </div>
        <div role="rowgroup" className="ls-body" style={{ height: items.length * row }}>
          {items.slice(start, end).map((item, i) => {
            const index = start + i
            const key = keyOf(item)
            const on = selected.has(key)
            return (
              <div
                role="row"
                key={key}
                className="ls-row"
                data-row={index}
                data-on={on || undefined}
                aria-rowindex={index + 2}
                style={{ height: row, transform: `translateY(${index * row}px)` }}
              >
                <span role="cell" className="ls-check">
                  <Check
                    label={t('list.select', { name: nameOf(item) })}
                    checked={on}
                    onToggle={(range) => toggle(index, range)}
                  />
                </span>
                {columns.map((c) => (
                  <span role="cell" key={c.id} className={cellClass(c)} data-col={c.id}>
                    {c.cell(item)}
                  </span>
                ))}
              </div>
            )
          })}
        </div>
      </div>
      {/* biome-ignore-end lint/a11y/useFocusableInteractive: see above */}
      {/* biome-ignore-end lint/a11y/useSemanticElements: see above */}
    </div>
  )
}

function cellClass<T>(c: Column<T>): string {
  return `ls-cell${c.wide ? ' wide' : ''}${c.num ? ' num quiet' : ''}`
}

function headPx(el: HTMLElement): number {
  return el.querySelector<HTMLElement>('.ls-head')?.offsetHeight ?? 0
}

function Head<T>({ column }: { column: Column<T> }) {
  const { title, sort } = column
  if (!sort) {
    return (
      // biome-ignore lint/a11y/useSemanticElements: see List
      // biome-ignore lint/a11y/useFocusableInteractive: nothing to operate
      <span role="columnheader" className={cellClass(column)} data-col={column.id}>
        {title}
      </span>
    )
  }
  const Icon = sort.order === 'asc' ? IconSortAscending : IconSortDescending
  const direction = sort.order === 'asc' ? 'ascending' : sort.order === 'desc' ? 'descending' : 'none'
  return (
    // biome-ignore lint/a11y/useSemanticElements: see List
    // biome-ignore lint/a11y/useFocusableInteractive: the button inside is
    <span role="columnheader" className={cellClass(column)} aria-sort={direction}>
      <button type="button" className="ls-sort" onClick={sort.toggle}>
        {title}
        {sort.order && <Icon size={13} aria-hidden />}
      </button>
    </span>
  )
}

interface CheckProps {
  label: string
  checked: boolean
  mixed?: boolean
  onToggle(range: boolean): void
}

function Check({ label, checked, mixed = false, onToggle }: CheckProps) {
  const range = useRef(false)
  return (
    <input
      type="checkbox"
      aria-label={label}
      checked={checked}
      ref={(el) => {
        if (el) el.indeterminate = mixed
      }}
      onClick={(e) => {
        range.current = e.shiftKey
      }}
      onChange={() => onToggle(range.current)}
    />
  )
}

interface ListKeys {
  step(by: number): void
  select(range: boolean): void
  clear(): void
}

/** Single keys of a list: they count only where nothing is typed, and can be switched off. */
function useListKeys(keys: ListKeys): void {
  const on = useKeysOn()
  const current = useRef(keys)
  useEffect(() => {
    current.current = keys
  })
  useEffect(() => {
    const pressed = (e: globalThis.KeyboardEvent) => {
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || busy(e.target)) return
      if (e.key === 'Escape') current.current.clear()
      if (!on) return
      const key = e.key.toLowerCase()
      if (key === 'j') current.current.step(1)
      else if (key === 'k') current.current.step(-1)
      else if (key === 'x') current.current.select(e.shiftKey)
      else return
      e.preventDefault()
    }
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }, [on])
}

/** Whether a key belongs to what has the focus: a field, a menu, a dialog. */
export function busy(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest(
      'input:not([type="checkbox"]), textarea, select, [contenteditable="true"], [role="dialog"], [role="menu"], [role="listbox"]',
    ) !== null
  )
}
