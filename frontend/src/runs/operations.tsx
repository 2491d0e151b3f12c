import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useNodeCommand } from '~/api/queries'
import type { FlowNode, NodeView } from '~/api/types'
import {
  IconArrowBackUp,
  IconClock,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerSkipForward,
  IconPlayerStop,
  IconRefresh,
} from '~/app/icons'
import type { PathNode } from '~/doc/paths'
import { runEnded } from '~/run/fold'
import { useRunStore, useRunSummary } from '~/run/store'
import type { NodeAct } from './actions'
import { useRefused } from './refused'

/** What an operator may do to a node as it is now: dialogs, and what is done at once. */
export type Operation = NodeAct | 'pause' | 'resume'

/** Lists what may be done, the most likely first. */
export function operationsOf(node: FlowNode, view: NodeView | undefined): Operation[] {
  const state = view?.state
  const inside = node.type === 'subflow' && !node.mode
  const ops = state === 'failed' || state === 'rollback_failed' ? afterFailure(node, state) : []
  if (state === 'unknown') ops.push('resolve')
  if ((state === 'waiting' || state === 'failed') && view?.due) ops.push('reschedule')
  if ((state === 'running' || state === 'waiting') && !inside) ops.push('force_fail')
  if (view?.held || state === 'suspended') ops.push('resume')
  else if (holds(node, view, inside)) ops.push('pause')
  if (node.type === 'task' && (state === 'succeeded' || state === 'skipped')) ops.push('rollback')
  return ops
}

/** A rollback that failed is always tried again or passed over; a node's own options are about its attempts. */
function afterFailure(node: FlowNode, state: 'failed' | 'rollback_failed'): Operation[] {
  if (state === 'rollback_failed') return ['retry', 'skip']
  return [...(node.no_retry ? [] : ['retry' as const]), ...(node.no_skip ? [] : ['skip' as const])]
}

/** Whether a token can be stopped before the node, or those inside it can. */
function holds(node: FlowNode, view: NodeView | undefined, inside: boolean): boolean {
  const state = view?.state
  if (node.type === 'start') return false
  if (state === 'waiting') return view?.wait?.kind === 'run'
  if (state === 'running') return inside
  return state === undefined || state === 'idle' || state === 'succeeded' || state === 'skipped'
}

/** Whether a pause stops what runs inside or below the node, and not the token before it. */
export function runsBelow(node: FlowNode, view: NodeView | undefined): boolean {
  if (node.type !== 'subflow' || !view) return false
  if (node.mode) return view.state === 'waiting' && view.wait?.kind === 'run'
  return view.state === 'running' || view.state === 'suspended'
}

const icons: Record<Operation, ReactNode> = {
  retry: <IconRefresh size={14} aria-hidden />,
  skip: <IconPlayerSkipForward size={14} aria-hidden />,
  resolve: null,
  reschedule: <IconClock size={14} aria-hidden />,
  force_fail: <IconPlayerStop size={14} aria-hidden />,
  pause: <IconPlayerPause size={14} aria-hidden />,
  resume: <IconPlayerPlay size={14} aria-hidden />,
  rollback: <IconArrowBackUp size={14} aria-hidden />,
}

interface Props {
  project: string
  run: string
  entry: PathNode
  view: NodeView | undefined
  onAct(act: NodeAct): void
}

/** The buttons of a node. */
export function Operations({ project, run, entry, view, onAct }: Props) {
  const { t } = useTranslation()
  const { run: whole } = useRunSummary(useRunStore())
  const command = useNodeCommand(project, run)
  const refused = useRefused()
  const { node } = entry
  const ops = runEnded(whole.state) ? [] : operationsOf(node, view)
  if (ops.length === 0) return null
  const inside = runsBelow(node, view)
  const label = (op: Operation): string => {
    switch (op) {
      case 'pause':
        return t(inside ? 'action.pauseInside' : 'action.hold')
      case 'resume':
        return t(inside ? 'action.resumeInside' : 'action.release')
      case 'force_fail':
        return t('action.forceFail')
      default:
        return t(`action.${op}`)
    }
  }
  const act = (op: Operation) => {
    if (op !== 'pause' && op !== 'resume') return onAct(op)
    command.mutate({ node: entry.path, body: { command: op } }, { onError: refused })
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: buttons, and not a group of a form
    <div className="rn-ops" role="group" aria-label={t('node.operations')}>
      {ops.map((op, i) => (
        <Button
          key={op}
          variant={i === 0 && op !== 'force_fail' && op !== 'pause' && op !== 'rollback' ? undefined : 'default'}
          leftSection={icons[op]}
          disabled={command.isPending}
          onClick={() => act(op)}
        >
          {label(op)}
        </Button>
      ))}
    </div>
  )
}
