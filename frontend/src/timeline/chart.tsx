import { Button } from '@mantine/core'
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useFormat } from '~/app/format'
import { useNodeName } from '~/canvas/nodes'
import type { PathNode } from '~/doc/paths'
import { nodeIcon } from '~/run/states'
import { type Axis, axisOf, placeOf, ticksOf } from './axis'
import type { Span, Track } from './tracks'
import './timeline.css'

const rowHeight = 28
/** Rows that are drawn beyond what is in sight. */
const overscan = 6
/** The least distance of two marks, in px. */
const tickGap = 88
/** The column of names and the edge of the drawing, in px; the style sheet has the same. */
const nameWidth = 212
const edge = 12

interface ChartProps {
  tracks: readonly Track[]
  nodes: readonly PathNode[]
  chosen: string | undefined
  /** The time that is drawn, in ms. */
  begin: number
  end: number
  squeeze: boolean
  zoom: number
  /** A moment that is marked. */
  mark?: number
  onChoose(path: string): void
}

/** The tracks drawn to scale; only the rows in sight are there. */
export function Chart({ tracks, nodes, chosen, begin, end, squeeze, zoom, mark, onChoose }: ChartProps) {
  const { t } = useTranslation('timeline')
  const box = useRef<HTMLElement>(null)
  const sight = useSight(box)
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
        {mark !== undefined && (
          <div className="tl-mark" aria-hidden style={{ left: nameWidth + edge + placeOf(axis, mark) * width }} />
        )}
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
  const word = (after: number) => (after === 0 ? '0' : `+${format.duration(after)}`)
  // Durations are written to the second: of marks that read the same the first one stays.
  const ticks = ticksOf(axis, begin, tickGap / width).filter(
    (tick, i, all) => word(tick.after) !== word(all[i - 1]?.after ?? -1),
  )
  return (
    <div className="tl-scale num" aria-hidden>
      <div className="tl-lane">
        {ticks.map((tick) => (
          <span key={tick.after} className="tl-tick" style={{ left: `${tick.at * 100}%` }}>
            {word(tick.after)}
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
