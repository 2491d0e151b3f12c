import { Button } from '@mantine/core'
import { type ReactNode, useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNodeCommand } from '~/api/queries'
import type { NodeView } from '~/api/types'
import {
  IconArrowBackUp,
  IconChevronRight,
  IconClock,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerSkipForward,
  IconPlayerStop,
  IconRefresh,
} from '~/app/icons'
import { type PathNode, parentOf } from '~/doc/paths'
import { runEnded } from '~/run/fold'
import { useRun } from '~/run/store'
import type { NodeAct } from './actions'
import { useKeys } from './hotkeys'
import { judge, loops, type Operation, runsBelow, type Verdict } from './preconditions'
import { useRefused } from './refused'

const icons: Record<Operation, ReactNode> = {
  retry: <IconRefresh size={14} aria-hidden />,
  skip: <IconPlayerSkipForward size={14} aria-hidden />,
  resolve: null,
  answer: null,
  reschedule: <IconClock size={14} aria-hidden />,
  force_fail: <IconPlayerStop size={14} aria-hidden />,
  pause: <IconPlayerPause size={14} aria-hidden />,
  resume: <IconPlayerPlay size={14} aria-hidden />,
  rollback: <IconArrowBackUp size={14} aria-hidden />,
}

/** What is not the next thing to do, and so never the loudest button. */
const calm: ReadonlySet<Operation> = new Set(['force_fail', 'pause', 'rollback'])

/** The keys of what is done most: both ask before they do it. */
const keys = { retry: 'r', skip: 's' } as const

interface Props {
  project: string
  run: string
  entry: PathNode
  nodes: readonly PathNode[]
  view: NodeView | undefined
  onAct(act: NodeAct): void
}

/** The buttons of a node: what can be done now, and on demand what cannot and why. */
export function Operations({ project, run, entry, nodes, view, onAct }: Props) {
  const { t } = useTranslation()
  const whole = useRun()
  const command = useNodeCommand(project, run)
  const refused = useRefused()
  const { node } = entry
  const verdicts = judge({ node, flow: entry.flow, view, run: whole, comesAgain: loopsAbove(nodes, entry) })
  // The question has its own box, right below the buttons.
  const able = verdicts.filter((v) => !v.why && v.op !== 'answer')
  const label = useOperationName(entry, view)
  const act = (op: Operation) => {
    if (op === 'answer') return
    if (op !== 'pause' && op !== 'resume') return onAct(op)
    command.mutate({ node: entry.path, body: { command: op } }, { onError: refused })
  }
  const press = (op: Operation) => () => {
    if (!command.isPending && able.some((v) => v.op === op)) act(op)
  }
  useKeys([
    [keys.retry, press('retry')],
    [keys.skip, press('skip')],
  ])
  return (
    <>
      {able.length > 0 && (
        // biome-ignore lint/a11y/useSemanticElements: buttons, and not a group of a form
        <div className="rn-ops" role="group" aria-label={t('node.operations')}>
          {able.map(({ op }, i) => (
            <Button
              key={op}
              variant={i === 0 && !calm.has(op) ? undefined : 'default'}
              leftSection={icons[op]}
              disabled={command.isPending}
              aria-keyshortcuts={op === 'retry' || op === 'skip' ? keys[op].toUpperCase() : undefined}
              onClick={() => act(op)}
            >
              {label(op)}
            </Button>
          ))}
        </div>
      )}
      <Unable verdicts={verdicts.filter((v) => v.why)} ended={runEnded(whole.state)} label={label} />
    </>
  )
}

/** How an operation is called for this node. */
function useOperationName(entry: PathNode, view: NodeView | undefined): (op: Operation) => string {
  const { t } = useTranslation()
  const { t: own } = useTranslation('console')
  const inside = runsBelow(entry.node, view)
  return (op) => {
    switch (op) {
      case 'pause':
        return t(inside ? 'action.pauseInside' : 'action.hold')
      case 'resume':
        return t(inside ? 'action.resumeInside' : 'action.release')
      case 'force_fail':
        return t('action.forceFail')
      case 'answer':
        return own('ops.answer')
      default:
        return t(`action.${op}`)
    }
  }
}

/** What cannot be done now, each with its reason: a button that is missing would say nothing. */
function Unable({
  verdicts,
  ended,
  label,
}: {
  verdicts: readonly Verdict[]
  ended: boolean
  label(op: Operation): string
}) {
  const { t } = useTranslation('console')
  const [open, setOpen] = useState(false)
  const id = useId()
  if (verdicts.length === 0) return null
  return (
    <div className="rn-unable">
      <button type="button" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        <IconChevronRight size={13} aria-hidden className={open ? 'rn-turned' : ''} />
        {t('ops.more', { n: verdicts.length })}
      </button>
      {open && (
        <ul id={id} aria-label={t('ops.list')}>
          {ended && <li className="quiet">{t('why.ended')}</li>}
          {!ended &&
            verdicts.map(({ op, why }) => (
              <li key={op}>
                <Button
                  variant="default"
                  size="compact-sm"
                  leftSection={icons[op]}
                  aria-disabled
                  data-disabled
                  aria-describedby={`${id}-${op}`}
                >
                  {label(op)}
                </Button>
                <span id={`${id}-${op}`}>{why && t(`why.${why}`)}</span>
              </li>
            ))}
        </ul>
      )}
    </div>
  )
}

/** Whether a loop leads back to a subflow that the node is in, at whatever depth. */
function loopsAbove(nodes: readonly PathNode[], entry: PathNode): boolean {
  for (let path = parentOf(entry.path); path !== ''; path = parentOf(path)) {
    const above = nodes.find((n) => n.path === path)
    if (above && loops(above.flow, above.node.id)) return true
  }
  return false
}
