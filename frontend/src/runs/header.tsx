import { Link as RouteLink } from '@tanstack/react-router'
import { type ReactNode, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import type { RunDetail } from '~/api/types'
import { useFormat } from '~/app/format'
import { IconWifi, IconWifiOff } from '~/app/icons'
import { BarActions, Crumbs } from '~/app/shell'
import { useText } from '~/i18n/text'
import { type RunModel, runEnded } from '~/run/fold'
import type { Link } from '~/run/live'
import { RunPill } from '~/run/states'
import { type Needs, useNeeds, useRun, useRunStore, useRunSummary } from '~/run/store'
import { useNow } from '~/run/ticker'
import { RunButtons } from './run-buttons'
import { iconOf, markOf, signs } from './signals'

interface Props {
  project: string
  detail: RunDetail
  total: number
  link: Link
  children?: ReactNode
}

/** The head of a run: its state, how far it is, and what one can do to it as a whole. */
export function RunHeader({ project, detail, total, link, children }: Props) {
  const { t } = useTranslation()
  const { t: own } = useTranslation('console')
  const text = useText()
  const run = useRun()
  const needs = useNeeds()
  const { failed, asking } = needs
  const name = run.name || text(detail.flow_name)
  const state = failed.length > 0 ? t('run.failedCount', { count: failed.length }) : t(`run.state.${run.state}`)
  useTab(
    name,
    failed.length === 0 && asking.length > 0 ? t('run.askingCount', { count: asking.length }) : state,
    run,
    needs,
  )
  return (
    <>
      <Crumbs>
        <span className="sep shell-wide">/</span>
        <RouteLink to="/p/$project/runs" params={{ project }} className="shell-wide">
          {t('nav.runs')}
        </RouteLink>
        <span className="sep shell-wide">/</span>
        {run.parent && (
          <>
            <RouteLink
              to="/p/$project/runs/$run"
              params={{ project, run: run.parent.run }}
              search={{ node: run.parent.node }}
              className="shell-wide"
            >
              {own('scope.parent')} · <span className="mono">{run.parent.node}</span>
            </RouteLink>
            <span className="sep shell-wide">/</span>
          </>
        )}
        <span className="clip" aria-current="page">
          {name}
        </span>
      </Crumbs>
      <BarActions>
        <RunButtons project={project} run={detail.id} flow={detail.document} />
      </BarActions>
      <div className="rn-head">
        <RunPill state={run.state} />
        <Elapsed />
        <Progress total={total} />
        <span className="quiet clip rn-flow">
          <RouteLink to="/p/$project/flows/$flow" params={{ project, flow: run.flow }}>
            {text(detail.flow_name)}
          </RouteLink>{' '}
          <span className="num">v{run.version}</span>
        </span>
        <span className="grow" />
        <LinkState link={link} ended={runEnded(run.state)} />
        {children}
      </div>
    </>
  )
}

/** How many nodes are done: drawn by itself, because it changes with every one of them. */
function Progress({ total }: { total: number }) {
  const { t } = useTranslation()
  const { counts } = useRunSummary(useRunStore())
  const done = (counts.get('succeeded') ?? 0) + (counts.get('skipped') ?? 0)
  return (
    <>
      <span className="num" title={t('run.progressHelp')}>
        {t('run.progress', { done, total })}
      </span>
      <progress max={total} value={done} aria-label={t('run.progressHelp')} />
    </>
  )
}

function Elapsed() {
  const format = useFormat()
  const run = useRun()
  const now = useNow(!run.ended_at)
  const ms = (run.ended_at ? Date.parse(run.ended_at) : now) - Date.parse(run.created_at)
  return (
    <span className="num quiet">{format.duration(run.ended_at ? ms : Math.max(0, Math.floor(ms / 1000) * 1000))}</span>
  )
}

function LinkState({ link, ended }: { link: Link; ended: boolean }) {
  const { t } = useTranslation()
  if (ended && link !== 'live') return null
  const bad = link === 'reconnecting' || link === 'closed'
  return (
    <span className="rn-link" data-s={bad ? 'waiting' : undefined} role="status" data-testid="link" data-link={link}>
      {bad ? <IconWifiOff size={14} aria-hidden /> : <IconWifi size={14} aria-hidden />}
      {t(`run.link.${link}`)}
    </span>
  )
}

/** The tab tells the state to those who look at another one, by its title and its icon. */
function useTab(name: string, state: string, run: RunModel['run'], needs: Needs): void {
  const mark = markOf({ run, ...needs })
  const title = `${signs[mark]} ${state} · ${name}`
  useEffect(() => {
    const before = document.title
    document.title = title
    return () => {
      document.title = before
    }
  }, [title])
  useEffect(() => {
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
    if (!icon) return
    const before = icon.href
    icon.href = iconOf(mark)
    return () => {
      icon.href = before
    }
  }, [mark])
}
