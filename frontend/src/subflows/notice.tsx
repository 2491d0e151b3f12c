import { ActionIcon, Button } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { IconRefresh, IconX } from '~/app/icons'
import { useOverlay } from '~/editor/overlay'
import { useUpdates } from './use-updates'

/** Says that subflows have newer versions than those that the flow stays at; nothing changes by itself. */
export function UpdateNotice() {
  const { t } = useTranslation(['files', 'translation'])
  const updates = useUpdates()
  const [seen, setSeen] = useState('')
  const now = updates.map((u) => `${u.flow}@${u.to}`).join()
  if (updates.length === 0 || seen === now) return null
  const count = updates.reduce((n, u) => n + u.nodes.length, 0)
  return (
    <div className="notice ed-notice" data-s="running" role="status">
      <IconRefresh size={18} aria-hidden />
      <div className="grow">{t('updates.notice', { count })}</div>
      <Button size="compact-xs" onClick={() => useOverlay.getState().show({ kind: 'updates' })}>
        {t('updates.look')}
      </Button>
      <ActionIcon size={24} aria-label={t('translation:action.close')} onClick={() => setSeen(now)}>
        <IconX size={14} aria-hidden />
      </ActionIcon>
    </div>
  )
}
