import { getSmoothStepPath, Position as Side } from '@xyflow/react'
import type { Flow, FlowEdge, FlowNode, StickyNote } from '~/api/types'
import { lanePath, lanesOf } from '~/canvas/route'
import { isGateway, type Rect, rectOf, sizeOf } from '~/doc/graph'
import { noteMarkup } from './note-drawing'
import { pageOf, type Rows, rowsOf } from './rows'

/** The colours of a picture: tokens of one of the two looks. */
export interface Colours {
  canvas: string
  panel: string
  hover: string
  line: string
  edge: string
  fg: string
  fg2: string
  fg3: string
}

/** The colours of a note: the paper, its border and what is written. */
export interface Paper {
  paper: string
  line: string
  ink: string
}

/** What a picture says and how, where that depends on the page around it. */
export interface Pen {
  colours: Colours
  paperOf(note: StickyNote): Paper
  /** Whether the ground of the canvas is painted. */
  ground: boolean
  fontUi: string
  fontMono: string
  /** Rules that bring the fonts along. */
  fontFaces: string
  /** The title of the whole. */
  title: string
  nameOf(node: FlowNode): string
  /** The line below the name of a task. */
  lineOf(node: FlowNode): string
  labelOf(edge: FlowEdge): { text: string; code: boolean }
  /** The inside of an icon of 24 by 24, and the name that tells it from others. */
  iconOf(node: FlowNode): { name: string; body: string; filled: boolean }
  /** How wide a text is, in pixels. */
  measure(text: string, size: number, weight: number, mono: boolean): number
}

export interface Drawing {
  svg: string
  width: number
  height: number
  /** How many rows it is cut into; one where it is whole. */
  rows: number
}

/** The free space around the drawing. */
const margin = 40

const textMax = { name: 148, below: 140, label: 166 }

/** A part of a drawing, and where it is. */
interface Piece {
  markup: string
  left: number
  right: number
}

/** How the pieces of a drawing lie: lines under nodes, labels over both. */
type Layers = Piece[][]

/**
 * Draws a whole flow as a picture that needs nothing outside itself. Every node has a place. What would be too small
 * as pixels is cut into rows, where `inRows` says so.
 */
export function drawingOf(flow: Pick<Flow, 'nodes' | 'edges' | 'notes'>, pen: Pen, inRows = false): Drawing {
  const lanes = lanesOf(flow.nodes, flow.edges)
  const box = extent(flow.nodes, lanes, flow.notes ?? [])
  const icons = new Map<string, string>()
  const layers = layersOf(flow, lanes, pen, icons)
  const rows = inRows ? rowsOf(box) : null
  const { width, height } = rows ? pageOf(rows, box.height) : box
  const { colours: c } = pen
  const [x, y] = rows ? [0, 0] : [box.x, box.y]
  const ground = pen.ground ? `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${c.canvas}"/>` : ''
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${x} ${y} ${width} ${height}" role="img">`,
    `<title>${escaped(pen.title)}</title>`,
    `<style>${pen.fontFaces}text{font-family:${escaped(pen.fontUi)};font-size:11.5px;fill:${c.fg2}}.n{font-size:13px;font-weight:600;fill:${c.fg}}.s{fill:${c.fg3}}.l{font-size:11px}.m{font-family:${escaped(pen.fontMono)}}.e{fill:none;stroke:${c.edge};stroke-width:1.5}.i{fill:none;stroke:${c.fg2};stroke-linecap:round;stroke-linejoin:round}.f{fill:${c.fg2}}.b{fill:${c.panel};stroke:${c.line}}.r{stroke:${c.line};stroke-dasharray:6 6}</style>`,
    `<defs><marker id="to" markerWidth="10" markerHeight="10" refX="8" refY="4" orient="auto" markerUnits="userSpaceOnUse"><path d="M0 0 8 4 0 8z" fill="${c.edge}"/></marker>${[...icons.values()].join('')}</defs>`,
    ground,
    rows ? rowsMarkup(layers, box, rows) : layers.map((pieces) => `<g>${joined(pieces)}</g>`).join('\n'),
    '</svg>',
  ].join('\n')
  return { svg, width, height, rows: rows?.count ?? 1 }
}

