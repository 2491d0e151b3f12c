import { useQueries, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useMemo, useRef } from 'react'
import { queries } from '~/api/queries'
import type { Flow, FlowNode, FlowSummary, Plugin, Schema, Text } from '~/api/types'
import { referenceOf } from '~/doc/paths'
import { type ScopeName, type Subflows, scopeOf } from '~/doc/scope'
import { useDoc } from '~/doc/store'
import { useText } from '~/i18n/text'

const route = getRouteApi('/p/$project/flows/$flow')

/** The project and the flow that the editor shows. */
export function useEdited(): { project: string; flow: string } {
  return route.useParams()
}

const none: FlowSummary[] = []

/** The flows of the project that another one can contain; they are asked for when one does. */
export function useFlows(wanted: boolean): FlowSummary[] {
  const { project } = useEdited()
  const { data } = useQuery({ ...queries.flows(project, ''), enabled: wanted, staleTime: 10_000 })
  return data?.items ?? none
}

/** What the subflow nodes of the document name, as far as it is there. */
export function useSubflows(): Subflows {
  const { project } = useEdited()
  const nodes = useDoc((s) => s.doc.nodes)
  const own = useDoc((s) => s.doc.subflows)
  const named = useMemo(() => unique(nodes.filter((n) => n.type === 'subflow' && n.flow)), [nodes])
  const flows = useFlows(named.length > 0)
  const wanted = named
    .filter((n) => !own?.[referenceOf(n)])
    .map((n) => ({ node: n, version: n.version || (flows.find((f) => f.id === n.flow)?.version ?? 0) }))
    .filter((w) => w.version > 0)
  const results = useQueries({
    queries: wanted.map((w) => queries.version(project, w.node.flow ?? '', w.version)),
  })
  const found = new Map<string, Flow>(Object.entries(own ?? {}))
  wanted.forEach((w, i) => {
    const document = results[i]?.data?.document
    if (document) found.set(referenceOf(w.node), document)
  })
  // The same flows are the same value: forms below are not made anew for nothing.
  const last = useRef<Subflows>(found)
  if (!same(last.current, found)) last.current = found
  return last.current
}

function same(a: Subflows, b: Subflows): boolean {
  return a.size === b.size && [...a].every(([key, flow]) => b.get(key) === flow)
}

/** What expressions at a node can see. */
export function useScope(plugins: readonly Plugin[], at?: string): ScopeName[] {
  const doc = useDoc((s) => s.doc)
  const subflows = useSubflows()
  return useMemo(() => scopeOf(doc, plugins, at, subflows), [doc, plugins, at, subflows])
}

function unique(nodes: FlowNode[]): FlowNode[] {
  return [...new Map(nodes.map((n) => [referenceOf(n), n])).values()]
}

/** The form of what a flow asks for at its start, as one object. */
export function useInputSchema(flow: Flow | undefined): Schema | undefined {
  const text = useText()
  return useMemo(() => flow && inputSchema(flow, text), [flow, text])
}

function inputSchema(flow: Flow, text: (t: Text | undefined) => string): Schema {
  const inputs = (flow.variables ?? []).filter((v) => v.source === 'input')
  return {
    type: 'object',
    properties: Object.fromEntries(
      inputs.map((v) => [
        v.name,
        {
          ...(v.schema ?? { type: 'string' }),
          title: text(v.title) || v.name,
          ...(v.doc ? { description: text(v.doc) } : {}),
          ...(v.value !== undefined ? { default: v.value } : {}),
        },
      ]),
    ),
    required: inputs.filter((v) => v.required && v.value === undefined).map((v) => v.name),
  } as Schema
}
