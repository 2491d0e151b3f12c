import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { IconAlertTriangle, IconArrowBackUp, IconUserCheck } from '~/app/icons'
import { useNeeds, useRun } from '~/run/store'

/** What needs a person, in one line that stays in sight. */
export function FailureStrip({ chosen, onGo }: { chosen: string | undefined; onGo(id: string): void }) {
  const { t } = useTranslation()
  const run = useRun()
  const { failed, asking } = useNeeds()
  const next = (ids: readonly string[]) => {
    const id = ids[(ids.indexOf(chosen ?? '') + 1) % ids.length]
    if (id) onGo(id)
  }
  return (
    <div className="rn-strips" aria-live="polite">
      {run.rollback && (
        <div className="rn-strip" data-s="rolling_back">
          <IconArrowBackUp size={16} aria-hidden />
          <span>{t('run.rollingBack', { from: run.rollback.from, to: run.rollback.to })}</span>
        </div>
      )}
      {failed.length > 0 && (
        <div className="rn-strip" data-s="failed">
          <IconAlertTriangle size={16} aria-hidden />
          <span>{t('run.failedCount', { count: failed.length })}</span>
          <Button variant="default" size="compact-xs" onClick={() => next(failed)}>
            {t('run.nextFailure')} <kbd>F8</kbd>
          </Button>
        </div>
      )}
      {asking.length > 0 && (
        <div className="rn-strip" data-s="waiting">
          <IconUserCheck size={16} aria-hidden />
          <span>{t('run.askingCount', { count: asking.length })}</span>
          <Button variant="default" size="compact-xs" onClick={() => next(asking)}>
            {t('run.goAnswer')}
          </Button>
        </div>
      )}
    </div>
  )
}
