import {
  Background,
  BackgroundVariant,
  type Connection,
  ConnectionLineType,
  type EdgeChange,
  type IsValidConnection,
  MarkerType,
  type NodeChange,
  type OnConnectEnd,
  Panel,
  ReactFlow,
  ReactFlowProvider,
  type Viewport,
} from '@xyflow/react'
import '@xyflow/react/dist/base.css'
import { ActionIcon, Tooltip } from '@mantine/core'
import { memo, type ReactNode, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Flow, FlowEdge, Position } from '~/api/types'
import { IconArrowsMaximize, IconMinus, IconPlus } from '~/app/icons'
import type { guided } from '~/doc/align'
import { grid } from '~/doc/graph'
import type { Selection } from '~/ui/store'
import './canvas.css'
import { useCanvasInfo } from './context'
import { GuideLines, useDragging, useDropEdge } from './drag'
import { edgeTypes } from './edges'
import { FlowMap } from './lazy-map'
import { StillNotes } from './lazy-notes'
import { nodeTypes, useNodeName } from './nodes'
import { Overview } from './overview'
import {
  type CanvasEdge,
  type CanvasNode,
  firstView,
  isOverview,
  maxZoom,
  minZoom,
  movesOf,
  selectionAfter,
  useCanvasNodes,
  useFirstView,
  useOverview,
  useView,
  type View,
} from './rf'
import { lanesOf } from './route'

interface Props {
  doc: Pick<Flow, 'nodes' | 'edges' | 'notes'>
  selection: Selection
  editable: boolean
  label: string
  onSelect(selection: Selection): void
  /** Nodes came to new places: by the mouse at the end of a drag, perhaps over a line, or by the keyboard. */
  onMove?(moves: ReadonlyMap<string, Position>, by: 'drag' | 'keyboard', edge?: string): void
  onConnect?(from: string, to: string): void
  isAllowed?(from: string, to: string): boolean
  /** A line was let go over a node that may not be connected. */
  onRefused?(from: string, to: string): void
  /** A line from a node was let go where nothing is. */
  onLoose?(from: string, at: Position, screen: Position): void
  onDrop?(data: DataTransfer, at: Position, edge?: string): void
  onView?(view: View): void
  /** The node that the first view shows, where not all can be read. */
  at?: string
  /** What a dragged node falls into line with, where nodes are dragged. */
  guide?: typeof guided
  children?: ReactNode
}

/** A flow of no more nodes than this needs no map. */
const mapAbove = 12

/**
 * The drawing of a flow: the same for the editor and for a run. What is around it is drawn anew with every change of
 * a run; the drawing is not, as long as what it is given stays the same.
 */
export const Canvas = memo(function Canvas(props: Props) {
  const holder = useRef<HTMLDivElement>(null)
  const [start, setStart] = useState<Viewport | null>(null)
  // The first view is known before anything is mounted: a large flow starts in
  // the overview and never builds the nodes it would throw away at once.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only the first view
  useLayoutEffect(() => {
    const box = holder.current?.getBoundingClientRect()
    if (box) setStart(firstView(props.doc, box.width, box.height, props.at))
  }, [])
  return (
    // biome-ignore lint/a11y/useSemanticElements: a drawing is no form group
    <div ref={holder} className="cv" role="group" aria-label={props.label}>
      {start && (
        <ReactFlowProvider>
          <Drawing {...props} start={start} />
        </ReactFlowProvider>
      )}
    </div>
  )
})

const noNodes: CanvasNode[] = []
const noEdges: CanvasEdge[] = []
const marker = { type: MarkerType.ArrowClosed, width: 14, height: 14, color: 'var(--edge)' }
const snapGrid: [number, number] = [grid, grid]

