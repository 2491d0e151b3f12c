import { ActionIcon, Button, Group, Menu, Modal, TextInput } from '@mantine/core'
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { Suspense, useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { call, idempotencyKey, path } from '~/api/client'
import { useCreateFlow, useDeleteFlow } from '~/api/queries'
import type { Flow, FlowSummary, FlowVersion, Page } from '~/api/types'
import { Confirm } from '~/app/confirm'
import { useFormat } from '~/app/format'
import { IconDotsVertical, IconPlayerPlay, IconPlus, IconTrash, IconUpload } from '~/app/icons'
import { lazy } from '~/app/lazy'
import { say, sayError } from '~/app/notices'
import { Crumbs } from '~/app/shell'
import { live } from '~/home/queries'
import { loadTexts } from '~/i18n'
import { useCodes } from '~/i18n/codes'
import { useLang, useText } from '~/i18n/text'
import { RunPill } from '~/run/states'
import { type BulkAction, BulkBar } from './list/bulk-dialog'
import { useColumns } from './list/columns'
import type { Column } from './list/list'
import { useNarrow } from './list/narrow'
import { PagedList, useItems } from './list/paged'
import { type FlowsSearch, flowsSearch, narrowed, queryOf, stages, timesOf, viewOf, wordsOf } from './list/search'
import { Chips, ColumnPicker, MoreFilters, SearchField } from './list/toolbar'
import { Views } from './list/views'

const ImportDialog = lazy(async () => {
  const [module] = await Promise.all([import('~/files/import'), loadTexts('files')])
  return { default: module.ImportDialog }
})

const route = getRouteApi('/p/$project/flows')

const usual = ['last', 'version', 'nodes', 'updated', 'act'] as const

/** The list of a project's flows. */
export function FlowsPage() {
  const { t } = useTranslation()
  const { t: home } = useTranslation('home')
  const { project } = route.useParams()
  const search = route.useSearch()
  const navigate = useNavigate()
  const client = useQueryClient()
  const text = useText()
  const flows = useFlows(project, search)
  const items = useItems(flows)
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const [removing, setRemoving] = useState<FlowSummary | null>(null)
  const change = useNarrow<FlowsSearch>(search, flowsSearch)
  const narrow = useCallback(
    (next: FlowsSearch) => {
      setSelected(new Set())
      change(next)
    },
    [change],
  )
  const all = useFlowColumns(project, search, narrow, setRemoving)
  const choice = all.slice(1, -1)
  const { shown, keep } = useColumns(
    'flows',
    choice.map((c) => c.id),
    usual,
    search.cols,
  )
  const columns = all.filter((c, i) => i === 0 || c.id === 'act' || shown.includes(c.id))
  const nameOf = useCallback((flow: FlowSummary) => text(flow.name), [text])
  const onSearch = useCallback((q: string) => narrow({ q }), [narrow])
  const filtered = narrowed(search)
  const [importing, setImporting] = useState(false)
  const creating = search.create !== undefined
  const create = (
    <Button leftSection={<IconPlus size={15} />} onClick={() => narrow({ create: '1' })}>
      {t('flows.create')}
    </Button>
  )
  return (
    <div className="lp-wrap">
      <div className="lp">
        <Crumbs>
          <span className="sep shell-wide">/</span>
          <span aria-current="page">{t('nav.flows')}</span>
        </Crumbs>
        <div className="lp-head">
          <h1>{t('nav.flows')}</h1>
          <SearchField label={t('flows.search')} value={search.q ?? ''} onChange={onSearch} />
          <Chips
            label={home('list.stages')}
            chips={stages.map((s) => ({ value: s, label: home(`list.${s}`) }))}
            on={search.stage ? [search.stage] : []}
            onChange={(on) => narrow({ stage: on[0] })}
            single
          />
          <span className="grow" />
          <MoreFilters
            time={search}
            person={search.by ?? ''}
            personLabel={home('list.by')}
            onTime={(time) => narrow({ since: time.since, from: time.from, to: time.to })}
            onPerson={(by) => narrow({ by })}
          />
          <Views
            project={project}
            list="flows"
            query={viewOf(search)}
            onOpen={(view) => {
              setSelected(new Set())
              void navigate({ to: '.', search: flowsSearch(wordsOf(view)) })
            }}
          />
          <ColumnPicker columns={choice} shown={shown} onChange={(c) => narrow({ cols: keep(c) })} />
          <Button
            variant="default"
            leftSection={<IconUpload size={14} aria-hidden />}
            onClick={() => setImporting(true)}
          >
            {home('list.import')}
          </Button>
          {create}
        </div>
        <PagedList
          query={flows}
          narrowed={filtered}
          noMatch={search.q && t('flows.noMatch', { q: search.q })}
          onClear={() => void navigate({ to: '.', search: {}, replace: true })}
          empty={{ title: t('flows.empty'), hint: t('flows.emptyHint'), action: create }}
          label={t('nav.flows')}
          columns={columns}
          keyOf={keyOf}
          nameOf={nameOf}
          selected={selected}
          onSelect={setSelected}
        />
      </div>
      <BulkBar
        items={items.filter((f) => selected.has(f.id))}
        actions={useFlowActions(project)}
        nameOf={nameOf}
        onClear={() => setSelected(new Set())}
        onDone={() => void client.invalidateQueries({ queryKey: ['flows', project] })}
      />
      <RemoveDialog project={project} flow={removing} onClose={() => setRemoving(null)} />
      <CreateDialog project={project} opened={creating} onClose={() => narrow({ create: undefined })} />
      {importing && (
        <Suspense>
          <ImportDialog project={project} onClose={() => setImporting(false)} />
        </Suspense>
      )}
    </div>
  )
}

const keyOf = (flow: FlowSummary) => flow.id

/** The flows that the address asks for, page by page. */
function useFlows(project: string, search: FlowsSearch) {
  const lang = useLang()
  const { q, stage, by, since, from, to } = search
  const byName = search.sort === 'name'
  const sort = byName ? `name_${lang}` : undefined
  const order = search.order ?? (byName ? 'asc' : 'desc')
  return useInfiniteQuery({
    queryKey: ['flows', project, 'list', q, stage, by, since, from, to, sort, order],
    queryFn: ({ pageParam, signal }) => {
      const words = { q, stage, by, sort, order, ...timesOf(search, Date.now()) }
      return call<Page<FlowSummary>>(
        `${path('projects', project, 'flows')}?${queryOf({ ...words, limit: '100', cursor: pageParam })}`,
        { signal },
      )
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next,
    meta: live,
  })
}

function useFlowActions(project: string): BulkAction<FlowSummary>[] {
  const { t } = useTranslation('home')
  const at = (flow: FlowSummary, ...rest: string[]) => path('projects', project, 'flows', flow.id, ...rest)
  return [
    {
      label: t('bulk.publish'),
      act: async (flow) => {
        const version = await call<FlowVersion>(at(flow, 'versions'), {
          method: 'POST',
          body: { revision: flow.revision, note: '' },
          headers: idempotencyKey(),
        })
        return version.version === flow.version
          ? t('bulk.unchanged')
          : t('bulk.publishedAs', { version: version.version })
      },
    },
    {
      label: t('bulk.remove'),
      act: async (flow) => {
        await call<void>(at(flow), { method: 'DELETE' })
        return undefined
      },
      danger: true,
    },
  ]
}

function useFlowColumns(
  project: string,
  search: FlowsSearch,
  narrow: (next: FlowsSearch) => void,
  onRemove: (flow: FlowSummary) => void,
): Column<FlowSummary>[] {
  const { t } = useTranslation()
  const { t: home } = useTranslation('home')
  const text = useText()
  const format = useFormat()
  const byName = search.sort === 'name'
  const order = (search.order as 'asc' | 'desc' | undefined) ?? (byName ? 'asc' : 'desc')
  const turned = order === 'asc' ? 'desc' : 'asc'
  return [
    {
      id: 'name',
      title: t('flows.name'),
      width: 'minmax(190px, 2.6fr)',
      sort: {
        order: byName ? order : undefined,
        toggle: () => narrow({ sort: 'name', order: byName ? turned : undefined }),
      },
      cell: (flow) => (
        <>
          <Link className="title" to="/p/$project/flows/$flow" params={{ project, flow: flow.id }}>
            {text(flow.name)}
          </Link>{' '}
          {flow.doc && <span className="quiet">{text(flow.doc)}</span>}
        </>
      ),
    },
    {
      id: 'last',
      title: t('flows.lastRun'),
      width: '96px',
      cell: (flow) =>
        flow.last_run ? (
          <Link
            to="/p/$project/runs/$run"
            params={{ project, run: flow.last_run.id }}
            aria-label={t('flows.openRun', { name: text(flow.name) })}
          >
            <RunPill state={flow.last_run.state} />
          </Link>
        ) : (
          <span className="quiet">{t('flows.neverRun')}</span>
        ),
    },
    {
      id: 'version',
      title: t('flows.version'),
      width: '124px',
      wide: true,
      num: true,
      cell: (flow) => <Stage flow={flow} />,
    },
    { id: 'nodes', title: t('flows.nodes'), width: '52px', wide: true, num: true, cell: (flow) => flow.nodes },
    {
      id: 'updated',
      title: t('flows.updated'),
      width: '112px',
      wide: true,
      num: true,
      sort: {
        order: byName ? undefined : order,
        toggle: () => narrow({ sort: undefined, order: byName ? undefined : turned === 'asc' ? 'asc' : undefined }),
      },
      cell: (flow) => <time dateTime={flow.updated_at}>{format.when(flow.updated_at)}</time>,
    },
    {
      id: 'by',
      title: home('list.columnBy'),
      width: '90px',
      wide: true,
      cell: (flow) => <span className="quiet">{flow.updated_by}</span>,
    },
    {
      id: 'id',
      title: home('list.columnId'),
      width: 'minmax(110px, 1fr)',
      wide: true,
      cell: (flow) => <span className="mono quiet">{flow.id}</span>,
    },
    {
      id: 'act',
      title: t('flows.actions'),
      width: '104px',
      cell: (flow) => <RowActions project={project} flow={flow} onRemove={() => onRemove(flow)} />,
    },
  ]
}

/** How far a flow has come, in words. */
function Stage({ flow }: { flow: FlowSummary }) {
  const { t } = useTranslation()
  const { t: home } = useTranslation('home')
  const version = flow.version > 0 ? `v${flow.version}` : t('flows.draft')
  if (!flow.valid) {
    return (
      <>
        {version}{' '}
        <span className="pill" data-s="waiting" style={{ paddingInlineStart: 8 }}>
          {t('flows.invalid')}
        </span>
      </>
    )
  }
  const changed = flow.version > 0 && flow.revision !== flow.published_revision
  return changed ? <span title={home('list.changed')}>{version} *</span> : version
}

function RowActions({ project, flow, onRemove }: { project: string; flow: FlowSummary; onRemove(): void }) {
  const { t } = useTranslation()
  const text = useText()
  const navigate = useNavigate()
  const name = text(flow.name)
  return (
    <span className="ls-act">
      <Button
        variant="default"
        size="compact-xs"
        leftSection={<IconPlayerPlay size={13} />}
        disabled={flow.version === 0}
        title={flow.version === 0 ? t('flows.publishFirst') : undefined}
        aria-label={t('flows.startNamed', { name })}
        onClick={() => void navigate({ to: '/p/$project/flows/$flow/start', params: { project, flow: flow.id } })}
      >
        {t('action.start')}
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon aria-label={t('flows.moreNamed', { name })} size={24}>
            <IconDotsVertical size={16} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            component={Link}
            {...({ to: '/p/$project/runs', params: { project }, search: { flow: flow.id } } as object)}
          >
            {t('flows.itsRuns')}
          </Menu.Item>
          <Menu.Item color="red" leftSection={<IconTrash size={14} aria-hidden />} onClick={onRemove}>
            {t('action.remove')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </span>
  )
}

function RemoveDialog({ project, flow, onClose }: { project: string; flow: FlowSummary | null; onClose(): void }) {
  const { t } = useTranslation()
  const text = useText()
  const codes = useCodes()
  const remove = useDeleteFlow(project)
  return (
    <Confirm
      opened={flow !== null}
      title={t('flows.removeTitle')}
      confirm={t('action.remove')}
      danger
      busy={remove.isPending}
      onConfirm={() =>
        flow &&
        remove.mutate(flow.id, {
          onSuccess: () => say(t('flows.removed', { name: text(flow.name) })),
          onError: (e) => sayError(codes.error(e)),
          onSettled: onClose,
        })
      }
      onClose={onClose}
    >
      {flow && t('flows.removeText', { name: text(flow.name) })}
    </Confirm>
  )
}

function CreateDialog({ project, opened, onClose }: { project: string; opened: boolean; onClose(): void }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const codes = useCodes()
  const create = useCreateFlow(project)
  const [name, setName] = useState('')
  const submit = () => {
    const document: Flow = { format: 'culm.flow/v1', name: name.trim(), nodes: [], edges: [] }
    create.mutate(document, {
      onSuccess: (flow) => void navigate({ to: '/p/$project/flows/$flow', params: { project, flow: flow.id } }),
    })
  }
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t('flows.create')}
      size="sm"
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form
        onSubmit={(e) => {
          e.preventDefault()
          if (name.trim()) submit()
        }}
      >
        <TextInput
          label={t('flows.name')}
          value={name}
          maxLength={128}
          onChange={(e) => setName(e.currentTarget.value)}
          error={create.error ? codes.error(create.error) : undefined}
          data-autofocus
          required
        />
        <Group justify="flex-end" mt="md" gap="xs">
          <Button variant="default" onClick={onClose}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={create.isPending} disabled={!name.trim()}>
            {t('action.create')}
          </Button>
        </Group>
      </form>
    </Modal>
  )
}
