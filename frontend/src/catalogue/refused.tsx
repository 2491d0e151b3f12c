import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import { IconAlertTriangle } from '~/app/icons'
import { useCodes } from '~/i18n/codes'
import { useManifestProblem } from './wrong'

/** Why a module was not installed: each thing that is wrong with its manifest, with its place; the server tells some of many. */
export function Refused({ error }: { error: Error }) {
  const { t } = useTranslation('catalogue')
  const codes = useCodes()
  const say = useManifestProblem()
  const body = error instanceof ApiError ? error.body : undefined
  const problems = body?.problems ?? []
  return (
    <div className="notice" data-s="failed" role="alert">
      <IconAlertTriangle size={16} aria-hidden />
      <div className="grow">
        <strong>{t('install.refused')}</strong>
        {problems.length === 0 && (
          <>
            <div>{codes.error(error)}</div>
            <div className="quiet">{error.message}</div>
          </>
        )}
        {problems.length > 0 && (
          <>
            <div>{t('install.wrong', { count: Number(body?.args?.a ?? problems.length) })}</div>
            <ul className="manifest-wrong">
              {problems.map((p) => (
                <li key={`${p.field} ${p.code}`}>
                  <code>{p.field?.replace(/^\/manifest/, '')}</code>
                  <div>{say(p)}</div>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </div>
  )
}
