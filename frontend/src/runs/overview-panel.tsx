import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { RunDetail } from '~/api/types'
import { useFormat } from '~/app/format'
import { runEnded } from '~/run/fold'
import { useRun } from '~/run/store'
import { changeable } from './changeable'
import { Tree, VariablesDialog } from './lazy'

/** The run as a whole: shown while no node is chosen. */
export function OverviewPanel({ project, detail }: { project: string; detail: RunDetail }) {
  const { t } = useTranslation()
  const format = useFormat()
  const run = useRun()
  const [changing, setChanging] = useState(false)
  const starts = detail.document.nodes.some((n) => n.mode === 'independent')
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
          {run.deadline && !run.ended_at && (
            <>
              <dt>{t('run.deadline')}</dt>
              <dd className="num">{format.full(run.deadline)}</dd>
            </>
          )}
          {run.parent && (
            <>
              <dt>{t('run.parent')}</dt>
              <dd>
                <Link
                  className="mono"
                  to="/p/$project/runs/$run"
                  params={{ project, run: run.parent.run }}
                  search={{ node: run.parent.node }}
                >
                  {run.parent.node}
                </Link>
              </dd>
            </>
          )}
        </dl>
        {starts && (
          <p>
            <Link to="/p/$project/runs" params={{ project }} search={{ parent: detail.id }}>
              {t('run.children')}
            </Link>
          </p>
        )}
        {outputs && (
          <>
            <h3>{t('run.outputs')}</h3>
            <Tree value={run.outputs ?? {}} label={t('run.outputs')} root="" />
          </>
        )}
        <h3>{t('variables.title')}</h3>
        {Object.keys(run.variables ?? {}).length > 0 ? (
          <Tree value={run.variables ?? {}} label={t('variables.title')} root="" />
        ) : (
          <p className="quiet">{t('run.noValue')}</p>
        )}
        {!runEnded(run.state) && changeable(detail.document).length > 0 && (
          <Button variant="default" mt="xs" onClick={() => setChanging(true)}>
            {t('action.setVariables')}
          </Button>
        )}
        <p className="quiet">{t('run.chooseNode')}</p>
      </div>
      {changing && (
        <VariablesDialog project={project} run={detail.id} flow={detail.document} onClose={() => setChanging(false)} />
      )}
    </aside>
  )
}
