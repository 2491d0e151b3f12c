import type { QueryClient } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useFormat } from '~/app/format'
import { IconAlertTriangle, IconCheck } from '~/app/icons'
import { keepFresh } from './changes'
import './away.css'

/** How long a server is away before it is said, and how long it is said that it is back, in ms. */
const bearMs = 2500
const backMs = 4000

/** Keeps what the pages show of a project fresh, and says when that cannot be because the server is away. */
export function Away({ project, client }: { project: string; client: QueryClient }) {
  const { t } = useTranslation('codes')
  const format = useFormat()
  // The run console says it in its own head.
  const console = useParams({ strict: false }).run
  const [away, setAway] = useState<string | null>(null)
  const [said, setSaid] = useState<{ since: string; back?: boolean } | null>(null)
  useEffect(
    () => keepFresh(client, project, (gone) => setAway(gone ? new Date().toISOString() : null)),
    [client, project],
  )
  useEffect(() => {
    if (!away) setSaid((old) => old && { ...old, back: true })
    const timer = setTimeout(() => setSaid(away ? { since: away } : null), away ? bearMs : backMs)
    return () => clearTimeout(timer)
  }, [away])
  return (
    <div className="aw" role="status">
      {said && !console && (
        <div className="aw-sign" data-s={said.back ? 'succeeded' : 'waiting'} data-testid="away">
          {said.back ? <IconCheck size={16} aria-hidden /> : <IconAlertTriangle size={16} aria-hidden />}
          <span>
            <strong>{t(said.back ? 'away.back' : 'away.away')}</strong>{' '}
            {!said.back && <span className="aw-more">{t('away.more', { time: format.when(said.since) })}</span>}
          </span>
        </div>
      )}
    </div>
  )
}
