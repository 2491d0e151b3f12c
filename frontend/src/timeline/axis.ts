import type { Track } from './tracks'

/** A stretch of time and the share of the drawing it gets. */
export interface Segment {
  from: number
  to: number
  /** Where it is drawn, from 0 to 1. */
  left: number
  right: number
  /** Nothing ran in it, and it is drawn shorter than it was. */
  squeezed: boolean
}

/** Maps times to places; segments follow one another without a gap. */
export interface Axis {
  segments: readonly Segment[]
}

/** States in which something is being done for the node; all others wait for somebody or something. */
const busy: ReadonlySet<string> = new Set(['ready', 'running', 'rolling_back'])

/** A pause is drawn as long as this part of the time in which something ran. */
const pauseShare = 0.06
/** What is shorter is never squeezed, in ms. */
const pauseMin = 20

/** Lays out the time from begin to end; with squeeze, long stretches in which nothing ran are drawn short. */
export function axisOf(tracks: readonly Track[], begin: number, end: number, squeeze: boolean): Axis {
  const until = Math.max(end, begin + 1)
  const active = squeeze ? unionOf(tracks, begin, until) : [{ from: begin, to: until }]
  const stretches: { from: number; to: number; idle: boolean }[] = []
  let at = begin
  for (const { from, to } of active) {
    if (from > at) stretches.push({ from: at, to: from, idle: true })
    stretches.push({ from, to, idle: false })
    at = to
  }
  if (at < until) stretches.push({ from: at, to: until, idle: true })
  const worked = stretches.reduce((sum, s) => (s.idle ? sum : sum + s.to - s.from), 0)
  const most = Math.max(pauseMin, worked * pauseShare)
  const weighed = join(stretches.map((s) => ({ ...s, squeezed: s.idle && s.to - s.from > most }))).map((s) => ({
    ...s,
    weight: s.squeezed ? most : s.to - s.from,
  }))
  const total = weighed.reduce((sum, s) => sum + s.weight, 0)
  let left = 0
  const segments = weighed.map(({ from, to, squeezed, weight }, i) => {
    const right = i === weighed.length - 1 ? 1 : left + weight / total
    const segment = { from, to, left, right, squeezed }
    left = right
    return segment
  })
  return { segments }
}

/** Where a time is drawn, from 0 to 1. */
export function placeOf(axis: Axis, time: number): number {
  const segment = axis.segments.find((s) => time <= s.to) ?? axis.segments.at(-1)
  if (!segment) return 0
  const part = (time - segment.from) / Math.max(1, segment.to - segment.from)
  return segment.left + Math.min(1, Math.max(0, part)) * (segment.right - segment.left)
}

/** The time that is drawn at a place from 0 to 1. */
export function timeOf(axis: Axis, place: number): number {
  const segment = axis.segments.find((s) => place <= s.right) ?? axis.segments.at(-1)
  if (!segment) return 0
  const part = (place - segment.left) / Math.max(Number.EPSILON, segment.right - segment.left)
  return segment.from + Math.min(1, Math.max(0, part)) * (segment.to - segment.from)
}

/** A mark on the axis: so many ms after the begin, at a place from 0 to 1. */
export interface Tick {
  after: number
  at: number
}

/** The part of the gap between two marks that the text of one takes. */
const textShare = 0.7

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const steps = [
  1, 2, 5, 10, 20, 50, 100, 200, 500,
  ...[1, 2, 5, 10, 15, 30].map((n) => n * second),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
  ...[1, 2, 4, 8, 12].map((n) => n * hour),
  ...[1, 2, 7, 14, 30, 90, 365].map((n) => n * day),
] // biome-ignore format: a table

/** Marks at round times, no closer than `gap` of the drawing, with room for their texts; squeezed stretches have none. */
export function ticksOf(axis: Axis, begin: number, gap: number): Tick[] {
  const out: Tick[] = []
  for (const segment of axis.segments) {
    if (segment.squeezed) continue
    const perMs = (segment.right - segment.left) / Math.max(1, segment.to - segment.from)
    const step = steps.find((s) => s * perMs >= gap) ?? steps.at(-1) ?? 1
    for (let after = Math.ceil((segment.from - begin) / step) * step; after <= segment.to - begin; after += step) {
      const at = placeOf(axis, begin + after)
      const room = segment.right - at >= gap * textShare || after === 0
      if (room && at - (out.at(-1)?.at ?? -1) >= gap) out.push({ after, at })
    }
  }
  return out
}

/** The times in which something ran, one after the other. */
function unionOf(tracks: readonly Track[], begin: number, end: number): { from: number; to: number }[] {
  const spans = tracks
    .flatMap((t) => t.spans)
    .filter((s) => busy.has(s.state))
    .map((s) => ({ from: Math.max(begin, s.from), to: Math.min(end, s.to ?? end) }))
    .filter((s) => s.to > s.from)
    .sort((a, b) => a.from - b.from)
  const out: { from: number; to: number }[] = []
  for (const s of spans) {
    const last = out.at(-1)
    if (last && s.from <= last.to) last.to = Math.max(last.to, s.to)
    else out.push({ ...s })
  }
  return out
}

/** Neighbours that are drawn to the same scale are one. */
function join<T extends { from: number; to: number; squeezed: boolean }>(stretches: T[]): T[] {
  const out: T[] = []
  for (const s of stretches) {
    const last = out.at(-1)
    if (last && !last.squeezed && !s.squeezed) last.to = s.to
    else out.push({ ...s })
  }
  return out
}
