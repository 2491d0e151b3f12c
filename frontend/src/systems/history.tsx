import { Button } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Confirm } from '~/app/confirm'
import { useFormat } from '~/app/format'
import { IconHistory } from '~/app/icons'
import { EmptyState, ErrorNotice, say, sayError } from '~/app/notices'
import { Rows } from '~/app/rows'
import { useCodes } from '~/i18n/codes'
import { DifferenceView, isEmpty } from './difference'
import { registry, usePutSystem } from './registry-api'
import type { HistoryEntry, System } from './types'

/** How many names are written out. */
const namesMax = 5

/** What was changed in a system, the newest first; a version can be looked at and restored. */
export function HistoryTab({ project, system }: { project: string; system: System }) {
  const { t } = useTranslation('registry')
  const { t: common } = useTranslation()
  const query = useInfiniteQuery(registry.history(project, system.id))
  const [open, setOpen] = useState<number>()
  const entries = query.data?.pages.flatMap((p) => p.items) ?? []
  return (
    <div className="sys-history">
      {query.isPending && <Rows />}
      {query.error && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && entries.length === 0 && <EmptyState title={t('history.empty')} />}
      <ol>
        {entries.map((e) => (
          <Entry
            key={e.version}
            project={project}
            system={system}
            entry={e}
            open={open === e.version}
            onOpen={() => setOpen(open === e.version ? undefined : e.version)}
          />
        ))}
      </ol>
      {query.hasNextPage && (
        <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {common('action.more')}
        </Button>
      )}
    </div>
  )
}

interface EntryProps {
  project: string
  system: System
  entry: HistoryEntry
  open: boolean
  onOpen(): void
}

function Entry({ project, system, entry: e, open, onOpen }: EntryProps) {
  const { t } = useTranslation('registry')
  const format = useFormat()
  const facts = useFacts()(e)
  return (
    <li className="sys-entry">
      <button type="button" aria-expanded={open} onClick={onOpen}>
        <IconHistory size={15} aria-hidden />
        <strong className="num">{t('history.version', { n: e.version })}</strong>
        <span>{t(`history.action.${e.action}`)}</span>
        {e.version === system.version && <span className="pill">{t('history.now')}</span>}
        <span className="quiet">{t('history.by', { who: e.actor, when: format.when(e.at) })}</span>
        {facts.length > 0 && <span className="quiet sys-entry-facts">{facts.join(' · ')}</span>}
      </button>
      {open && <Look project={project} system={system} version={e.version} />}
    </li>
  )
}

function useFacts(): (e: HistoryEntry) => string[] {
  const { t } = useTranslation('registry')
  const list = (names: string[]) => {
    const some = names.slice(0, namesMax).join(', ')
    return names.length > namesMax ? t('history.names', { names: some, n: names.length }) : some
  }
  return ({ summary: s }) =>
    [
      s.added && t('history.added', { n: s.added }),
      s.changed && t('history.changed', { n: s.changed }),
      s.removed && t('history.removed', { n: s.removed }),
      s.enabled?.length && t('history.enabled', { names: list(s.enabled) }),
      s.disabled?.length && t('history.disabled', { names: list(s.disabled) }),
      s.revoked && t('history.revoked', { n: s.revoked }),
      s.fields?.length && s.fields.map((f) => f.field).join(', '),
    ].filter((x): x is string => typeof x === 'string' && x !== '')
}

/** A version's document against the present one, and the way back to it. */
function Look({ project, system, version }: { project: string; system: System; version: number }) {
  const { t } = useTranslation('registry')
  const codes = useCodes()
  const [asking, setAsking] = useState(false)
  const entry = useQuery(registry.version(project, system.id, version))
  const document = entry.data?.document
  const diff = useQuery(registry.against(project, system.id, version, document))
  const put = usePutSystem(project)
  if (entry.isPending) return <Rows />
  if (entry.error) return <ErrorNotice error={entry.error} onRetry={() => void entry.refetch()} />
  if (!document) return <p className="quiet sys-look">{t('history.noDocument')}</p>
  const same = diff.data !== undefined && isEmpty(diff.data)
  const restore = () =>
    put.mutate(document, {
      onSuccess: () => {
        say(t('history.restored', { n: version }))
        setAsking(false)
      },
      onError: (e) => sayError(codes.error(e)),
    })
  return (
    <section className="sys-look" aria-label={t('history.look', { n: version })}>
      {diff.isPending && <Rows />}
      {diff.error && <ErrorNotice error={diff.error} onRetry={() => void diff.refetch()} />}
      {same && <p className="quiet">{t('history.same')}</p>}
      {diff.data && !same && (
        <>
          <div className="cat-action-head">
            <h3>{t('history.compare')}</h3>
            <Button variant="default" onClick={() => setAsking(true)}>
              {t('history.restore')}
            </Button>
          </div>
          <DifferenceView difference={diff.data} />
        </>
      )}
      <details className="sys-fold">
        <summary>{t('history.document')}</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
        <pre className="sys-code" tabIndex={0}>
          {JSON.stringify(document, null, 2).slice(0, textMax)}
        </pre>
      </details>
      <Confirm
        opened={asking}
        title={t('history.restoreTitle', { n: version })}
        confirm={t('history.restore')}
        busy={put.isPending}
        onConfirm={restore}
        onClose={() => setAsking(false)}
      >
        {diff.data?.fields.some((f) => f.field === 'base_url') ? t('edit.newBase') : t('diff.widerHint')}
      </Confirm>
    </section>
  )
}

/** How much of a document is written out. */
const textMax = 200_000
