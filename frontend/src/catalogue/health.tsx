import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { HealthFigures, HealthWindow, InstalledPlugin, PluginHealth } from '~/api/installed'
import { useFormat } from '~/app/format'
import { IconAlertTriangle } from '~/app/icons'
import { EmptyState, ErrorNotice } from '~/app/notices'
import { Rows } from '~/app/rows'
import { useCodes } from '~/i18n/codes'
import { catalogue } from './api'
import { HoursChart } from './chart'
import { percent, short } from './entries'

/** How the calls of a plugin went in the project. */
export function HealthTab({ project, installed }: { project: string; installed: InstalledPlugin }) {
  const { t } = useTranslation('catalogue')
  const [window, setWindow] = useState<HealthWindow>('day')
  const { data, error, refetch } = useQuery(catalogue.health(project, installed.id, window))
  return (
    <div className="cat-healthtab">
      <SegmentedControl
        aria-label={t('health.window')}
        value={window}
        onChange={(value) => setWindow(value as HealthWindow)}
        data={[
          { value: 'day', label: t('health.day') },
          { value: 'week', label: t('health.week') },
        ]}
      />
      {error && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Rows />}
      {data && data.total.calls + data.total.cancelled === 0 && (
        <EmptyState title={t('health.none')}>{t('health.noneHint')}</EmptyState>
      )}
      {data && data.total.calls + data.total.cancelled > 0 && (
        <Report project={project} report={data} installed={installed} />
      )}
    </div>
  )
}

function Report(props: { project: string; report: PluginHealth; installed: InstalledPlugin }) {
  const { t } = useTranslation('catalogue')
  const { project, report, installed } = props
  return (
    <>
      <Tiles figures={report.total} />
      <HoursChart hours={report.hours} window={report.window} />
      {report.total.cancelled > 0 && <p className="quiet">{t('health.cancelled', { n: report.total.cancelled })}</p>}
      {report.total.last_failure && <LastFailure project={project} last={report.total.last_failure} />}
      <div className="cat-two">
        <Codes figures={report.total} />
        <ByVersion report={report} installed={installed} />
      </div>
    </>
  )
}

function Tiles({ figures: f }: { figures: HealthFigures }) {
  const { t } = useTranslation('catalogue')
  const format = useFormat()
  return (
    <dl className="cat-tiles">
      <Tile name={t('health.calls')} value={f.calls.toLocaleString()} />
      <Tile
        name={t('health.failures')}
        value={f.failures.toLocaleString()}
        note={t('health.rate', { rate: percent(f.failures, f.calls) })}
        s={f.failures > 0 ? 'failed' : undefined}
      />
      <Tile
        name={t('health.p99')}
        value={format.duration(f.p99_ms)}
        note={t('health.p50', { time: format.duration(f.p50_ms), time2: format.duration(f.longest_ms) })}
      />
      <Tile
        name={t('health.limits')}
        value={f.limits_hit.toLocaleString()}
        note={t('health.limitsHint')}
        s={f.limits_hit > 0 ? 'waiting' : undefined}
      />
    </dl>
  )
}

function Tile({ name, value, note, s }: { name: string; value: string; note?: string; s?: string }) {
  return (
    <div className="cat-stat" data-s={s}>
      <dt>{name}</dt>
      <dd className="num">
        {s && <IconAlertTriangle size={16} aria-hidden />}
        {value}
      </dd>
      {note && <dd className="quiet num">{note}</dd>}
    </div>
  )
}

/** What a code says, in the language that is shown. */
function useCodeText(): (code: string) => string {
  const { t } = useTranslation('catalogue')
  const codes = useCodes()
  return (code) => {
    if (code === 'OTHER') return t('health.other')
    if (code === 'OUTCOME_UNKNOWN') return t('health.unknownOutcome')
    return codes.failure({ code, message: code })
  }
}

function LastFailure({ project, last }: { project: string; last: NonNullable<HealthFigures['last_failure']> }) {
  const { t } = useTranslation('catalogue')
  const format = useFormat()
  const codeText = useCodeText()
  return (
    <div className="notice cat-last" data-s="failed">
      <IconAlertTriangle size={16} aria-hidden />
      <div className="grow">
        <span>{t('health.last')}</span> <strong>{codeText(last.code)}</strong>{' '}
        <span className="quiet num">{format.when(last.at)}</span>
      </div>
      <Link to="/p/$project/runs/$run" params={{ project, run: last.run }} search={{ node: last.node }}>
        {t('health.lastLink')}
      </Link>
    </div>
  )
}

function Codes({ figures }: { figures: HealthFigures }) {
  const { t } = useTranslation('catalogue')
  const { t: common } = useTranslation()
  const codeText = useCodeText()
  return (
    <Section title={t('health.byCode')}>
      {figures.codes.length === 0 ? (
        <p className="quiet">{t('health.noFailures')}</p>
      ) : (
        <table className="cat-table">
          <thead>
            <tr>
              <th>{t('health.code')}</th>
              <th>{t('health.origin')}</th>
              <th className="cat-right">{t('health.count')}</th>
            </tr>
          </thead>
          <tbody>
            {figures.codes.map((c) => (
              <tr key={c.code}>
                <td>
                  {codeText(c.code)}
                  {codeText(c.code) !== c.code && <div className="quiet mono">{c.code}</div>}
                </td>
                <td className="quiet">{c.origin ? common(`origin.name.${c.origin}`) : ''}</td>
                <td className="num cat-right">{c.count.toLocaleString()}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  )
}

function ByVersion({ report, installed }: { report: PluginHealth; installed: InstalledPlugin }) {
  const { t } = useTranslation('catalogue')
  const format = useFormat()
  const known = installed.versions.flatMap((v) => {
    const figures = report.versions.find((x) => x.digest === v.digest)
    return figures ? [{ ...figures, name: v.version }] : []
  })
  const gone = report.versions.filter((x) => !installed.versions.some((v) => v.digest === x.digest))
  const rows = [...known, ...gone.map((x) => ({ ...x, name: short(x.digest) }))]
  return (
    <Section title={t('health.byVersion')}>
      <table className="cat-table">
        <thead>
          <tr>
            <th>{t('versions.version')}</th>
            <th className="cat-right">{t('health.calls')}</th>
            <th className="cat-right">{t('health.failures')}</th>
            <th className="cat-right">p99</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((v) => (
            <tr key={v.digest}>
              <td>
                <span className="num">{v.name}</span> <span className="mono quiet">{short(v.digest)}</span>
              </td>
              <td className="num cat-right">{v.calls.toLocaleString()}</td>
              <td className="num cat-right">
                {v.failures.toLocaleString()} <span className="quiet">({percent(v.failures, v.calls)})</span>
              </td>
              <td className="num cat-right">{format.duration(v.p99_ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  )
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="cat-panel" aria-label={title}>
      <h3>{title}</h3>
      {children}
    </section>
  )
}
