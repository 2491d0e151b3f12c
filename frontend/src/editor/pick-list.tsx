import { TextInput } from '@mantine/core'
import { type ReactNode, useEffect, useId, useMemo, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import type { Position } from '~/api/types'
import { IconSearch } from '~/app/icons'
import { useOverlay } from './overlay'

/** One entry of the list. */
export interface Pick {
  key: string
  group: string
  label: string
  /** A second line. */
  hint?: string
  /** What the search reads beside the label. */
  words?: string
  icon?: ReactNode
  /** Why the entry cannot be picked. */
  refused?: string
}

interface Props {
  label: string
  placeholder: string
  none: string
  picks: readonly Pick[]
  /** The corner of the list on the screen; without it the list hangs from the top of the page. */
  at?: Position
  onPick(key: string): void
  /** The keyboard or the mouse rests on an entry. */
  onRest?(key: string): void
  onClose(): void
}

const width = 340
const height = 380

/** A list with search that floats over the canvas; arrows move, Enter picks, Escape leaves. */
export function PickList({ label, placeholder, none, picks, at, onPick, onRest, onClose }: Props) {
  const [query, setQuery] = useState('')
  const [active, setActive] = useState(0)
  const box = useRef<HTMLDivElement>(null)
  const id = useId()
  const found = useMemo(() => search(picks, query), [picks, query])
  const current = found[Math.min(active, found.length - 1)]

  useEffect(() => {
    const outside = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) onClose()
    }
    document.addEventListener('pointerdown', outside, true)
    return () => document.removeEventListener('pointerdown', outside, true)
  }, [onClose])

  const rest = (next: number) => {
    setActive(next)
    const pick = found[next]
    if (!pick) return
    onRest?.(pick.key)
    document.getElementById(`${id}-${pick.key}`)?.scrollIntoView({ block: 'nearest' })
  }
  const choose = (pick: Pick | undefined) => {
    if (pick && !pick.refused) onPick(pick.key)
  }
  const down = (event: React.KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key]
    if (step !== undefined) {
      event.preventDefault()
      if (found.length > 0) rest(Math.max(0, Math.min(found.length - 1, active + step)))
    } else if (event.key === 'Enter') {
      event.preventDefault()
      choose(current)
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault()
      event.stopPropagation()
      onClose()
    }
  }
  return createPortal(
    <div ref={box} className="pick" role="dialog" aria-label={label} style={placeOf(at)} onKeyDown={down}>
      <TextInput
        aria-label={label}
        placeholder={placeholder}
        leftSection={<IconSearch size={14} aria-hidden />}
        value={query}
        autoFocus
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={current ? `${id}-${current.key}` : undefined}
        autoComplete="off"
        onFocus={() => {
          const { early, type } = useOverlay.getState()
          if (!early) return
          setQuery(early)
          type('')
        }}
        onChange={(e) => {
          setQuery(e.currentTarget.value)
          setActive(0)
        }}
      />
      <div className="pick-list" id={`${id}-list`} role="listbox" aria-label={label} tabIndex={-1}>
        {found.length === 0 && <p className="quiet pick-none">{none}</p>}
        {found.map((pick, i) => (
          <div key={pick.key}>
            {pick.group && pick.group !== found[i - 1]?.group && (
              <div className="pick-group" role="presentation">
                {pick.group}
              </div>
            )}
            {/* biome-ignore lint/a11y/useKeyWithClickEvents: the field above takes the keys */}
            <div
              id={`${id}-${pick.key}`}
              role="option"
              tabIndex={-1}
              className="pick-item"
              aria-selected={pick === current}
              aria-disabled={pick.refused !== undefined}
              onPointerMove={() => i !== active && rest(i)}
              onClick={() => choose(pick)}
            >
              {pick.icon && <span className="pal-icon">{pick.icon}</span>}
              <span className="pick-text">
                <span className="clip">{pick.label}</span>
                {(pick.refused ?? pick.hint) && <span className="quiet clip">{pick.refused ?? pick.hint}</span>}
              </span>
            </div>
          </div>
        ))}
      </div>
    </div>,
    document.body,
  )
}

function search(picks: readonly Pick[], query: string): Pick[] {
  const words = query.trim().toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return [...picks]
  const texts = (p: Pick) => `${p.label} ${p.hint ?? ''} ${p.group} ${p.words ?? ''}`.toLowerCase()
  const found = picks.filter((p) => {
    const text = texts(p)
    return words.every((w) => text.includes(w))
  })
  return found.sort((a, b) => rank(a, words) - rank(b, words))
}

/** What is called so comes first, then what begins so, then what has all the words in its name, then the rest. */
function rank(pick: Pick, words: readonly string[]): number {
  const label = pick.label.toLowerCase()
  if (label === words.join(' ') || pick.key === words[0]) return 0
  if (label.startsWith(words[0] as string)) return 1
  return words.every((w) => label.includes(w)) ? 2 : 3
}

/** Keeps the whole list inside the window. */
function placeOf(at: Position | undefined): React.CSSProperties {
  if (!at)
    return { left: `max(8px, calc(50vw - ${width / 2}px))`, top: 72, width: `min(${width}px, calc(100vw - 16px))` }
  return {
    left: Math.max(8, Math.min(at.x, window.innerWidth - width - 8)),
    top: Math.max(8, Math.min(at.y, window.innerHeight - height - 8)),
    width: `min(${width}px, calc(100vw - 16px))`,
  }
}
