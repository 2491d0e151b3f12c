import { Button, Menu } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useRunCommand } from '~/api/queries'
import type { Flow } from '~/api/types'
import { IconDotsVertical, IconPencil, IconPlayerPause, IconPlayerPlay, IconPlayerStop, IconX } from '~/app/icons'
import { runEnded } from '~/run/fold'
import { useRun, useRunStore } from '~/run/store'
import { changeable } from './changeable'
import { EndRun, VariablesDialog } from './lazy'
import { judgeRun, type RunOperation } from './preconditions'
import { useRefused } from './refused'

const icons: Record<RunOperation, ReactNode> = {
  pause: <IconPlayerPause size={14} aria-hidden />,
  resume: <IconPlayerPlay size={14} aria-hidden />,
  setVariables: <IconPencil size={14} aria-hidden />,
  revoke: <IconPlayerStop size={14} aria-hidden />,
  fail: <IconX size={14} aria-hidden />,
}

interface Props {
  project: string
  run: string
  flow: Flow
}

/** What can be done to the run as a whole; what cannot be done stays in the menu and says why. */
export function RunButtons({ project, run, flow }: Props) {
  const { t } = useTranslation()
  const { t: own } = useTranslation('console')
  const store = useRunStore()
  const view = useRun()
  const command = useRunCommand(project, run)
  const refused = useRefused()
  const [asking, setAsking] = useState<'setVariables' | 'revoke' | 'fail' | null>(null)
  const verdicts = judgeRun(view.state, changeable(flow).length)
  const act = (op: RunOperation) => {
    if (op !== 'pause' && op !== 'resume') return setAsking(op)
    // A resume is about the run as it was seen: what somebody did meanwhile may change one's mind.
    command.mutate(op === 'pause' ? { command: op } : { command: op, expected_seq: store.drawn }, { onError: refused })
  }
  const quick = view.state === 'suspended' ? 'resume' : 'pause'
  return (
    <>
      {!runEnded(view.state) && (
        <Button variant="default" leftSection={icons[quick]} onClick={() => act(quick)} loading={command.isPending}>
          {t(`action.${quick}`)}
        </Button>
      )}
      <Menu position="bottom-end" width={280}>
        <Menu.Target>
          <Button variant="default" px={8} aria-label={t('run.more')}>
            <IconDotsVertical size={15} aria-hidden />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{own('ops.whole')}</Menu.Label>
          {verdicts.map(({ op, why }) => (
            <Menu.Item
              key={op}
              color={!why && (op === 'revoke' || op === 'fail') ? 'red' : undefined}
              leftSection={icons[op]}
              aria-disabled={why !== undefined}
              data-off={why !== undefined || undefined}
              closeMenuOnClick={!why}
              onClick={() => !why && act(op)}
            >
              {t(`action.${op}`)}
              {why && <span className="rn-why">{own(`why.${why}`)}</span>}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {(asking === 'revoke' || asking === 'fail') && (
        <EndRun project={project} run={run} as={asking} onClose={() => setAsking(null)} />
      )}
      {asking === 'setVariables' && (
        <VariablesDialog project={project} run={run} flow={flow} onClose={() => setAsking(null)} />
      )}
    </>
  )
}
