import { ActionIcon, Button, Select, Switch, TextInput, Tooltip } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { type KeyboardEvent, memo, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useFormat } from '~/app/format'
import { IconArrowDown, IconArrowUp, IconCheck, IconCopy, IconSearch } from '~/app/icons'
import { type Least, type Line, look, parts } from './log-lines'

/** Of a long log the end is shown; earlier lines come in parts of this size. */
const step = 1000

interface Props {
  lines: readonly Line[]
  label: string
  /** Of the log of a run: how a node is called, and how one gets to it. */
  nameOf?(path: string): string
  onNode?(path: string): void
}

/** A log that grows while it is read: it follows the end while the reader is there, and can be searched. */
export function LogView({ lines, label, nameOf, onNode }: Props) {
  const { t } = useTranslation()
  const [words, setWords] = useState('')
  const [only, setOnly] = useState(false)
  const [least, setLeast] = useState<Least>('debug')
  const [shown, setShown] = useState(step)
  const [at, setAt] = useState(0)
  const found = useMemo(() => look(lines, words, least, only), [lines, words, least, only])
  const first = Math.max(0, found.lines.length - shown)
  const hit = found.hits.length > 0 ? found.hits[Math.min(at, found.hits.length - 1)] : undefined
  const [box, atEnd] = useEnd(found.lines.length)
  useEffect(() => {
    if (hit === undefined) return
    if (hit < first) setShown(found.lines.length - hit + step / 2)
    box.current?.querySelector(`[data-line="${hit}"]`)?.scrollIntoView({ block: 'center' })
  }, [hit, first, found.lines.length, box])
  if (lines.length === 0) return <p className="quiet">{t('node.noLog')}</p>
  const move = (by: number) =>
    setAt((i) => (Math.min(i, found.hits.length - 1) + by + found.hits.length) % found.hits.length)
  const search = (value: string) => {
    setWords(value)
    setAt(0)
  }
  return (
    <div className="rn-logbox">
      <LogTools
        words={words}
        hits={found.hits.length}
        at={Math.min(at, found.hits.length - 1)}
        only={only}
        least={least}
        lines={found.lines}
        onWords={search}
        onMove={move}
        onOnly={setOnly}
        onLeast={setLeast}
      />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      <div ref={box} className="rn-log mono" role="log" tabIndex={0} aria-label={label} onScroll={atEnd}>
        {first > 0 && (
          <Button variant="subtle" size="compact-xs" onClick={() => setShown(shown + step)}>
            <Earlier n={first} />
          </Button>
        )}
        {found.lines.slice(first).map((line, i) => (
          <Row
            // biome-ignore lint/suspicious/noArrayIndexKey: lines are only ever added at the end
            key={first + i}
            line={line}
            place={first + i}
            words={words}
            here={first + i === hit}
            name={line.node !== undefined && nameOf ? nameOf(line.node) : undefined}
            onNode={onNode}
          />
        ))}
      </div>
    </div>
  )
}

function Earlier({ n }: { n: number }) {
  const { t } = useTranslation('console')
  return t('log.earlier', { n })
}

/** Keeps a box at its end while the reader is there. */
function useEnd(length: number) {
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are what moves the view
  useEffect(() => {
    const element = box.current
    if (element && atEnd.current) element.scrollTop = element.scrollHeight
  }, [length])
  const onScroll = () => {
    const el = box.current
    if (el) atEnd.current = el.scrollHeight - el.scrollTop - el.clientHeight < 24
  }
  return [box, onScroll] as const
}

interface ToolsProps {
  words: string
  hits: number
  at: number
  only: boolean
  least: Least
  lines: readonly Line[]
  onWords(words: string): void
  onMove(by: number): void
  onOnly(only: boolean): void
  onLeast(least: Least): void
}

function LogTools({ words, hits, at, only, least, lines, onWords, onMove, onOnly, onLeast }: ToolsProps) {
  const { t } = useTranslation('console')
  const clipboard = useClipboard({ timeout: 1500 })
  const key = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || hits === 0) return
    event.preventDefault()
    onMove(event.shiftKey ? -1 : 1)
  }
  const copy = () =>
    clipboard.copy(
      lines.map((l) => [l.at, l.level, l.node, l.text].filter((x) => x !== undefined).join(' ')).join('\n'),
    )
  return (
    <div className="rn-tools">
      <TextInput
        size="xs"
        className="rn-find"
        aria-label={t('log.find')}
        placeholder={t('log.find')}
        leftSection={<IconSearch size={13} aria-hidden />}
        value={words}
        onChange={(e) => onWords(e.currentTarget.value)}
        onKeyDown={key}
      />
      {words.trim() !== '' && (
        <>
          <span className="num quiet" role="status">
            {hits === 0 ? t('log.nothing') : t('log.hit', { at: at + 1, n: hits })}
          </span>
          <ActionIcon size={26} aria-label={t('log.previous')} disabled={hits === 0} onClick={() => onMove(-1)}>
            <IconArrowUp size={13} aria-hidden />
          </ActionIcon>
          <ActionIcon size={26} aria-label={t('log.next')} disabled={hits === 0} onClick={() => onMove(1)}>
            <IconArrowDown size={13} aria-hidden />
          </ActionIcon>
          <Switch size="xs" label={t('log.only')} checked={only} onChange={(e) => onOnly(e.currentTarget.checked)} />
        </>
      )}
      <Select
        size="xs"
        w={112}
        aria-label={t('log.least')}
        value={least}
        allowDeselect={false}
        data={(['debug', 'info', 'warn', 'error'] as const).map((v) => ({ value: v, label: t(`log.from.${v}`) }))}
        onChange={(v) => onLeast((v ?? 'debug') as Least)}
      />
      <Tooltip label={t('log.copy')}>
        <ActionIcon size={26} variant="default" aria-label={t('log.copy')} onClick={copy}>
          {clipboard.copied ? <IconCheck size={13} aria-hidden /> : <IconCopy size={13} aria-hidden />}
        </ActionIcon>
      </Tooltip>
    </div>
  )
}

interface RowProps {
  line: Line
  place: number
  words: string
  here: boolean
  name: string | undefined
  onNode?(path: string): void
}

const Row = memo(function Row({ line, place, words, here, name, onNode }: RowProps) {
  const { t } = useTranslation('console')
  const format = useFormat()
  const { node } = line
  return (
    <div data-level={line.level} data-line={place} data-here={here || undefined} data-named={name !== undefined}>
      <span className="num">{format.time(line.at)}</span>
      <span className="rn-level">{t(`log.level.${line.level}`)}</span>
      {name !== undefined && node !== undefined && (
        <button type="button" className="rn-logname" title={node} onClick={() => onNode?.(node)}>
          {name}
        </button>
      )}
      <span>
        {parts(line.text, words).map((part, i) =>
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text stay where they are
          i % 2 === 1 ? <mark key={i}>{part}</mark> : part,
        )}
      </span>
    </div>
  )
})
