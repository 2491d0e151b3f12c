import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import type { Flow } from '~/api/types'
import { Confirm } from '~/app/confirm'
import { ErrorNotice, say, sayError } from '~/app/notices'
import { useCodes } from '~/i18n/codes'
import { history, useRestore } from './api'
import { compare } from './compare'
import { Counts } from './counts'

interface Props {
  project: string
  flow: string
  document: Flow
  name: string
  onClose(): void
}

/** Makes an earlier state the draft again, after saying what that changes. The draft as it is stays among the saves. */
export function RestoreDialog({ project, flow, document, name, onClose }: Props) {
  const { t } = useTranslation('versions')
  const codes = useCodes()
  const navigate = useNavigate()
  const now = useQuery({ ...history.draft(project, flow), staleTime: 0 })
  const restore = useRestore(project, flow)
  const changes = useMemo(() => now.data && compare(now.data.document, document), [now.data, document])
  const confirm = () => {
    if (!now.data) return
    restore.mutate(
      { document: { ...document, id: flow }, revision: now.data.revision },
      {
        onSuccess: () => {
          say(t('restore.done', { name }))
          void navigate({ to: '/p/$project/flows/$flow', params: { project, flow } })
        },
        onError: (error) => {
          // Somebody saved meanwhile: what would be replaced is shown anew, and asked about again.
          if (error instanceof ApiError && error.status === 409) sayError(t('restore.moved'))
          else sayError(codes.error(error))
        },
      },
    )
  }
  return (
    <Confirm
      opened
      title={t('restore.title', { name })}
      confirm={t('restore.confirm')}
      busy={restore.isPending}
      ready={changes !== undefined && changes.length > 0}
      onConfirm={confirm}
      onClose={onClose}
    >
      {now.error && <ErrorNotice error={now.error} onRetry={() => void now.refetch()} />}
      {changes?.length === 0 && <p>{t('restore.same')}</p>}
      {changes && changes.length > 0 && (
        <>
          <p>{t('restore.text')}</p>
          <p>
            {t('restore.changes')} <Counts changes={changes} />
          </p>
        </>
      )}
    </Confirm>
  )
}