/** Each row is a window on the whole: it holds what can be seen through it. */
function rowsMarkup(layers: Layers, box: Rect, { count, width, step, gap }: Rows): string {
  return Array.from({ length: count }, (_, i) => {
    const left = box.x + i * step
    const top = i * (box.height + gap)
    const seen = layers.map((pieces) => joined(pieces.filter((p) => p.right > left && p.left < left + width)))
    const cut = i > 0 ? `<path class="r" d="M0 ${top - gap / 2}H${width}"/>` : ''
    return `${cut}<svg y="${top}" width="${width}" height="${box.height}" viewBox="${left} ${box.y} ${width} ${box.height}">${seen.map((markup) => `<g>${markup}</g>`).join('')}</svg>`
  }).join('\n')
}

function joined(pieces: readonly Piece[]): string {
  return pieces.map((p) => p.markup).join('\n')
}

function layersOf(
  flow: Pick<Flow, 'nodes' | 'edges' | 'notes'>,
  lanes: ReadonlyMap<string, number>,
  pen: Pen,
  icons: Map<string, string>,
): Layers {
  const nodes = flow.nodes.map((n): Piece => {
    const { x, width } = rectOf(n)
    return { markup: nodeMarkup(n, pen, icons), left: x - textMax.below / 2, right: x + width + textMax.below / 2 }
  })
  const byId = new Map(flow.nodes.map((n) => [n.id, n]))
  const lines: Piece[] = []
  const labels: Piece[] = []
  for (const edge of flow.edges) {
    const [from, to] = [byId.get(edge.from), byId.get(edge.to)]
    if (!from || !to) continue
    const drawn = edgeMarkup(edge, [from, to], lanes.get(edge.id), pen)
    const ends = [rectOf(from), rectOf(to)]
    const span = {
      left: Math.min(...ends.map((r) => r.x)) - textMax.label,
      right: Math.max(...ends.map((r) => r.x + r.width)) + textMax.label,
    }
    lines.push({ markup: drawn.line, ...span })
    if (drawn.label) labels.push({ markup: drawn.label, ...span })
  }
  const notes = (flow.notes ?? []).map((n) => ({ markup: noteMarkup(n, pen), left: n.x, right: n.x + n.w }))
  return [notes, lines, nodes, labels]
}

export function escaped(text: string): string {
  return (
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML cannot hold these, however they are written
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '�')
  )
}

/** Everything that is drawn: notes, nodes, the names below some of them, and lanes of edges. */
function extent(nodes: readonly FlowNode[], lanes: ReadonlyMap<string, number>, notes: readonly StickyNote[]): Rect {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const node of nodes) {
    const { x, y, width, height } = rectOf(node)
    const aside = isTask(node) ? 0 : Math.max(0, (textMax.below - width) / 2)
    left = Math.min(left, x - aside)
    top = Math.min(top, y)
    right = Math.max(right, x + width + aside)
    bottom = Math.max(bottom, y + height + (isTask(node) ? 0 : 22))
  }
  for (const { x, y, w, h } of notes) {
    left = Math.min(left, x)
    top = Math.min(top, y)
    right = Math.max(right, x + w)
    bottom = Math.max(bottom, y + h)
  }
  for (const lane of lanes.values()) {
    top = Math.min(top, lane - 12)
    bottom = Math.max(bottom, lane + 12)
  }
  if (left === Infinity) return { x: 0, y: 0, width: 2 * margin, height: 2 * margin }
  const whole = (n: number) => Math.ceil(n)
  return {
    x: Math.floor(left) - margin,
    y: Math.floor(top) - margin,
    width: whole(right - left) + 2 * margin,
    height: whole(bottom - top) + 2 * margin,
  }
}

function isTask(node: FlowNode): boolean {
  return node.type === 'task' || node.type === 'subflow'
}

function nodeMarkup(node: FlowNode, pen: Pen, icons: Map<string, string>): string {
  const { x, y } = rectOf(node)
  const body = isTask(node) ? taskBody(node, pen, icons) : shapeBody(node, pen, icons)
  return `<g transform="translate(${x} ${y})">${body}</g>`
}

