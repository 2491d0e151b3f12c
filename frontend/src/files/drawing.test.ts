import { describe, expect, it } from 'vitest'
import type { Flow, FlowNode } from '~/api/types'
import { drawingOf, fitted, type Pen } from './drawing'
import { wrapped } from './note-drawing'

const colours = { canvas: '#c', panel: '#p', hover: '#h', line: '#l', edge: '#e', fg: '#1', fg2: '#2', fg3: '#3' }
const pen: Pen = {
  colours,
  paperOf: (n) => ({ paper: `#${n.colour ?? 'yellow'}`, line: '#l', ink: '#i' }),
  ground: true,
  fontUi: '"Inter Variable", sans-serif',
  fontMono: 'monospace',
  fontFaces: '',
  title: 'A < B & "C"',
  nameOf: (n) => String(n.name ?? n.id),
  lineOf: (n) => n.plugin ?? '',
  labelOf: (e) => ({ text: e.condition ?? '', code: true }),
  iconOf: (n) => ({ name: n.type, body: '<path d="M0 0"/>', filled: false }),
  measure: (text, size) => text.length * size * 0.6,
}
const flow: Pick<Flow, 'nodes' | 'edges'> = {
  nodes: [
    { id: 'start', type: 'start', position: { x: -100, y: 10 } },
    { id: 'a', type: 'task', name: '<script>alert(1)</script>', plugin: 'core', position: { x: 0, y: 0 } },
    { id: 'way', type: 'exclusive', position: { x: 300, y: 6 } },
    { id: 'end', type: 'end', position: { x: 600, y: 200 } },
  ],
  edges: [
    { id: 'e1', from: 'start', to: 'a' },
    { id: 'e2', from: 'a', to: 'way' },
    { id: 'e3', from: 'way', to: 'end', condition: 'a < "b" && c' },
    { id: 'e4', from: 'way', to: 'nowhere' },
  ],
}

describe('the picture of a flow', () => {
  it('is one document with every node and edge in it, and nothing that could run', () => {
    const { svg } = drawingOf(flow, pen)
    expect(svg.match(/transform="translate/g)).toHaveLength(4)
    expect(svg.match(/class="e"/g)).toHaveLength(3)
    expect(svg).toContain('&lt;script&gt;')
    expect(svg).not.toContain('<script')
    expect(svg).toContain('<title>A &lt; B &amp; &quot;C&quot;</title>')
    expect(svg).toContain('a &lt; &quot;b&quot; &amp;&amp; c')
    expect(svg).not.toMatch(/https?:(?!\/\/www\.w3\.org\/2000\/svg)/)
  })

  it('is cut into rows where pixels cannot show it whole: each node is in one of them, and whole', () => {
    const ids = Array.from({ length: 300 }, (_, i) => `n${i}`)
    const long = {
      nodes: ids.map((id, i): FlowNode => ({ id, type: 'task', position: { x: i * 280, y: 0 } })),
      edges: ids.slice(1).map((id, i) => ({ id: `e${i}`, from: `n${i}`, to: id })),
    }
    expect(drawingOf(long, pen).rows).toBe(1)
    const { svg, rows, width } = drawingOf(long, pen, true)
    const windows = svg.split('<svg ').slice(2)
    expect(windows).toHaveLength(rows)
    expect(rows).toBeGreaterThan(2)
    const whole = new Set<string>()
    for (const row of windows) {
      const [left = 0] = (/viewBox="([^"]*)"/.exec(row)?.[1] ?? '').split(' ').map(Number)
      for (const [, x = '', name = ''] of row.matchAll(/translate\((\S+) 0\)">.*?class="n"[^>]*>(n\d+)</g))
        if (Number(x) >= left && Number(x) + 216 <= left + width) whole.add(name)
    }
    expect(whole.size).toBe(300)
    // No row holds much more than is seen in it.
    expect(svg.match(/class="n"/g)?.length).toBeLessThan(300 + 6 * rows)
  })

  it('reaches around everything, also where a drawing lies left of its origin', () => {
    const { svg, width, height } = drawingOf(flow, pen)
    const [x, y, w, h] = (/viewBox="([^"]*)"/.exec(svg)?.[1] ?? '').split(' ').map(Number)
    expect([w, h]).toEqual([width, height])
    expect(x).toBeLessThan(-140)
    expect(y).toBeLessThanOrEqual(-40)
    expect((x ?? 0) + width).toBeGreaterThan(640)
    expect((y ?? 0) + height).toBeGreaterThan(260)
  })

  it('leaves the ground away when asked', () => {
    expect(drawingOf(flow, pen).svg).toContain('fill="#c"')
    expect(drawingOf(flow, { ...pen, ground: false }).svg).not.toContain('fill="#c"')
  })

  it('has each icon once, and draws 2,000 nodes at once', () => {
    const nodes = Array.from(
      { length: 2000 },
      (_, i): FlowNode => ({ id: `n${i}`, type: 'task', position: { x: (i % 50) * 272, y: Math.floor(i / 50) * 108 } }),
    )
    const edges = nodes.slice(1).map((n, i) => ({ id: `e${i}`, from: `n${i}`, to: n.id }))
    const { svg, width } = drawingOf({ nodes, edges }, pen)
    expect(svg.match(/<symbol/g)).toHaveLength(1)
    expect(svg.match(/class="n"/g)).toHaveLength(2000)
    expect(width).toBe(49 * 272 + 216 + 80)
  })

  it('has the notes below the nodes, and reaches around them', () => {
    const notes = [{ id: 'n', text: 'ask <first>', x: -400, y: -300, w: 208, h: 96, colour: 'blue' as const }]
    const { svg } = drawingOf({ ...flow, notes }, pen)
    expect(svg).toContain('viewBox="-440 -340 ')
    expect(svg).toContain('fill="#blue"')
    expect(svg.indexOf('ask &lt;first&gt;')).toBeLessThan(svg.indexOf('class="e"'))
  })

  it('is a small empty sheet for a flow without nodes', () => {
    expect(drawingOf({ nodes: [], edges: [] }, pen)).toMatchObject({ width: 80, height: 80 })
  })
})

describe('a text that is too long', () => {
  it('is cut between characters, with an ellipsis', () => {
    expect(fitted('short', 100, pen, 10, 400)).toBe('short')
    expect(fitted('a long text that goes on', 60, pen, 10, 400)).toBe('a long te…')
    expect(fitted('😀😀😀😀', 30, pen, 10, 400)).toBe('😀😀…')
    expect(fitted(' two\nlines ', 100, pen, 10, 400)).toBe('two lines')
  })
})

describe('the text of a note', () => {
  it('is broken between words and characters, and ends with an ellipsis where the paper ends', () => {
    expect(wrapped('one two three', 60, 9, pen)).toEqual(['one two', 'three'])
    expect(wrapped('夜里先问值班', 24, 9, pen)).toEqual(['夜里先', '问值班'])
    expect(wrapped('abcdefghij', 40, 9, pen)).toEqual(['abcde', 'fghij'])
    expect(wrapped('a\n\nb', 60, 9, pen)).toEqual(['a', '', 'b'])
    expect(wrapped('one two three four', 60, 1, pen)).toEqual(['one tw…'])
    expect(wrapped('', 60, 3, pen)).toEqual([''])
  })
})
