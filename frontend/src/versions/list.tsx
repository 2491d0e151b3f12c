import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { FlowDetail, FlowVersion } from '~/api/types'
import { useFormat } from '~/app/format'
import { IconAlertTriangle } from '~/app/icons'
import { EmptyState, ErrorNotice } from '~/app/notices'
import { Rows } from '~/app/rows'
import type { Revision } from './api'
import { draft, type Place, wordOf } from './place'

interface Props {
  list: 'versions' | 'saves'
  now: FlowDetail
  versions: readonly FlowVersion[]
  saves: readonly Revision[]
  pending: boolean
  error: unknown
  more: (() => void) | undefined
  onRetry(): void
  /** The state that is looked at. */
  shown: string
  onShow(place: Place): void
}

/** The versions of a flow below its draft, or the saves of the draft that are kept, the newest first. */
export function HistoryList({ list, now, versions, saves, pending, error, more, onRetry, shown, onShow }: Props) {
  const { t } = useTranslation('versions')
  const { t: common } = useTranslation()
  if (pending) return <Rows />
  if (error) return <ErrorNotice error={error} onRetry={onRetry} />
  const changed = now.version > 0 && now.published_revision !== now.revision
  return (
    <>
      <ol className="vs-list">
        {list === 'versions' && (
          <Entry
            place={draft}
            title={t('place.draft')}
            at={now.updated_at}
            by={now.updated_by}
            mark={now.version === 0 ? t('page.unpublished') : changed ? t('page.changed') : t('page.published')}
            shown={shown}
            onShow={onShow}
          />
        )}
        {list === 'versions' &&
          versions.map((v) => (
            <Entry
              key={v.version}
              place={{ kind: 'version', number: v.version }}
              title={t('place.version', { n: v.version })}
              at={v.created_at}
              by={v.created_by}
              note={v.note}
              mark={v.version === now.version ? t('page.latest') : undefined}
              shown={shown}
              onShow={onShow}
            />
          ))}
        {list === 'saves' &&
          saves.map((r) => (
            <Entry
              key={r.revision}
              place={{ kind: 'revision', number: r.revision }}
              title={t('place.revision', { n: r.revision })}
              at={r.saved_at}
              by={r.saved_by}
              note={t('page.nodes', { n: r.nodes })}
              bad={!r.valid}
              mark={r.revision === now.revision ? t('page.current') : undefined}
              shown={shown}
              onShow={onShow}
            />
          ))}
      </ol>
      {list === 'versions' && versions.length === 0 && (
        <EmptyState title={t('page.noVersions')}>{t('page.noVersionsHelp')}</EmptyState>
      )}
      {list === 'saves' && <p className="quiet vs-hint">{t('page.keptHelp')}</p>}
      {more && (
        <Button variant="default" size="compact-sm" onClick={more}>
          {common('action.more')}
        </Button>
      )}
    </>
  )
}

interface EntryProps {
  place: Place
  title: string
  at: string
  by: string
  note?: string | undefined
  mark?: string | undefined
  bad?: boolean
  shown: string
  onShow(place: Place): void
}

function Entry({ place, title, at, by, note, mark, bad, shown, onShow }: EntryProps) {
  const { t } = useTranslation('versions')
  const format = useFormat()
  return (
    <li>
      <button type="button" aria-current={wordOf(place) === shown || undefined} onClick={() => onShow(place)}>
        <span className="vs-list-head">
          <strong className="num">{title}</strong>
          {mark && <span className="vs-mark">{mark}</span>}
          {bad && (
            <span className="vs-bad" role="img" aria-label={t('page.invalid')} title={t('page.invalid')}>
              <IconAlertTriangle size={13} aria-hidden />
            </span>
          )}
        </span>
        {note && (
          <span className="vs-list-note" data-user-text={place.kind === 'version' || undefined}>
            {note}
          </span>
        )}
        <span className="quiet num" title={format.full(at)}>
          {format.when(at)} · {by}
        </span>
      </button>
    </li>
  )
}
