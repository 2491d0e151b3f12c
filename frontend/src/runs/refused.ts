import { notifications } from '@mantine/notifications'
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import { sayError } from '~/app/notices'
import { useCodes } from '~/i18n/codes'
import { useRunStore } from '~/run/store'

/**
 * Says why an operator's command was refused. Somebody else being quicker is no
 * error: it is said calmly, with how things stand now.
 */
export function useRefused(): (error: unknown) => void {
  const { t } = useTranslation()
  const codes = useCodes()
  const store = useRunStore()
  return useCallback(
    (error) => {
      if (!(error instanceof ApiError) || error.status !== 409) return sayError(codes.error(error))
      const state = t(`run.state.${store.summary.run.state}`)
      notifications.show({
        title: codes.error(error),
        message: t('run.nowState', { state }),
        color: 'gray',
        autoClose: 6000,
        withBorder: true,
      })
    },
    [t, codes, store],
  )
}
