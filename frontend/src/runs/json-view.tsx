import { ActionIcon, Tooltip } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { useTranslation } from 'react-i18next'
import type { Json } from '~/api/types'
import { IconCheck, IconCopy } from '~/app/icons'

/** A value larger than this is cut where it is shown; copying takes all of it. */
const shownMax = 64 * 1024

/** A value as JSON, to read and to copy. */
export function JsonView({ value, label }: { value: Json | undefined; label: string }) {
  const { t } = useTranslation()
  const clipboard = useClipboard({ timeout: 1500 })
  if (value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)) {
    return <p className="quiet">{t('run.noValue')}</p>
  }
  const text = JSON.stringify(value, null, 2)
  return (
    <div className="rn-json">
      <Tooltip label={t(clipboard.copied ? 'action.copied' : 'action.copy')}>
        <ActionIcon aria-label={t('action.copy')} onClick={() => clipboard.copy(text)} size={24}>
          {clipboard.copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
        </ActionIcon>
      </Tooltip>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      <section tabIndex={0} aria-label={label}>
        {text.length > shownMax
          ? `${text.slice(0, shownMax)}\n${t('run.cut', { kib: Math.round(text.length / 1024) })}`
          : text}
      </section>
    </div>
  )
}
