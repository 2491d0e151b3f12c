import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useFormat } from '~/app/format'
import { short } from '~/catalogue/entries'
import { FailureNotice } from './failure'
import type { AuditEntry } from './types'

/** Everything that the log knows of one entry. */
export function EntryDetail({ project, entry: e }: { project: string; entry: AuditEntry }) {
  const { t } = useTranslation('systems')
  const format = useFormat()
  const mono = (value: string | undefined) => value && <span className="mono">{value}</span>
  const facts: [string, ReactNode][] = [
    [t('audit.at'), format.full(e.at)],
    [t('audit.actor'), e.on_behalf_of ? t('audit.behalf', { who: e.actor, whom: e.on_behalf_of }) : e.actor],
    [
      t('audit.run'),
      e.run && (
        <Link to="/p/$project/runs/$run" params={{ project, run: e.run }} search={e.node ? { node: e.node } : {}}>
          <span className="mono">{e.run}</span>
        </Link>
      ),
    ],
    [t('audit.place'), e.node && t('audit.attempt', { node: e.node, n: e.attempt ?? 1 })],
    [t('audit.plugin'), e.plugin && mono(`${e.plugin} ${e.digest ? short(e.digest) : ''}`)],
    [t('audit.method'), mono(e.method)],
    [t('audit.credential'), mono(e.credential)],
    [t('audit.status'), e.status ? String(e.status) : undefined],
    [t('audit.address'), mono(e.source?.address)],
    [t('audit.forwarded'), mono(e.source?.forwarded)],
    [t('audit.agent'), mono(e.source?.agent)],
    [t('audit.requestHash'), mono(e.request_hash)],
    [t('audit.seq'), String(e.seq)],
  ]
  return (
    <div className="sys-detail">
      {e.failure && <FailureNotice failure={e.failure} />}
      {!e.failure && e.code && <p className="mono">{e.code}</p>}
      {e.replayed && <p className="quiet">{t('audit.replayed')}</p>}
      {e.secret_echo && <p className="quiet">{t('audit.echo')}</p>}
      <dl className="sys-dl">
        {facts
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
      {e.detail !== undefined && e.detail !== null && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
        <pre className="sys-code" tabIndex={0}>
          {JSON.stringify(e.detail, null, 2)}
        </pre>
      )}
    </div>
  )
}
