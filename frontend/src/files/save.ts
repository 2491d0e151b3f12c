import type { Flow } from '~/api/types'
import { toYaml } from './yaml'

export type Notation = 'yaml' | 'json'

/** The whole document as a file of that notation. */
export function written(flow: Flow, notation: Notation): string {
  return notation === 'yaml' ? toYaml(flow) : `${JSON.stringify(flow, null, 2)}\n`
}

/** A name for a file with what belongs to a flow: its id, or what of its name a file system takes. */
export function fileName(flow: Flow, name: string, ending: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no file system takes these
  const clean = name.replace(/[\u0000-\u001f<>:"/\\|?*]+/g, ' ').trim()
  return `${flow.id || clean || 'flow'}.${ending}`
}

/** Hands something to the browser to keep. */
export function download(content: Blob, name: string): void {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The download has its own hold on the content once it was clicked.
  URL.revokeObjectURL(url)
}
