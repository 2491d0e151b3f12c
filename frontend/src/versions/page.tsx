import { ActionIcon, Button, Group, SegmentedControl, Select, Tooltip } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import type { Flow, FlowDetail, FlowVersion, Plugin } from '~/api/types'
import { IconArrowDown, IconArrowUp, IconHistory, IconPlayerPlay } from '~/app/icons'
import { PageLoading } from '~/app/loading'
import { EmptyState, ErrorNotice } from '~/app/notices'
import { Crumbs } from '~/app/shell'
import type { View } from '~/canvas/rf'
import { placed } from '~/doc/arrange'
import { noteRect } from '~/doc/notes'
import { useText } from '~/i18n/text'
import { useKeys } from '~/runs/hotkeys'
import { history } from './api'
import { ChangeList } from './changes'
import type { Change } from './compare'
import { Counts } from './counts'
import { DiffCanvas } from './diff-canvas'
import { type Overlaid, overlay } from './drawing'
import { HistoryList } from './list'
import { draft, earlier, type Place, placeIn, wordOf } from './place'
import { RestoreDialog } from './restore'
import './versions.css'

const route = getRouteApi('/p/$project/flows/$flow/versions')

/** The history of a flow: its versions and saves, what differs between any two, and the way back to one. */
export function VersionsPage() {
  const { project, flow } = route.useParams()
  const now = useQuery(history.draft(project, flow))
  const versions = useInfiniteQuery(history.versions(project, flow))
  const plugins = useQuery(queries.plugins(project))
  const error = now.error ?? versions.error
  if (error) {
    return (
      <div className="page">
        <ErrorNotice error={error} onRetry={() => void (now.error ? now : versions).refetch()} />
      </div>
    )
  }
  if (!now.data || !versions.data) return <PageLoading />
  return (
    <Loaded
      project={project}
      now={now.data}
      versions={versions.data.pages.flatMap((p) => p.items)}
      more={versions.hasNextPage ? () => void versions.fetchNextPage() : undefined}
      plugins={plugins.data ?? []}
    />
  )
}

interface Props {
  project: string
  now: FlowDetail
  versions: readonly FlowVersion[]
  more: (() => void) | undefined
  plugins: readonly Plugin[]
}

function Loaded({ project, now, versions, more, plugins }: Props) {
  const { t } = useTranslation('versions')
  const text = useText()
  const search = route.useSearch()
  const [list, setList] = useState<'versions' | 'saves'>(placeIn(search.to)?.kind === 'revision' ? 'saves' : 'versions')
  const saves = useInfiniteQuery({ ...history.revisions(project, now.id), enabled: list === 'saves' })
  const kept = useMemo(() => saves.data?.pages.flatMap((p) => p.items) ?? [], [saves.data])
  const numbers = useMemo(() => kept.map((r) => r.revision), [kept])
  const to = placeIn(search.to) ?? draft
  const from = search.from === 'none' ? undefined : (placeIn(search.from) ?? earlier(to, now.version, numbers))
  const navigate = useNavigate()
  const show = useCallback(
    (place: Place, than?: Place | 'none') =>
      void navigate({
        to: '.',
        search: { to: wordOf(place), ...(than && { from: than === 'none' ? 'none' : wordOf(than) }) },
        replace: true,
      }),
    [navigate],
  )
  return (
    <div className="vs-page">
      <Crumbs>
        <span className="sep shell-wide">/</span>
        <Link
          to="/p/$project/flows/$flow"
          params={{ project, flow: now.id }}
          className="clip"
          aria-label={t('page.back')}
        >
          {text(now.document.name)}
        </Link>
        <span className="sep">/</span>
        <span aria-current="page" className="clip">
          {t('title')}
        </span>
      </Crumbs>
      <aside className="vs-side" aria-label={t('page.list')}>
        <SegmentedControl
          fullWidth
          size="xs"
          aria-label={t('page.list')}
          value={list}
          onChange={(v) => setList(v as typeof list)}
          data={(['versions', 'saves'] as const).map((value) => ({ value, label: t(`page.${value}`) }))}
        />
        <HistoryList
          list={list}
          now={now}
          versions={versions}
          saves={kept}
          pending={list === 'saves' && saves.isPending}
          error={list === 'saves' ? saves.error : null}
          more={list === 'saves' ? (saves.hasNextPage ? () => void saves.fetchNextPage() : undefined) : more}
          onRetry={() => void saves.refetch()}
          shown={wordOf(to)}
          onShow={show}
        />
      </aside>
      <Compared
        project={project}
        now={now}
        versions={versions}
        saves={numbers}
        plugins={plugins}
        from={from}
        to={to}
        onShow={show}
      />
    </div>
  )
}

