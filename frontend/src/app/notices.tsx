import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import i18next from 'i18next'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import { useCodes } from '~/i18n/codes'
import { IconAlertTriangle, IconRefresh } from './icons'

/** A calm box that says what went wrong and offers to try again. */
export function ErrorNotice({ error, onRetry, title }: { error: unknown; onRetry?: () => void; title?: string }) {
  const { t } = useTranslation()
  const codes = useCodes()
  return (
    <div className="notice" data-s="failed" role="alert">
      <IconAlertTriangle size={18} aria-hidden />
      <div className="grow">
        <strong>{title ?? t('error.title')}</strong>
        <div>{codes.error(error)}</div>
        {error instanceof ApiError && <div className="quiet mono">{error.code}</div>}
      </div>
      {onRetry && (
        <Button variant="default" leftSection={<IconRefresh size={14} />} onClick={onRetry}>
          {t('action.reload')}
        </Button>
      )}
    </div>
  )
}

/** A page that has nothing to show yet, and the one thing to do about it. */
export function EmptyState({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <strong>{title}</strong>
      {children && <div>{children}</div>}
      {action}
    </div>
  )
}

export function say(message: string): void {
  show({ message, autoClose: 4000 })
}

export function sayError(message: string): void {
  show({ message, color: 'red', autoClose: 8000, role: 'alert' })
}

function show(what: Parameters<typeof notifications.show>[0]): void {
  notifications.show({ withBorder: true, closeButtonProps: { 'aria-label': i18next.t('action.close') }, ...what })
}
