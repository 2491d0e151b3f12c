import { Handle, type NodeProps, NodeToolbar, Position } from '@xyflow/react'
import type { TFunction } from 'i18next'
import { memo, useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import type { FlowNode, NodeView, Plugin } from '~/api/types'
import { formatIn, useFormat } from '~/app/format'
import { IconAlertTriangle, IconPlayerPause, IconPlayerSkipForward, IconRefresh, IconUserCheck } from '~/app/icons'
import { findAction } from '~/doc/scope'
import { type Lang, langOf, textIn, useText } from '~/i18n/text'
import { StateGlyph, stateWord } from '~/run/glyph'
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
  const { t, i18n } = useTranslation()
  const { plugins } = useCanvasInfo()
  const lang = langOf(i18n)
  return useCallback((node) => nameIn(lang, t, node, plugins), [t, lang, plugins])
}

/** The name of a node in a language: its own, else that of what it does. */
export function nameIn(lang: Lang, t: TFunction, node: FlowNode, plugins: readonly Plugin[]): string {
  return (
    textIn(node.name, lang) ||
    textIn(findAction(plugins, node.plugin, node.action)?.title, lang) ||
    node.flow ||
    t(`node.type.${node.type}`)
  )
}

/** What is shown of a node and changes with its run: looked up once for all parts of it, the translation too. */
function useLook(id: string, node: FlowNode) {
  const { t, i18n } = useTranslation()
  const lang = langOf(i18n)
  const info = useCanvasInfo()
  const view = useNodeRun(id)
  const name = nameIn(lang, t, node, info.plugins)
  const label = view ? t('node.labelRun', { name, state: stateWord(t, lang, view.state) }) : name
  return { t, lang, info, view, name, label, level: info.problems.get(id) }
}

function StateDisc({ view }: { view: NodeView }) {
  return (
    <span className="nd-disc" aria-hidden="true">
      <StateGlyph view={view} stroke={3} />
    </span>
  )
}

/** An operator asked to stop before this node. */
function HeldMark({ t }: { t: TFunction }) {
  return (
    <span className="nd-held" role="img" aria-label={t('node.held')} title={t('node.held')}>
      <IconPlayerPause size={12} stroke={2.4} aria-hidden />
    </span>
  )
}

function Mark({ level, t }: { level: 'error' | 'warning'; t: TFunction }) {
  return (
    <span className="nd-mark" data-level={level} role="img" aria-label={t(`problems.${level}`)}>
      <IconAlertTriangle size={12} stroke={2.4} aria-hidden />
    </span>
  )
}

const TaskNode = memo(function TaskNode({ id, data, selected }: Props) {
  const { node } = data
  const { t, lang, info, view, name, label, level } = useLook(id, node)
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
      aria-label={label}
    >
      <span className="nd-icon">
        <Icon size={18} stroke={1.7} aria-hidden />
      </span>
      <span className="nd-text">
        <span className="nd-name">{name}</span>
        <span className="nd-sub">
          {view ? <RunLine view={view} lang={lang} t={t} /> : <EditLine node={node} info={info} />}
        </span>
      </span>
      {view && view.state !== 'idle' && <StateDisc view={view} />}
      {level && <Mark level={level} t={t} />}
      {view?.held && <HeldMark t={t} />}
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

function RunLine({ view, lang, t }: { view: NodeView; lang: Lang; t: TFunction }) {
  const format = formatIn(lang, t)
  const active = view.started_at !== undefined && view.ended_at === undefined
  const now = useNow(active)
  const took = view.started_at
    ? (view.ended_at ? Date.parse(view.ended_at) : now) - Date.parse(view.started_at)
    : undefined
  const wait =
    view.state === 'waiting' && view.wait ? t(`wait.short.${view.wait.kind}`) : stateWord(t, lang, view.state)
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

/** What an operator is most likely to do next, where there is something to do. */
function NodeActions(props: ActionProps) {
  const { state, wait } = props.view
  const asks = state === 'waiting' && wait?.kind === 'human'
  return asks || state === 'failed' ? <Actions {...props} asks={asks} /> : null
}

/** The buttons keep their size at every zoom. */
function Actions({ id, node, name, asks, below = 6, onAction }: ActionProps & { asks: boolean }) {
  const { t } = useTranslation()
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
  const { t, info, view, name, label, level } = useLook(id, node)
  const Icon = iconOf(node, info.plugins)
  return (
    // biome-ignore lint/a11y/useSemanticElements: a node is no form group
    <div
      className="nd-gate"
      role="group"
      data-testid={`node-${id}`}
      data-s={view && view.state !== 'idle' ? view.state : undefined}
      data-selected={selected}
      aria-label={label}
    >
      <svg viewBox="0 0 52 52" aria-hidden="true">
        <path d="M26 2 50 26 26 50 2 26z" />
      </svg>
      <Icon size={19} stroke={2.2} aria-hidden />
      <span className="nd-below">{name}</span>
      {view?.state === 'failed' && <StateDisc view={view} />}
      {level && <Mark level={level} t={t} />}
      {view?.held && <HeldMark t={t} />}
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
  const { t, info, view, name, label, level } = useLook(id, node)
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
      aria-label={label}
    >
      <Icon size={16} stroke={2} aria-hidden />
      <span className="nd-below">{name}</span>
      {level && <Mark level={level} t={t} />}
      {view?.held && <HeldMark t={t} />}
      {selected && <NodeTools node={node} />}
      {info.perspective && <Touched id={id} info={info} />}
      {info.Over && <info.Over id={id} />}
      <Handles node={node} connectable={info.mode === 'edit'} />
    </div>
  )
})

export const nodeTypes = { task: TaskNode, gateway: GatewayNode, event: EventNode }
