import { useTranslation } from 'react-i18next'
import type { RunDetail } from '~/api/types'
import { useFormat } from '~/app/format'
import { useRunStore, useRunSummary } from '~/run/store'
import { JsonView } from './json-view'

/** The run as a whole: shown while no node is chosen. */
export function OverviewPanel({ detail }: { detail: RunDetail }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { run } = useRunSummary(useRunStore())
  const outputs = Object.keys(run.outputs ?? {}).length > 0
  return (
    <aside className="rn-panel" aria-label={t('run.overview')}>
      <header className="pn-head">
        <div className="pn-title">
          <h2>{t('run.overview')}</h2>
          <div className="quiet mono clip">{detail.id}</div>
        </div>
      </header>
      <div className="rn-body">
        <dl className="rn-facts">
          <dt>{t('runs.operator')}</dt>
          <dd>{run.operator}</dd>
          <dt>{t('runs.created')}</dt>
          <dd className="num">{format.full(run.created_at)}</dd>
          {run.ended_at && (
            <>
              <dt>{t('run.ended')}</dt>
              <dd className="num">{format.full(run.ended_at)}</dd>
            </>
          )}
        </dl>
        {outputs && (
          <>
            <h3>{t('run.outputs')}</h3>
            <JsonView value={run.outputs ?? {}} label={t('run.outputs')} />
          </>
        )}
        <h3>{t('variables.title')}</h3>
        <JsonView value={run.variables ?? {}} label={t('variables.title')} />
        <p className="quiet">{t('run.chooseNode')}</p>
      </div>
    </aside>
  )
}
