import { notifications } from '@mantine/notifications'
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import { useCodes } from '~/i18n/codes'
import { useRunStore } from '~/run/store'

/** How a refusal is shown: as an error, or calmly. */
const loud = { color: 'red', autoClose: 8000, withBorder: true, role: 'alert' } as const
const calm = { color: 'gray', autoClose: 6000, withBorder: true } as const

/**
 * Says why an operator's command was refused. Somebody else being quicker is no
 * error: it is said calmly, with how things stand now.
 */
export function useRefused(): (error: unknown) => void {
  const { t } = useTranslation()
  const { t: own } = useTranslation('console')
  const codes = useCodes()
  const store = useRunStore()
  return useCallback(
    (error) => {
      const title = codes.error(error)
      const closeButtonProps = { 'aria-label': t('action.close') }
      if (!(error instanceof ApiError) || error.status !== 409) {
        const exact = error instanceof ApiError && codes.complete(error)
        const { field, detail } = error instanceof ApiError && !exact ? error.body : {}
        const where = field ? own('refused.field', { field }) : ''
        // What the server says beyond the code is in its own language, and marked as that.
        const words = detail && detail !== title ? own('refused.words', { detail }) : ''
        notifications.show({ ...loud, closeButtonProps, title, message: [where, words].filter(Boolean).join(' · ') })
        return
      }
      const state = t(`run.state.${store.summary.run.state}`)
      notifications.show({ ...calm, closeButtonProps, title, message: t('run.nowState', { state }) })
    },
    [t, own, codes, store],
  )
}
