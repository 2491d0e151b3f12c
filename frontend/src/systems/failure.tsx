import { useTranslation } from 'react-i18next'
import type { Failure } from '~/api/types'
import { IconAlertTriangle } from '~/app/icons'
import { useCodes } from '~/i18n/codes'
import { useWrongParameter } from './wrong'

/** What went wrong, on whose side, and what to do about it. */
export function FailureNotice({ failure }: { failure: Failure }) {
  const { t } = useTranslation('systems')
  const { t: common } = useTranslation()
  const codes = useCodes()
  const advice = codes.advice(failure)
  const parameter = useWrongParameter()(failure)
  const facts = [
    failure.origin && t('failure.side', { side: common(`origin.name.${failure.origin}`) }),
    failure.http_status && `HTTP ${failure.http_status}`,
    failure.attempts && t('failure.attempts', { n: failure.attempts }),
    failure.request_id && t('failure.request', { id: failure.request_id }),
  ].filter(Boolean)
  return (
    <div className="notice sys-failure" data-s="failed" role="status">
      <IconAlertTriangle size={16} aria-hidden />
      <div className="grow">
        <strong>{codes.failure(failure)}</strong> <span className="mono quiet">{failure.code}</span>
        {parameter && <div>{parameter}</div>}
        {!parameter && words(failure) && <div className="quiet">{t('failure.words', { words: failure.message })}</div>}
        {facts.length > 0 && <div className="quiet num">{facts.join(' · ')}</div>}
        {advice && <div>{advice}</div>}
      </div>
    </div>
  )
}

/** Whether the failure's own words are those of somebody else, who alone can say what happened. */
function words(f: Failure): boolean {
  return f.message !== '' && (f.code === 'UPSTREAM_REFUSED' || f.origin === 'plugin')
}
