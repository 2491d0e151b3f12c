import { createElement } from 'react'
import { flushSync } from 'react-dom'
import { createRoot } from 'react-dom/client'
import type { FlowNode, Plugin } from '~/api/types'
import { iconOf, type NodeIcon } from '~/canvas/icons'
import { noteColours } from '~/doc/notes'
import inter from '../../node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2?url'
import mono from '../../node_modules/@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2?url'
import type { Colours, Paper, Pen } from './drawing'
import '~/canvas/notes.css'

export type Look = 'light' | 'dark'

/** The tokens of a look, whichever one the page shows. */
function tokensOf<T>(look: Look, read: (token: (name: string) => string) => T): T {
  const probe = document.createElement('div')
  probe.dataset.mantineColorScheme = look
  probe.hidden = true
  document.body.append(probe)
  const style = getComputedStyle(probe)
  const values = read((name) => style.getPropertyValue(name).trim())
  probe.remove()
  return values
}

export function coloursOf(look: Look): Colours {
  return tokensOf(look, (token) => ({
    canvas: token('--bg-canvas'),
    panel: token('--bg-panel'),
    hover: token('--bg-hover'),
    line: token('--line-strong'),
    edge: token('--edge'),
    fg: token('--fg'),
    fg2: token('--fg-2'),
    fg3: token('--fg-3'),
  }))
}

/** The papers that notes have in a look. */
export function papersOf(look: Look): Pen['paperOf'] {
  const papers = tokensOf(look, (token) =>
    noteColours.map((colour): [string, Paper] => {
      const name = `--note-${colour || 'yellow'}`
      return [colour, { paper: token(name), line: token(`${name}-line`), ink: token(`${name}-ink`) }]
    }),
  )
  const byColour = new Map(papers)
  return ({ colour }) => byColour.get(colour ?? '') ?? (papers[0] as [string, Paper])[1]
}

/** The names of the fonts as the page has them. */
export function fonts(): Pick<Pen, 'fontUi' | 'fontMono'> {
  const style = getComputedStyle(document.documentElement)
  const token = (name: string) => style.getPropertyValue(name).trim().replace(/\s+/g, ' ')
  return { fontUi: token('--font-ui'), fontMono: token('--font-mono') }
}

/**
 * The fonts that the product brings along, as rules that hold them whole. Han characters come
 * from whoever looks at the picture: a font with all of them has megabytes.
 */
export async function fontFaces(): Promise<string> {
  const face = async (family: string, url: string, weights: string) => {
    const bytes = await (await fetch(url)).blob()
    return `@font-face{font-family:"${family}";font-weight:${weights};src:url(${await dataUrl(bytes)}) format("woff2")}`
  }
  const faces = await Promise.all([
    face('Inter Variable', inter, '100 900'),
    face('JetBrains Mono Variable', mono, '100 800'),
  ])
  return faces.join('')
}

function dataUrl(bytes: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result).replace(/^data:[^;,]*/, 'data:font/woff2'))
    reader.onerror = () => reject(reader.error)
    reader.readAsDataURL(bytes)
  })
}

/** Measures texts as the browser will draw them. */
export function measurer({ fontUi, fontMono }: Pick<Pen, 'fontUi' | 'fontMono'>): Pen['measure'] {
  const context = document.createElement('canvas').getContext('2d')
  return (text, size, weight, code) => {
    if (!context) return text.length * size * 0.6
    context.font = `${weight} ${size}px ${code ? fontMono : fontUi}`
    return context.measureText(text).width
  }
}

/** The icons of nodes as markup, each made once. */
export function iconMaker(plugins: readonly Plugin[]): Pen['iconOf'] {
  const made = new Map<NodeIcon, ReturnType<Pen['iconOf']>>()
  return (node: FlowNode) => {
    const Icon = iconOf(node, plugins)
    const known = made.get(Icon)
    if (known) return known
    const holder = document.createElement('div')
    const root = createRoot(holder)
    flushSync(() => root.render(createElement(Icon, {})))
    const svg = holder.querySelector('svg')
    const drawn = {
      name: `${made.size}`,
      body: [...(svg?.children ?? [])].map((e) => new XMLSerializer().serializeToString(e)).join(''),
      filled: svg?.getAttribute('fill') !== 'none',
    }
    root.unmount()
    made.set(Icon, drawn)
    return drawn
  }
}
