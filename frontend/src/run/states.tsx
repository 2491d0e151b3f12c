import type { ComponentType } from 'react'
import { useTranslation } from 'react-i18next'
import type { NodeState, NodeView, RunState } from '~/api/types'
import {
  IconAlertTriangle,
  IconArrowBackUp,
  IconBan,
  IconCheck,
  IconCircleDashed,
  IconClock,
  IconHourglass,
  IconLoader2,
  IconPlayerPause,
  IconPlayerSkipForward,
  IconPlayerStop,
  IconQuestionMark,
  IconUser,
  IconX,
} from '~/app/icons'

type Icon = ComponentType<{ size?: number; stroke?: number; className?: string; 'aria-hidden'?: boolean }>

const nodeIcons: Record<NodeState, Icon> = {
  idle: IconCircleDashed,
  ready: IconCircleDashed,
  running: IconLoader2,
  waiting: IconHourglass,
  suspended: IconPlayerPause,
  succeeded: IconCheck,
  failed: IconX,
  skipped: IconPlayerSkipForward,
  cancelled: IconBan,
  unknown: IconQuestionMark,
  rolling_back: IconLoader2,
  rolled_back: IconArrowBackUp,
  rollback_failed: IconAlertTriangle,
}

const runIcons: Record<RunState, Icon> = {
  created: IconCircleDashed,
  running: IconLoader2,
  suspended: IconPlayerPause,
  blocked: IconAlertTriangle,
  succeeded: IconCheck,
  failed: IconX,
  revoked: IconPlayerStop,
}

/** The icon of a node's state; waiting shows what it waits for. */
export function nodeIcon(view: Pick<NodeView, 'state' | 'wait'>): Icon {
  if (view.state === 'waiting' && view.wait?.kind === 'human') return IconUser
  if (view.state === 'waiting' && view.wait?.kind === 'timer') return IconClock
  return nodeIcons[view.state] ?? IconCircleDashed
}

export function isSpinning(state: string): boolean {
  return state === 'running' || state === 'rolling_back'
}

/** The icon of a run's state; still where it only stands for the state. */
export function RunIcon({ state, still = false }: { state: RunState; still?: boolean }) {
  const Icon = runIcons[state] ?? IconCircleDashed
  return <Icon size={13} stroke={2.2} aria-hidden className={isSpinning(state) && !still ? 'spin' : ''} />
}

/** A state as icon and word: colour is never the only sign. */
export function RunPill({ state }: { state: RunState }) {
  const { t } = useTranslation()
  return (
    <span className="pill" data-s={state} data-testid="run-state">
      <RunIcon state={state} />
      {t(`run.state.${state}`)}
    </span>
  )
}
