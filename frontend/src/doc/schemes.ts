import type { Flow, FlowNode, Scheme, Text } from '~/api/types'
import type { Command } from './commands'
import { freshId } from './graph'

/** The nodes of which a scheme says whether they run, in the order of the document. */
export function optionalNodes(doc: Flow): FlowNode[] {
  return doc.nodes.filter((n) => n.optional)
}

/** Makes a scheme that runs everything, or what another one runs. */
export function addScheme(doc: Flow, name: Text, like?: Scheme): { command: Command; id: string } {
  const schemes = doc.schemes ?? []
  const id = freshId(new Set(schemes.map((s) => s.id)), 'scheme')
  const item: Scheme = { id, name, ...(like?.without ? { without: like.without } : {}) }
  const index = like ? schemes.findIndex((s) => s.id === like.id) + 1 : schemes.length
  return { id, command: { op: 'insert', list: 'schemes', items: [{ index, item }] } }
}

/** Says which of the optional nodes a scheme leaves out; they are kept in the order of the document. */
export function setLeftOut(doc: Flow, scheme: string, out: ReadonlySet<string>): Command {
  const without = optionalNodes(doc)
    .map((n) => n.id)
    .filter((id) => out.has(id))
  return { op: 'set', list: 'schemes', key: scheme, patch: { without: without.length > 0 ? without : undefined } }
}
