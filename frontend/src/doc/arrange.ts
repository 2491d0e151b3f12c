import type { Flow, Position } from '~/api/types'
import type { Drawing } from './layout'
import LayoutWorker from './layout.worker?worker'

/** Lays a flow out in a worker, so that the page stays quick meanwhile. */
export function arrangeAside(drawing: Drawing): Promise<Map<string, Position>> {
  const worker = new LayoutWorker()
  return new Promise<Map<string, Position>>((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<[string, Position][]>) => resolve(new Map(event.data))
    worker.onerror = (event) => reject(new Error(event.message))
    // Only what the layout needs: inputs may be large.
    const nodes = drawing.nodes.map(({ id, type }) => ({ id, type }))
    worker.postMessage({ nodes, edges: drawing.edges })
  }).finally(() => worker.terminate())
}

/** A document whose every node has a place: drawn ones keep theirs if all have one. */
export async function placed(doc: Flow): Promise<Flow> {
  if (doc.nodes.every((n) => n.position)) return doc
  const positions = await arrangeAside(doc)
  return { ...doc, nodes: doc.nodes.map((n) => ({ ...n, position: positions.get(n.id) ?? { x: 0, y: 0 } })) }
}
