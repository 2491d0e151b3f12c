import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { apiBase, call, path } from '~/api/client'
import type { Page } from '~/api/types'
import { useFormat } from '~/app/format'
import { ErrorNotice } from '~/app/notices'

/** A plugin call that can be made again elsewhere. */
interface Recording {
  id: string
  attempt: number
  call: number
  at: string
  reason: string
  plugin: string
  action: string
  status: string
  code?: string
  truncated?: string
}

interface Props {
  project: string
  run: string
  node: string
}

/** What was recorded of a node's plugin calls: to take along, and how to replay it. */
export function Recordings({ project, run, node }: Props) {
  const { t } = useTranslation('recordings')
  const format = useFormat()
  const base = path('projects', project, 'runs', run, 'nodes', node, 'recordings')
  const { data, error, refetch } = useQuery({
    queryKey: ['recordings', project, run, node],
    queryFn: ({ signal }) => call<Page<Recording>>(base, { signal }),
    gcTime: 0,
  })
  return (
    <section aria-label={t('title')}>
      <h3>{t('title')}</h3>
      {error && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton height={48} radius="md" />}
      {data?.items.length === 0 && <p className="quiet">{t('none')}</p>}
      <ul className="rn-calls">
        {data?.items.map((r) => {
          const name = t('call', { attempt: r.attempt, call: r.call + 1 })
          return (
            <li key={r.id}>
              <div className="rn-call">
                <a
                  href={`${apiBase}${base}${path(r.id)}`}
                  download={`${node}-${r.attempt}-${r.call + 1}.json`}
                  aria-label={t('save', { name })}
                >
                  {name}
                </a>
                <span className="mono" data-s={r.status}>
                  {r.code ?? r.status}
                </span>
              </div>
              <div className="quiet num">
                {format.full(r.at)} · {r.plugin}.{r.action} · {r.reason}
                {r.truncated && ` · ${t('cut')}`}
              </div>
            </li>
          )
        })}
      </ul>
      {data && data.items.length > 0 && (
        <p className="quiet">
          {t('replay')} <code className="mono">{`culm plugin replay ${run} ${node} --server ${location.origin}`}</code>
        </p>
      )}
    </section>
  )
}
