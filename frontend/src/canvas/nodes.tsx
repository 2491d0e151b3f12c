import { Handle, type NodeProps, NodeToolbar, Position } from '@xyflow/react'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import type { FlowNode, NodeView } from '~/api/types'
import { useFormat } from '~/app/format'
import { IconAlertTriangle, IconPlayerPause, IconPlayerSkipForward, IconRefresh, IconUserCheck } from '~/app/icons'
import { findAction } from '~/doc/scope'
import { useText } from '~/i18n/text'
import { isSpinning, nodeIcon } from '~/run/states'
import { useNodeRun } from '~/run/store'
import { useNow } from '~/run/ticker'
import { type CanvasInfo, useCanvasInfo } from './context'
import { iconOf } from './icons'
import { NodeTools } from './node-tools'
import type { CanvasNode } from './rf'

type Props = NodeProps<CanvasNode>

function Handles({ node, connectable }: { node: FlowNode; connectable: boolean }) {
  return (
    <>
      {node.type !== 'start' && <Handle type="target" position={Position.Left} isConnectable={connectable} />}
      {node.type !== 'end' && <Handle type="source" position={Position.Right} isConnectable={connectable} />}
    </>
  )
}

/** How a node is named to a person: its own name, or what it does. */
export function useNodeName(): (node: FlowNode) => string {
  const text = useText()
  const { t } = useTranslation()
  const { plugins } = useCanvasInfo()
  return (node) =>
    text(node.name) ||
    text(findAction(plugins, node.plugin, node.action)?.title) ||
    node.flow ||
    t(`node.type.${node.type}`)
}

function useLabel(node: FlowNode, view: NodeView | undefined): string {
  const { t } = useTranslation()
  const name = useNodeName()(node)
  return view ? t('node.labelRun', { name, state: t(`node.state.${view.state}`) }) : name
}

function StateDisc({ view }: { view: NodeView }) {
  const Icon = nodeIcon(view)
  return (
    <span className="nd-disc" aria-hidden="true">
      <Icon size={12} stroke={3} className={isSpinning(view.state) ? 'spin' : ''} />
    </span>
  )
}

/** An operator asked to stop before this node. */
function HeldMark({ view }: { view: NodeView | undefined }) {
  const { t } = useTranslation()
  if (!view?.held) return null
  return (
    <span className="nd-held" role="img" aria-label={t('node.held')} title={t('node.held')}>
      <IconPlayerPause size={12} stroke={2.4} aria-hidden />
    </span>
  )
}

function Mark({ level }: { level: 'error' | 'warning' | undefined }) {
  const { t } = useTranslation()
  if (!level) return null
  return (
    <span className="nd-mark" data-level={level} role="img" aria-label={t(`problems.${level}`)}>
      <IconAlertTriangle size={12} stroke={2.4} aria-hidden />
    </span>
  )
}

const TaskNode = memo(function TaskNode({ id, data, selected }: Props) {
  const { node } = data
  const info = useCanvasInfo()
  const view = useNodeRun(id)
  const name = useNodeName()(node)
  const Icon = iconOf(node, info.plugins)
  return (
    // biome-ignore lint/a11y/useSemanticElements: a node holds buttons, so it cannot be one
    <div
      className="nd-task"
      role="group"
      data-testid={`node-${id}`}
      data-s={view && view.state !== 'idle' ? view.state : undefined}
      data-kind={node.type}
      data-selected={selected}
      aria-label={useLabel(node, view)}
    >
      <span className="nd-icon">
        <Icon size={18} stroke={1.7} aria-hidden />
      </span>
      <span className="nd-text">
        <span className="nd-name">{name}</span>
        <span className="nd-sub">{view ? <RunLine view={view} /> : <EditLine node={node} info={info} />}</span>
      </span>
      {view && view.state !== 'idle' && <StateDisc view={view} />}
      <Mark level={info.problems.get(id)} />
      <HeldMark view={view} />
      {view && info.onNodeAction && (
        <NodeActions id={id} node={node} name={name} view={view} onAction={info.onNodeAction} />
      )}
      {selected && <NodeTools node={node} />}
      {info.perspective && <Touched id={id} info={info} />}
      {info.Over && <info.Over id={id} />}
      <Handles node={node} connectable={info.mode === 'edit'} />
    </div>
  )
})

function EditLine({ node, info }: { node: FlowNode; info: CanvasInfo }) {
  const { t } = useTranslation()
  const text = useText()
  const action = findAction(info.plugins, node.plugin, node.action)
  if (node.type === 'subflow')
    return (
      <>
        {t('node.type.subflow')}
        {node.flow && (
          <>
            {' '}
            · <span className="num">{node.version ? `${node.flow} v${node.version}` : node.flow}</span>
          </>
        )}
      </>
    )
  if (!action)
    return (
      <>{node.plugin ? t('node.unknownAction', { action: `${node.plugin}.${node.action}` }) : t('node.type.task')}</>
    )
  return (
    <>
      {text(action.title)} · <span className="num">{node.plugin}</span>
    </>
  )
}

function RunLine({ view }: { view: NodeView }) {
  const { t } = useTranslation()
  const format = useFormat()
  const active = view.started_at !== undefined && view.ended_at === undefined
  const now = useNow(active)
  const took = view.started_at
    ? (view.ended_at ? Date.parse(view.ended_at) : now) - Date.parse(view.started_at)
    : undefined
  const wait = view.state === 'waiting' && view.wait ? t(`wait.short.${view.wait.kind}`) : t(`node.state.${view.state}`)
  if (view.state === 'failed' && view.due) return <RetryLine due={view.due} />
  return (
    <span className="num">
      {wait}
      {took !== undefined && ` ${format.duration(active ? Math.floor(took / 1000) * 1000 : took)}`}
      {view.progress && view.ended_at === undefined && ` · ${view.progress.percent}%`}
      {view.repeat !== undefined && ` · ${t('node.repeatN', { n: view.repeat })}`}
      {view.attempt > 1 && ` · ${t('node.attempt', { n: view.attempt })}`}
    </span>
  )
}

