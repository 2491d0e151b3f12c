import { ActionIcon, Button, Skeleton, Switch } from '@mantine/core'
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useFormat } from '~/app/format'
import { IconArrowsMaximize, IconMinus, IconPlus, IconX } from '~/app/icons'
import { ErrorNotice } from '~/app/notices'
import { useNodeName } from '~/canvas/nodes'
import type { PathNode } from '~/doc/paths'
import { runEnded } from '~/run/fold'
import { nodeIcon } from '~/run/states'
import { useRunStore, useRunSummary } from '~/run/store'
import { useNow } from '~/run/ticker'
import { type Axis, axisOf, placeOf, ticksOf } from './axis'
import { useHistory } from './history'
import type { Span, Track } from './tracks'
import './timeline.css'

const rowHeight = 28
/** Rows that are drawn beyond what is in sight. */
const overscan = 6
const zoomMax = 64
/** The least distance of two marks, in px. */
const tickGap = 88
/** The column of names and the edge of the drawing, in px; the style sheet has the same. */
const nameWidth = 212
const edge = 12

interface Props {
  project: string
  run: string
  nodes: readonly PathNode[]
  chosen: string | undefined
  onChoose(path: string): void
  onClose(): void
}

/** When each node ran, waited and failed, drawn to scale. */
export function Timeline({ project, run, nodes, chosen, onChoose, onClose }: Props) {
  const { t } = useTranslation('timeline')
  const { t: common } = useTranslation()
  const { tracks, loaded, error, retry } = useHistory(project, run)
  const [squeeze, setSqueeze] = useState(true)
  const [zoom, setZoom] = useState(1)
  return (
    <section className="tl" aria-label={t('title')}>
      <header className="tl-head">
        <h2>{t('title')}</h2>
        <span className="grow" />
        <Switch
          size="xs"
          label={t('squeeze')}
          checked={squeeze}
          onChange={(e) => setSqueeze(e.currentTarget.checked)}
        />
        <ActionIcon
          variant="default"
          aria-label={t('zoomOut')}
          disabled={zoom <= 1}
          onClick={() => setZoom(Math.max(1, zoom / 2))}
        >
          <IconMinus size={14} aria-hidden />
        </ActionIcon>
        <ActionIcon
          variant="default"
          aria-label={t('zoomIn')}
          disabled={zoom >= zoomMax}
          onClick={() => setZoom(Math.min(zoomMax, zoom * 2))}
        >
          <IconPlus size={14} aria-hidden />
        </ActionIcon>
        <ActionIcon variant="default" aria-label={t('whole')} disabled={zoom === 1} onClick={() => setZoom(1)}>
          <IconArrowsMaximize size={14} aria-hidden />
        </ActionIcon>
        <ActionIcon variant="subtle" color="gray" aria-label={common('action.close')} onClick={onClose}>
          <IconX size={15} aria-hidden />
        </ActionIcon>
      </header>
      {error !== null && <ErrorNotice error={error} onRetry={retry} />}
      {!loaded && error === null && <Skeleton className="tl-wait" height={120} radius="md" />}
      {loaded && tracks.length === 0 && <p className="quiet tl-none">{t('empty')}</p>}
      {tracks.length > 0 && (
        <Chart tracks={tracks} nodes={nodes} chosen={chosen} squeeze={squeeze} zoom={zoom} onChoose={onChoose} />
      )}
    </section>
  )
}

interface ChartProps {
  tracks: readonly Track[]
  nodes: readonly PathNode[]
  chosen: string | undefined
  squeeze: boolean
  zoom: number
  onChoose(path: string): void
}