interface ComparedProps {
  project: string
  now: FlowDetail
  versions: readonly FlowVersion[]
  saves: readonly number[]
  plugins: readonly Plugin[]
  from: Place | undefined
  to: Place
  onShow(place: Place, than?: Place | 'none'): void
}

/** Two states beside each other: the head says which, the drawing where, the list what. */
function Compared({ project, now, versions, saves, plugins, from, to, onShow }: ComparedProps) {
  const { t } = useTranslation('versions')
  const [restoring, setRestoring] = useState(false)
  const after = useQuery(history.standing(project, now.id, to))
  const older = useQuery({ ...history.standing(project, now.id, from ?? draft), enabled: from !== undefined })
  const shown = useOverlay(from ? older.data?.document : undefined, after.data?.document, from !== undefined)
  const nameOf = usePlaceName()
  const places = useMemo(() => {
    const all = [draft, ...versions.map((v): Place => ({ kind: 'version', number: v.version }))]
    const more = saves.map((number): Place => ({ kind: 'revision', number }))
    const words = new Map([...all, ...more, to, ...(from ? [from] : [])].map((p) => [wordOf(p), p]))
    return [...words].map(([value, place]) => ({ value, label: nameOf(place) }))
  }, [versions, saves, from, to, nameOf])
  const error = after.error ?? (from && older.error)
  const pick = (word: string | null) => placeIn(word ?? undefined)
  return (
    <section className="vs-main" aria-label={t('page.compare')}>
      <header className="vs-head">
        <Select
          size="xs"
          aria-label={t('page.from')}
          data={[{ value: 'none', label: t('page.nothing') }, ...places]}
          value={from ? wordOf(from) : 'none'}
          allowDeselect={false}
          onChange={(v) => onShow(to, pick(v) ?? 'none')}
        />
        <span aria-hidden="true" className="quiet">
          →
        </span>
        <Select
          size="xs"
          aria-label={t('page.to')}
          data={places}
          value={wordOf(to)}
          allowDeselect={false}
          onChange={(v) => onShow(pick(v) ?? draft, from ?? 'none')}
        />
        <span className="grow">{shown && from && <Counts changes={shown.changes} />}</span>
        {to.kind === 'version' && (
          <Tooltip label={t('page.start')}>
            <ActionIcon
              aria-label={t('page.start')}
              renderRoot={(props) => (
                <Link
                  {...props}
                  to="/p/$project/flows/$flow/start"
                  params={{ project, flow: now.id }}
                  search={{ version: to.number }}
                />
              )}
            >
              <IconPlayerPlay size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        )}
        {to.kind !== 'draft' && (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconHistory size={14} aria-hidden />}
            disabled={!after.data}
            onClick={() => setRestoring(true)}
          >
            {t('restore.open')}
          </Button>
        )}
      </header>
      {after.data?.note && to.kind === 'version' && (
        <p className="vs-note" data-user-text>
          {after.data.note}
        </p>
      )}
      {error ? (
        <ErrorNotice error={error} onRetry={() => void (after.error ? after : older).refetch()} />
      ) : shown ? (
        <Difference
          key={`${from ? wordOf(from) : ''}-${wordOf(to)}`}
          shown={shown}
          plugins={plugins}
          compared={!!from}
        />
      ) : (
        <PageLoading />
      )}
      {restoring && after.data && (
        <RestoreDialog
          project={project}
          flow={now.id}
          document={after.data.document}
          name={nameOf(to)}
          onClose={() => setRestoring(false)}
        />
      )}
    </section>
  )
}

