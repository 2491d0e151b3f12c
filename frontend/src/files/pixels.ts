import type { Drawing } from './drawing'

/** What browsers make of a canvas: a side, and its area with the memory for it. */
const sideMax = 16_000
const areaMax = 96_000_000

/** Twice as many pixels as the drawing has, for screens that show them; fewer where that is too much. */
export function scaleOf({ width, height }: Pick<Drawing, 'width' | 'height'>): number {
  return Math.min(2, sideMax / width, sideMax / height, Math.sqrt(areaMax / (width * height)))
}

/** Turns a drawing into pixels; null where the browser cannot. */
export async function pngOf({ svg, width, height }: Pick<Drawing, 'svg' | 'width' | 'height'>): Promise<Blob | null> {
  const scale = scaleOf({ width, height })
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }))
  try {
    const image = new Image(width, height)
    image.src = url
    await image.decode()
    const canvas = document.createElement('canvas')
    canvas.width = Math.max(1, Math.floor(width * scale))
    canvas.height = Math.max(1, Math.floor(height * scale))
    const context = canvas.getContext('2d')
    if (!context) return null
    context.drawImage(image, 0, 0, canvas.width, canvas.height)
    return await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'))
  } catch {
    return null
  } finally {
    URL.revokeObjectURL(url)
  }
}