function Chart({ tracks, nodes, chosen, squeeze, zoom, onChoose }: ChartProps) {
  const { t } = useTranslation('timeline')
  const { run } = useRunSummary(useRunStore())
  const box = useRef<HTMLElement>(null)
  const sight = useSight(box)
  const now = useNow(!runEnded(run.state))
  const begin = Date.parse(run.created_at)
  const last = useMemo(() => Math.max(...tracks.flatMap((k) => k.spans.map((s) => s.to ?? s.from))), [tracks])
  const end = run.ended_at ? Date.parse(run.ended_at) : Math.max(now, last)
  const axis = useMemo(() => axisOf(tracks, begin, end, squeeze), [tracks, begin, end, squeeze])
  const width = Math.max(160, (sight.width - nameWidth - 2 * edge) * zoom)
  const byPath = useMemo(() => new Map(nodes.map((n) => [n.path, n])), [nodes])
  const at = tracks.findIndex((k) => k.path === chosen)
  useEffect(() => {
    const element = box.current
    if (!element || at < 0) return
    const top = at * rowHeight
    if (top < element.scrollTop || top + 2 * rowHeight > element.scrollTop + element.clientHeight) {
      element.scrollTop = top - element.clientHeight / 2
    }
  }, [at])
  const first = Math.max(0, Math.floor(sight.top / rowHeight) - overscan)
  const shown = tracks.slice(first, first + Math.ceil(sight.height / rowHeight) + 2 * overscan)
  const move = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    const next = by && tracks[Math.min(tracks.length - 1, Math.max(0, (at < 0 ? 0 : at) + by))]
    if (!next) return
    event.preventDefault()
    onChoose(next.path)
  }
  return (
    <section
      className="tl-box"
      ref={box}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
      tabIndex={0}
      aria-label={t('rows', { n: tracks.length })}
      onKeyDown={move}
    >
      <div className="tl-inner" style={{ width: nameWidth + 2 * edge + width }}>
        <Scale axis={axis} begin={begin} width={width} />
        <ul style={{ height: tracks.length * rowHeight }}>
          {shown.map((track, i) => (
            <Row
              key={track.path}
              track={track}
              entry={byPath.get(track.path)}
              axis={axis}
              end={end}
              top={(first + i) * rowHeight}
              place={first + i + 1}
              of={tracks.length}
              chosen={track.path === chosen}
              onChoose={onChoose}
            />
          ))}
        </ul>
      </div>
    </section>
  )
}

/** The marks of time, and what was left out between them. */
function Scale({ axis, begin, width }: { axis: Axis; begin: number; width: number }) {
  const { t } = useTranslation('timeline')
  const format = useFormat()
  const ticks = ticksOf(axis, begin, tickGap / width)
  return (
    <div className="tl-scale num" aria-hidden>
      <div className="tl-lane">
        {ticks.map((tick) => (
          <span key={tick.after} className="tl-tick" style={{ left: `${tick.at * 100}%` }}>
            {tick.after === 0 ? '0' : `+${format.duration(tick.after)}`}
          </span>
        ))}
        {axis.segments
          .filter((s) => s.squeezed)
          .map((s) => (
            <span
              key={s.from}
              className="tl-break"
              title={t('idle', { time: format.duration(s.to - s.from) })}
              style={{ left: `${s.left * 100}%`, width: `${(s.right - s.left) * 100}%` }}
            >
              ⋯
            </span>
          ))}
      </div>
    </div>
  )
}

interface RowProps {
  track: Track
  entry: PathNode | undefined
  axis: Axis
  end: number
  top: number
  place: number
  of: number
  chosen: boolean
  onChoose(path: string): void
}

function Row({ track, entry, axis, end, top, place, of, chosen, onChoose }: RowProps) {
  const { t } = useTranslation('timeline')
  const { t: common } = useTranslation()
  const format = useFormat()
  const nameOf = useNodeName()
  const name = entry ? nameOf(entry.node) : track.path
  const Icon = nodeIcon({ state: track.state })
  const text = (s: Span) =>
    t(track.attempts > 1 ? 'spanOf' : 'span', {
      state: common(`node.state.${s.state}`),
      time: format.duration((s.to ?? end) - s.from),
      n: s.attempt,
    })
  return (
    <li style={{ top }} data-chosen={chosen} aria-posinset={place} aria-setsize={of}>
      <Button
        variant="transparent"
        className="tl-name"
        data-s={track.state}
        aria-current={chosen}
        aria-label={`${name}: ${common(`node.state.${track.state}`)}. ${track.spans.map(text).join('; ')}`}
        style={{ paddingInlineStart: 8 + 12 * (entry?.depth ?? 0) }}
        onClick={() => onChoose(track.path)}
        leftSection={<Icon size={12} stroke={2.6} aria-hidden />}
      >
        {name}
      </Button>
      <div className="tl-lane" aria-hidden>
        {track.spans.map((s, i) => {
          const left = placeOf(axis, s.from)
          return (
            <span
              // biome-ignore lint/suspicious/noArrayIndexKey: spans are only ever added at the end
              key={i}
              className="tl-span"
              data-s={s.state}
              title={text(s)}
              style={{ left: `${left * 100}%`, width: `${(placeOf(axis, s.to ?? end) - left) * 100}%` }}
            />
          )
        })}
      </div>
    </li>
  )
}

/** What part of a box is in sight. */
function useSight(box: { current: HTMLElement | null }): { top: number; width: number; height: number } {
  const [sight, setSight] = useState({ top: 0, width: 800, height: 240 })
  useEffect(() => {
    const element = box.current
    if (!element) return
    const look = () => setSight({ top: element.scrollTop, width: element.clientWidth, height: element.clientHeight })
    const observer = new ResizeObserver(look)
    observer.observe(element)
    element.addEventListener('scroll', look, { passive: true })
    look()
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', look)
    }
  }, [box])
  return sight
}