/** The two documents on one drawing, once all nodes have places. */
function useOverlay(before: Flow | undefined, after: Flow | undefined, both: boolean): Overlaid | null {
  const [shown, setShown] = useState<{ before: Flow | undefined; after: Flow; overlaid: Overlaid } | null>(null)
  useEffect(() => {
    let gone = false
    if (!after || (both && !before)) return
    void Promise.all([placed(after), before && placed(before)]).then(([a, b]) => {
      if (!gone) setShown({ before, after, overlaid: overlay(before, after, { before: b, after: a }) })
    })
    return () => {
      gone = true
    }
  }, [before, after, both])
  return shown && shown.after === after && shown.before === before ? shown.overlaid : null
}

function Difference({ shown, plugins, compared }: { shown: Overlaid; plugins: readonly Plugin[]; compared: boolean }) {
  const { t } = useTranslation('versions')
  const [chosen, setChosen] = useState<string | null>(null)
  const view = useRef<View | null>(null)
  const choose = useCallback(
    (id: string | null) => {
      setChosen(id)
      const change = shown.changes.find((c) => c.id === id)
      const note = change?.list === 'notes' && shown.doc.notes?.find((n) => n.id === change.key)
      if (note) view.current?.reveal(noteRect(note))
      const node = change && placeOf(change, shown.doc)
      if (node) view.current?.centre(node)
    },
    [shown],
  )
  const step = (by: 1 | -1) => {
    const { changes } = shown
    if (changes.length === 0) return
    const at = changes.findIndex((c) => c.id === chosen)
    const next = at < 0 ? (by > 0 ? 0 : changes.length - 1) : (at + by + changes.length) % changes.length
    choose(changes[next]?.id ?? null)
  }
  useKeys([
    ['n', () => step(1)],
    ['p', () => step(-1)],
  ])
  return (
    <div className="vs-body" data-alone={!compared || shown.changes.length === 0}>
      <DiffCanvas
        shown={shown}
        plugins={plugins}
        chosen={chosen}
        onChoose={setChosen}
        onView={(next) => {
          view.current = next
        }}
      />
      {compared && (
        <aside className="vs-changes" aria-label={t('page.changes')}>
          <Group justify="space-between" className="vs-changes-head">
            <h2>{t('page.changes')}</h2>
            <Group gap={2}>
              <Tooltip label={`${t('page.previous')} (P)`}>
                <ActionIcon
                  aria-label={t('page.previous')}
                  aria-keyshortcuts="P"
                  disabled={shown.changes.length === 0}
                  onClick={() => step(-1)}
                >
                  <IconArrowUp size={16} aria-hidden />
                </ActionIcon>
              </Tooltip>
              <Tooltip label={`${t('page.next')} (N)`}>
                <ActionIcon
                  aria-label={t('page.next')}
                  aria-keyshortcuts="N"
                  disabled={shown.changes.length === 0}
                  onClick={() => step(1)}
                >
                  <IconArrowDown size={16} aria-hidden />
                </ActionIcon>
              </Tooltip>
            </Group>
          </Group>
          {shown.changes.length === 0 ? (
            <EmptyState title={t('count.none')}>{t('page.same')}</EmptyState>
          ) : (
            <ChangeList changes={shown.changes} doc={shown.doc} plugins={plugins} chosen={chosen} onChoose={choose} />
          )}
        </aside>
      )}
    </div>
  )
}

/** The node at which a change is seen: the node itself, where a line begins, the first that a scheme treats otherwise. */
function placeOf({ list, key, fields }: Change, doc: Flow): string | undefined {
  if (list === 'nodes') return key
  if (list === 'edges') return doc.edges.find((e) => e.id === key)?.from
  return list === 'schemes' ? fields.find((f) => f.path[0] === 'without')?.path[1] : undefined
}

/** How a state is named to a person. */
export function usePlaceName(): (place: Place) => string {
  const { t } = useTranslation('versions')
  return useCallback(
    (place) =>
      place.kind === 'draft'
        ? t('place.draft')
        : t(place.kind === 'version' ? 'place.version' : 'place.revision', { n: place.number }),
    [t],
  )
}
