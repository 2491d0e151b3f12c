import { ActionIcon, Button } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Json } from '~/api/types'
import { IconCheck, IconChevronRight, IconCopy, IconLink } from '~/app/icons'
import { isBranch, join } from './differences'

/** A branch with more entries shows them in parts. */
const step = 100
/** What is no deeper than this, and no wider than the other, is open at first. */
const openDepth = 2
const openWidth = 40
/** A text longer than this is cut where it is shown; copying takes all of it. */
const textMax = 2000

/** A value as a tree, to look into and to copy from. */
export function Tree({ value, label, root }: { value: Json; label: string; root: string }) {
  if (!isBranch(value)) return <Leaf value={value} />
  return (
    <section className="rn-tree mono" aria-label={label}>
      <Entries value={value} path={root} depth={0} />
    </section>
  )
}

function Entries({ value, path, depth }: { value: Json[] | { [key: string]: Json }; path: string; depth: number }) {
  const { t } = useTranslation('console')
  const [shown, setShown] = useState(step)
  const entries = Object.entries(value)
  return (
    <ul>
      {entries.slice(0, shown).map(([key, entry]) => (
        <Entry
          key={key}
          name={key}
          value={entry}
          path={join(path, key, Array.isArray(value))}
          depth={depth}
          crowded={entries.length > openWidth}
        />
      ))}
      {entries.length > shown && (
        <li>
          <Button variant="subtle" size="compact-xs" onClick={() => setShown(shown + step)}>
            {t('tree.more', { n: entries.length - shown })}
          </Button>
        </li>
      )}
    </ul>
  )
}

interface EntryProps {
  name: string
  value: Json
  path: string
  depth: number
  crowded: boolean
}

function Entry({ name, value, path, depth, crowded }: EntryProps) {
  const { t } = useTranslation('console')
  const branch = isBranch(value) ? value : undefined
  const size = branch ? Object.keys(branch).length : 0
  const [open, setOpen] = useState(depth < openDepth && !crowded && size <= openWidth)
  return (
    <li>
      <div className="rn-leaf">
        {branch && size > 0 ? (
          <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
            <IconChevronRight size={12} aria-hidden className={open ? 'rn-turned' : ''} />
            <span className="rn-key">{name}</span>
            <span className="quiet">{t(Array.isArray(branch) ? 'tree.items' : 'tree.fields', { n: size })}</span>
          </button>
        ) : (
          <span className="rn-pair">
            <span className="rn-key">{name}</span>
            <Leaf value={value} />
          </span>
        )}
        <Copies value={value} path={path} />
      </div>
      {branch && open && <Entries value={branch} path={path} depth={depth + 1} />}
    </li>
  )
}

/** A value without entries: nothing, false and zero are as visible as any other. */
export function Leaf({ value }: { value: Json | undefined }) {
  const { t } = useTranslation('console')
  if (value === undefined) return <em className="quiet">{t('tree.missing')}</em>
  const text = typeof value === 'string' ? JSON.stringify(value) : textOf(value)
  return (
    <span className="rn-value" data-type={value === null ? 'null' : typeof value}>
      {text.length > textMax ? `${text.slice(0, textMax)}…` : text}
    </span>
  )
}

function textOf(value: Json): string {
  return isBranch(value) ? JSON.stringify(value) : String(value)
}

/** Copies the value, a text without its quotes, or the path by which an expression finds it. */
function Copies({ value, path }: { value: Json; path: string }) {
  const { t } = useTranslation('console')
  const what = useClipboard({ timeout: 1500 })
  const where = useClipboard({ timeout: 1500 })
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2)
  return (
    <span className="rn-copies">
      <ActionIcon
        size={24}
        aria-label={t('tree.copyValue', { path })}
        title={t('tree.copyValue', { path })}
        onClick={() => what.copy(text)}
      >
        {what.copied ? <IconCheck size={13} aria-hidden /> : <IconCopy size={13} aria-hidden />}
      </ActionIcon>
      <ActionIcon
        size={24}
        aria-label={t('tree.copyPath', { path })}
        title={t('tree.copyPath', { path })}
        onClick={() => where.copy(path)}
      >
        {where.copied ? <IconCheck size={13} aria-hidden /> : <IconLink size={13} aria-hidden />}
      </ActionIcon>
    </span>
  )
}