function Drawing({
  doc,
  selection,
  editable,
  guide,
  start,
  at,
  children,
  onView,
  onDrop,
  onSelect,
  onMove,
  onConnect,
  isAllowed,
  onRefused,
  onLoose,
}: Props & { start: Viewport }) {
  const { t } = useTranslation()
  const { mode } = useCanvasInfo()
  const { drawn, setDragged } = useCanvasNodes(doc.nodes, selection.nodes)
  const lanes = useMemo(() => lanesOf(doc.nodes, doc.edges), [doc.nodes, doc.edges])
  const labelOf = useEdgeLabel(doc.nodes)
  const edges = useMemo(
    () =>
      doc.edges.map(
        (edge): CanvasEdge => ({
          ariaLabel: labelOf(edge),
          domAttributes: { 'data-from': edge.from, 'data-to': edge.to } as CanvasEdge['domAttributes'],
          id: edge.id,
          source: edge.from,
          target: edge.to,
          type: 'flow',
          data: { edge, lane: lanes.get(edge.id) },
          selected: selection.edges.has(edge.id),
          markerEnd: marker,
        }),
      ),
    [doc.edges, lanes, labelOf, selection.edges],
  )
  const overview = useOverviewFrom(doc.nodes, start)
  const view = useView(doc, setDragged)
  useFirstView(start, doc, at)
  useEffect(() => onView?.(view), [onView, view])

  const latest = useRef({ selection, drawn })
  latest.current = { selection, drawn }

  const select = useCallback(
    (nodes: NodeChange<CanvasNode>[], edgeChanges: EdgeChange<CanvasEdge>[]) => {
      const next = selectionAfter(latest.current.selection, nodes, edgeChanges)
      if (!next) return
      latest.current.selection = next
      onSelect(next)
    },
    [onSelect],
  )
  const dropEdge = useDropEdge()
  const dragging = useDragging({ nodes: doc.nodes, dropEdge, guide, setDragged, onMove })
  const { drag, active } = dragging
  const onNodesChange = useCallback(
    (changes: NodeChange<CanvasNode>[]) => {
      select(changes, [])
      const moves = movesOf(changes, latest.current.drawn)
      if (moves.transient.size > 0) drag(moves.transient)
      if (moves.nudged.size > 0 && !active.current) onMove?.(moves.nudged, 'keyboard')
    },
    [select, drag, active, onMove],
  )
  // React Flow tells every node and line when one of these is another function than before, so they stay the same.
  const onEdgesChange = useCallback((changes: EdgeChange<CanvasEdge>[]) => select([], changes), [select])
  const selectionMoved = useCallback(
    (event: unknown, moved: CanvasNode[]) => dragging.end(event, moved[0] as CanvasNode, moved),
    [dragging.end],
  )
  const connect = useCallback((c: Connection) => onConnect?.(c.source, c.target), [onConnect])
  const help = useMemo(
    () => ({
      // The library reads this one where nodes can be reached by the keyboard, in spite of its name.
      'node.a11yDescription.keyboardDisabled': editable ? t('canvas.nodeHelp') : t('canvas.nodeHelpRun'),
      'edge.a11yDescription.default': t('canvas.edgeHelp'),
    }),
    [editable, t],
  )
  const valid: IsValidConnection<CanvasEdge> = useCallback((c) => isAllowed?.(c.source, c.target) ?? false, [isAllowed])
  const connectEnd: OnConnectEnd = useCallback(
    (event, state) => {
      if (state.isValid || !state.fromNode) return
      const backwards = state.fromHandle?.type === 'target'
      if (state.toNode) {
        onRefused?.(backwards ? state.toNode.id : state.fromNode.id, backwards ? state.fromNode.id : state.toNode.id)
        return
      }
      const pointer = 'changedTouches' in event ? event.changedTouches[0] : event
      if (backwards || !pointer) return
      const screen = { x: pointer.clientX, y: pointer.clientY }
      onLoose?.(state.fromNode.id, view.toFlow(screen), screen)
    },
    [onRefused, onLoose, view],
  )
  const pick = useCallback(
    (id: string) => {
      onSelect({ nodes: new Set([id]), edges: new Set() })
      view.centre(id)
    },
    [onSelect, view],
  )
  return (
    <ReactFlow<CanvasNode, CanvasEdge>
      nodes={overview ? noNodes : drawn}
      edges={overview ? noEdges : edges}
      nodeTypes={nodeTypes}
      edgeTypes={edgeTypes}
      defaultViewport={start}
      minZoom={minZoom}
      maxZoom={maxZoom}
      onlyRenderVisibleElements
      elevateNodesOnSelect={false}
      nodesDraggable={editable}
      nodesConnectable={editable}
      elementsSelectable
      multiSelectionKeyCode={['Meta', 'Control']}
      deleteKeyCode={null}
      selectionKeyCode={editable ? 'Shift' : null}
      snapToGrid
      snapGrid={snapGrid}
      connectionRadius={28}
      connectionLineType={ConnectionLineType.SmoothStep}
      zoomOnDoubleClick={false}
      onNodesChange={onNodesChange}
      onEdgesChange={onEdgesChange}
      onNodeDragStart={dragging.start}
      onNodeDrag={dragging.over}
      onNodeDragStop={dragging.end}
      onSelectionDragStart={dragging.start}
      onSelectionDragStop={selectionMoved}
      onConnect={connect}
      onConnectEnd={connectEnd}
      isValidConnection={valid}
      onDragOver={(event) => {
        if (!onDrop) return
        event.preventDefault()
        event.dataTransfer.dropEffect = 'copy'
        dropEdge(event)
      }}
      onDragLeave={() => dropEdge(null)}
      onDrop={(event) => {
        event.preventDefault()
        const edge = dropEdge(event)
        dropEdge(null)
        onDrop?.(event.dataTransfer, view.toFlow({ x: event.clientX, y: event.clientY }), edge)
      }}
      ariaLabelConfig={help}
    >
      <Background variant={BackgroundVariant.Dots} gap={grid * 2} size={1.2} color="var(--grid)" />
      {overview && <Overview nodes={doc.nodes} edges={doc.edges} selected={selection.nodes} onPick={pick} />}
      {!overview && doc.nodes.length > mapAbove && <FlowMap nodes={doc.nodes} />}
      {mode === 'run' && doc.notes && <StillNotes notes={doc.notes} />}
      <ZoomPanel view={view} />
      <GuideLines guides={dragging.guides} />
      {children}
    </ReactFlow>
  )
}

