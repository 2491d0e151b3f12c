import { Skeleton, Switch } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import type { NodeState, RunDetail } from '~/api/types'
import { useFormat } from '~/app/format'
import { ErrorNotice } from '~/app/notices'
import { useNodeName } from '~/canvas/nodes'
import type { PathNode } from '~/doc/paths'
import { NodePill } from '~/run/glyph'
import { useRunStore, useRunSummary } from '~/run/store'
import { compareNodes, type NodeComparison, variablesOf } from './comparison'
import { useLastGood } from './last-good'
import { Compared } from './values'

interface Props {
  project: string
  detail: RunDetail
  nodes: readonly PathNode[]
  onChoose(path: string): void
}

/** This run beside the last one of its flow that went well. */
export function Compare({ project, detail, nodes, onChoose }: Props) {
  const { t } = useTranslation('console')
  const { good, error, isPending, refetch } = useLastGood(project, detail)
  const other = useQuery({
    ...queries.run(project, good?.id ?? ''),
    queryKey: ['run', project, good?.id ?? '', 'compared'],
    enabled: good !== undefined,
  })
  if (error ?? other.error) {
    return <ErrorNotice error={error ?? other.error} onRetry={() => void (error ? refetch() : other.refetch())} />
  }
  if (!isPending && !good) return <p className="quiet rn-none">{t('compare.none')}</p>
  if (!other.data) return <Skeleton className="tl-wait" height={120} radius="md" />
  return <Beside project={project} detail={detail} good={other.data} nodes={nodes} onChoose={onChoose} />
}

function Beside({ project, detail, good, nodes, onChoose }: Props & { good: RunDetail }) {
  const { t } = useTranslation('console')
  const { t: common } = useTranslation()
  const format = useFormat()
  const store = useRunStore()
  const summary = useRunSummary(store)
  const nameOf = useNodeName()
  const [all, setAll] = useState(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the summary says when states changed
  const rows = useMemo(() => compareNodes(nodes, (p) => store.node(p), good), [nodes, good, store, summary])
  const shown = all ? rows : rows.filter((r) => r.news)
  const byPath = new Map(nodes.map((n) => [n.path, n]))
  const name = (r: NodeComparison) => {
    const entry = byPath.get(r.path)
    return entry ? nameOf(entry.node) : r.path
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <section className="rn-oplog" aria-label={t('sheet.compare')} tabIndex={0}>
      <div className="rn-tools">
        <span>
          {t('compare.with')}{' '}
          <Link to="/p/$project/runs/$run" params={{ project, run: good.id }}>
            {good.name}
          </Link>{' '}
          <span className="quiet num">
            v{good.version} · {format.full(good.created_at)}
          </span>
        </span>
        {good.version !== detail.version && (
          <span className="rn-news">{t('compare.version', { here: detail.version, there: good.version })}</span>
        )}
        <span className="grow" />
        <Switch size="xs" label={t('compare.all')} checked={all} onChange={(e) => setAll(e.currentTarget.checked)} />
      </div>
      {shown.length === 0 && <p className="quiet">{t('compare.same')}</p>}
      {shown.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{t('operations.node')}</th>
              <th scope="col">{t('compare.here')}</th>
              <th scope="col">{t('compare.there')}</th>
              <th scope="col">{t('compare.news')}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((r) => (
              <tr key={r.path}>
                <td>
                  <button type="button" className="rn-logname" title={r.path} onClick={() => onChoose(r.path)}>
                    {name(r)}
                  </button>
                </td>
                <td>
                  <Went state={r.here} took={r.tookHere} />
                </td>
                <td>
                  <Went state={r.there ?? 'idle'} took={r.tookThere} />
                </td>
                <td>{r.news && t(`compare.is.${r.news}`)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <h3>{common('variables.title')}</h3>
      <Compared before={variablesOf(good)} after={variablesOf(summary.run)} label={common('variables.title')} />
    </section>
  )
}

function Went({ state, took }: { state: NodeState; took: number | undefined }) {
  const format = useFormat()
  return (
    <span className="rn-went">
      <NodePill view={{ state }} />
      {took !== undefined && <span className="num quiet">{format.duration(took)}</span>}
    </span>
  )
}