function taskBody(node: FlowNode, pen: Pen, icons: Map<string, string>): string {
  const inner =
    node.type === 'subflow' ? `<rect class="b" x="2.5" y="2.5" width="211" height="59" rx="8" style="fill:none"/>` : ''
  const sub = fitted(pen.lineOf(node), textMax.name, pen, 11.5, 400)
  return (
    `<rect class="b" x=".5" y=".5" width="215" height="63" rx="10"/>${inner}` +
    `<rect x="13" y="15" width="34" height="34" rx="8" fill="${pen.colours.hover}"/>${icon(node, 21, 23, 18, 1.7, pen, icons)}` +
    `<text class="n" x="57" y="29">${escaped(fitted(pen.nameOf(node), textMax.name, pen, 13, 600))}</text>` +
    `<text class="s" x="57" y="46">${escaped(sub)}</text>`
  )
}

function shapeBody(node: FlowNode, pen: Pen, icons: Map<string, string>): string {
  const { width, height } = sizeOf(node)
  const gate = isGateway(node.type)
  const shape = gate
    ? '<path class="b" d="M26 2 50 26 26 50 2 26z" stroke-width="1.4" stroke-linejoin="round"/>'
    : `<circle class="b" cx="22" cy="22" r="${node.type === 'end' ? 20.5 : 21.25}" stroke-width="${node.type === 'end' ? 3 : 1.5}"/>`
  const size = gate ? 19 : 16
  const name = fitted(pen.nameOf(node), textMax.below, pen, 11.5, 400)
  return (
    shape +
    icon(node, (width - size) / 2, (height - size) / 2, size, gate ? 2.2 : 2, pen, icons) +
    `<text x="${width / 2}" y="${height + 15}" text-anchor="middle">${escaped(name)}</text>`
  )
}

/** Each icon is in the file once, however many nodes have it. */
function icon(
  node: FlowNode,
  x: number,
  y: number,
  size: number,
  stroke: number,
  pen: Pen,
  icons: Map<string, string>,
): string {
  const { name, body, filled } = pen.iconOf(node)
  if (!icons.has(name)) icons.set(name, `<symbol id="i-${escaped(name)}" viewBox="0 0 24 24">${body}</symbol>`)
  const look = filled ? 'class="f"' : `class="i" stroke-width="${stroke}"`
  return `<use href="#i-${escaped(name)}" x="${x}" y="${y}" width="${size}" height="${size}" ${look}/>`
}

function edgeMarkup(edge: FlowEdge, [from, to]: [FlowNode, FlowNode], lane: number | undefined, pen: Pen) {
  const [a, b] = [rectOf(from), rectOf(to)]
  const ends = {
    sourceX: a.x + a.width,
    sourceY: a.y + a.height / 2,
    targetX: b.x,
    targetY: b.y + b.height / 2,
  }
  const [path, x, y] =
    lane === undefined
      ? getSmoothStepPath({
          ...ends,
          sourcePosition: Side.Right,
          targetPosition: Side.Left,
          borderRadius: 8,
          offset: 18,
        })
      : lanePath(ends, lane)
  const line = `<path class="e" d="${path}" marker-end="url(#to)"/>`
  const { text, code } = pen.labelOf(edge)
  if (text === '') return { line, label: '' }
  const shown = fitted(text, textMax.label, pen, 11, 400, code)
  const width = Math.ceil(pen.measure(shown, 11, 400, code)) + 14
  const label =
    `<rect class="b" x="${x - width / 2}" y="${y - 9.5}" width="${width}" height="19" rx="9.5"/>` +
    `<text class="l${code ? ' m' : ''}" x="${x}" y="${y + 4}" text-anchor="middle">${escaped(shown)}</text>`
  return { line, label }
}

/** As much of a text as fits, with an ellipsis for the rest. */
export function fitted(
  text: string,
  width: number,
  pen: Pick<Pen, 'measure'>,
  size: number,
  weight: number,
  mono = false,
): string {
  const line = text.replace(/\s+/g, ' ').trim()
  if (pen.measure(line, size, weight, mono) <= width) return line
  const letters = [...line]
  let [low, high] = [0, letters.length]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (pen.measure(`${letters.slice(0, middle).join('')}…`, size, weight, mono) <= width) low = middle
    else high = middle - 1
  }
  return `${letters.slice(0, low).join('')}…`
}