/** How edges are named to who does not see them: by the nodes that they connect. */
function useEdgeLabel(nodes: Flow['nodes']): (edge: FlowEdge) => string {
  const { t } = useTranslation()
  const nameOf = useNodeName()
  const naming = useRef(nameOf)
  naming.current = nameOf
  return useMemo(() => {
    const byId = new Map(nodes.map((n) => [n.id, n]))
    const name = (id: string) => {
      const node = byId.get(id)
      return node ? naming.current(node) : id
    }
    return (edge) => t('canvas.edge', { from: name(edge.from), to: name(edge.to) })
  }, [nodes, t])
}

/** Before React Flow knows its size, the first view decides. */
function useOverviewFrom(nodes: Flow['nodes'], start: Viewport): boolean {
  const now = useOverview(nodes)
  const first = useRef(true)
  useEffect(() => {
    first.current = false
  }, [])
  return first.current ? isOverview(nodes, [start.x, start.y, start.zoom], window.innerWidth, window.innerHeight) : now
}

const ZoomPanel = memo(function ZoomPanel({ view }: { view: View }) {
  const { t } = useTranslation()
  return (
    <Panel position="bottom-left" className="cv-zoom">
      <ZoomButton label={t('canvas.zoomIn')} onClick={view.zoomIn} icon={<IconPlus size={15} aria-hidden />} />
      <ZoomButton label={t('canvas.zoomOut')} onClick={view.zoomOut} icon={<IconMinus size={15} aria-hidden />} />
      <ZoomButton label={t('canvas.fit')} onClick={view.fit} icon={<IconArrowsMaximize size={15} aria-hidden />} />
    </Panel>
  )
})

function ZoomButton({ label, icon, onClick }: { label: string; icon: ReactNode; onClick(): void }) {
  return (
    <Tooltip label={label} position="right">
      <ActionIcon aria-label={label} onClick={onClick} size={28}>
        {icon}
      </ActionIcon>
    </Tooltip>
  )
}