/** How long it is until a failed node is tried again by itself. */
function RetryLine({ due }: { due: string }) {
  const { t } = useTranslation()
  const format = useFormat()
  const left = Math.max(0, Math.ceil((Date.parse(due) - useNow(true)) / 1000)) * 1000
  return <span className="num">{t('node.retryIn', { time: format.duration(left) })}</span>
}

/** The variables that a node reads and writes. */
function Touched({ id, info }: { id: string; info: CanvasInfo }) {
  const { t } = useTranslation('editor')
  const own = info.perspective?.get(id)
  if (!own) return null
  const only = info.variable
  const list = (names: readonly string[]) => names.filter((n) => !only || n === only)
  const [reads, writes] = [list(own.reads), list(own.writes)]
  if (reads.length + writes.length === 0) return null
  return (
    <span className="nd-touched" data-only={!!only}>
      {reads.length > 0 && <span title={t('perspective.reads')}>{`← ${reads.join(', ')}`}</span>}
      {writes.length > 0 && <b title={t('perspective.writes')}>{`→ ${writes.join(', ')}`}</b>}
    </span>
  )
}

type ActionProps = {
  id: string
  node: FlowNode
  name: string
  view: NodeView
  /** What hangs below the node, and is left free. */
  below?: number
  onAction: NonNullable<CanvasInfo['onNodeAction']>
}

/** What an operator is most likely to do next. The buttons keep their size at every zoom. */
function NodeActions({ id, node, name, view, below = 6, onAction }: ActionProps) {
  const { t } = useTranslation()
  const asks = view.state === 'waiting' && view.wait?.kind === 'human'
  if (view.state !== 'failed' && !asks) return null
  return (
    <NodeToolbar isVisible position={Position.Bottom} align="start" offset={below} className="nd-actions">
      {asks ? (
        <button type="button" aria-label={t('node.confirmNamed', { name })} onClick={() => onAction(id, 'confirm')}>
          <IconUserCheck size={13} aria-hidden />
          {t('action.answer')}
        </button>
      ) : (
        <>
          {!node.no_retry && (
            <button type="button" aria-label={t('node.retryNamed', { name })} onClick={() => onAction(id, 'retry')}>
              <IconRefresh size={13} aria-hidden />
              {t('action.retry')}
            </button>
          )}
          {!node.no_skip && (
            <button type="button" aria-label={t('node.skipNamed', { name })} onClick={() => onAction(id, 'skip')}>
              <IconPlayerSkipForward size={13} aria-hidden />
              {t('action.skip')}
            </button>
          )}
        </>
      )}
    </NodeToolbar>
  )
}

const GatewayNode = memo(function GatewayNode({ id, data, selected }: Props) {
  const { node } = data
  const info = useCanvasInfo()
  const view = useNodeRun(id)
  const name = useNodeName()(node)
  const Icon = iconOf(node, info.plugins)
  return (
    // biome-ignore lint/a11y/useSemanticElements: a node is no form group
    <div
      className="nd-gate"
      role="group"
      data-testid={`node-${id}`}
      data-s={view && view.state !== 'idle' ? view.state : undefined}
      data-selected={selected}
      aria-label={useLabel(node, view)}
    >
      <svg viewBox="0 0 52 52" aria-hidden="true">
        <path d="M26 2 50 26 26 50 2 26z" />
      </svg>
      <Icon size={19} stroke={2.2} aria-hidden />
      <span className="nd-below">{name}</span>
      {view?.state === 'failed' && <StateDisc view={view} />}
      <Mark level={info.problems.get(id)} />
      <HeldMark view={view} />
      {view && info.onNodeAction && (
        <NodeActions id={id} node={node} name={name} view={view} below={26} onAction={info.onNodeAction} />
      )}
      {selected && <NodeTools node={node} />}
      {info.perspective && <Touched id={id} info={info} />}
      {info.Over && <info.Over id={id} />}
      <Handles node={node} connectable={info.mode === 'edit'} />
    </div>
  )
})

const EventNode = memo(function EventNode({ id, data, selected }: Props) {
  const { node } = data
  const info = useCanvasInfo()
  const view = useNodeRun(id)
  const Icon = iconOf(node, info.plugins)
  return (
    // biome-ignore lint/a11y/useSemanticElements: a node is no form group
    <div
      className="nd-event"
      role="group"
      data-testid={`node-${id}`}
      data-s={view && view.state !== 'idle' ? view.state : undefined}
      data-kind={node.type}
      data-selected={selected}
      aria-label={useLabel(node, view)}
    >
      <Icon size={16} stroke={2} aria-hidden />
      <span className="nd-below">{useNodeName()(node)}</span>
      <Mark level={info.problems.get(id)} />
      <HeldMark view={view} />
      {selected && <NodeTools node={node} />}
      {info.perspective && <Touched id={id} info={info} />}
      {info.Over && <info.Over id={id} />}
      <Handles node={node} connectable={info.mode === 'edit'} />
    </div>
  )
})

export const nodeTypes = { task: TaskNode, gateway: GatewayNode, event: EventNode }
