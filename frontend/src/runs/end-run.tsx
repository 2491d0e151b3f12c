import { Textarea } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useRunCommand } from '~/api/queries'
import { Confirm } from '~/app/confirm'
import { useRun } from '~/run/store'
import { useRefused } from './refused'
import { isTyped, TypedConfirm } from './typed'

interface Props {
  project: string
  run: string
  as: 'revoke' | 'fail'
  onClose(): void
}

/** Ends a run for good, after its flow's id was typed. */
export function EndRun({ project, run, as, onClose }: Props) {
  const { t } = useTranslation()
  const view = useRun()
  const command = useRunCommand(project, run)
  const refused = useRefused()
  const [reason, setReason] = useState('')
  const [typed, setTyped] = useState('')
  const end = () =>
    command.mutate(
      { command: as, ...(reason.trim() ? { reason: reason.trim() } : {}) },
      { onError: refused, onSuccess: onClose },
    )
  return (
    <Confirm
      opened
      title={t(as === 'fail' ? 'run.failTitle' : 'run.revokeTitle')}
      confirm={t(`action.${as}`)}
      danger
      busy={command.isPending}
      ready={isTyped(view.flow, typed)}
      onConfirm={end}
      onClose={onClose}
    >
      <strong className="rn-which">{view.name}</strong>
      <p>{t(as === 'fail' ? 'run.failText' : 'run.revokeText')}</p>
      <Textarea
        label={t('run.reason')}
        autosize
        minRows={2}
        value={reason}
        onChange={(e) => setReason(e.currentTarget.value)}
      />
      <TypedConfirm phrase={view.flow} value={typed} onChange={setTyped} />
    </Confirm>
  )
}
