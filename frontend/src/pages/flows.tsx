import { ActionIcon, Button, Group, Menu, Modal, Skeleton, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { queries, useCreateFlow, useDeleteFlow } from '~/api/queries'
import type { Flow, FlowSummary } from '~/api/types'
import { Confirm } from '~/app/confirm'
import { useFormat } from '~/app/format'
import { IconDotsVertical, IconPlayerPlay, IconPlus, IconSearch, IconTrash } from '~/app/icons'
import { EmptyState, ErrorNotice, say, sayError } from '~/app/notices'
import { Crumbs } from '~/app/shell'
import { useCodes } from '~/i18n/codes'
import { useText } from '~/i18n/text'
import { RunPill } from '~/run/states'

const StartDialog = lazy(() => import('~/editor/start').then((m) => ({ default: m.StartDialog })))

const route = getRouteApi('/p/$project/flows')

/** The list of a project's flows. */
export function FlowsPage() {
  const { t } = useTranslation()
  const { project } = route.useParams()
  const search = route.useSearch()
  const navigate = useNavigate()
  const [text, setText] = useState(search.q ?? '')
  const [q] = useDebouncedValue(text.trim(), 200)
  const { data, error, isPending, refetch } = useQuery(queries.flows(project, q))
  const [creating, setCreating] = useState(false)
  const create = (
    <Button leftSection={<IconPlus size={15} />} onClick={() => setCreating(true)}>
      {t('flows.create')}
    </Button>
  )
  const setQuery = (value: string) => {
    setText(value)
    void navigate({ to: '.', search: value ? { q: value } : {}, replace: true })
  }
  return (
    <div className="page">
      <Crumbs>
        <span className="sep shell-wide">/</span>
        <span aria-current="page">{t('nav.flows')}</span>
      </Crumbs>
      <div className="page-head">
        <h1>{t('nav.flows')}</h1>
        <span className="grow" />
        <TextInput
          aria-label={t('flows.search')}
          placeholder={t('flows.search')}
          leftSection={<IconSearch size={14} aria-hidden />}
          value={text}
          onChange={(e) => setQuery(e.currentTarget.value)}
          w={220}
        />
        {create}
      </div>
      {isPending && <Rows />}
      {error && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {data && data.items.length === 0 && (
        <EmptyState title={q ? t('flows.noMatch', { q }) : t('flows.empty')} action={q ? undefined : create}>
          {q ? null : t('flows.emptyHint')}
        </EmptyState>
      )}
      {data && data.items.length > 0 && <FlowTable project={project} flows={data.items} />}
      <CreateDialog project={project} opened={creating} onClose={() => setCreating(false)} />
    </div>
  )
}

/** Grey rows while a list is on its way. */
export function Rows() {
  const { t } = useTranslation()
  return (
    <div role="status" aria-label={t('state.loading')}>
      {[0, 1, 2, 3].map((i) => (
        <Skeleton key={i} height={38} mb={6} radius="md" />
      ))}
    </div>
  )
}

function FlowTable({ project, flows }: { project: string; flows: FlowSummary[] }) {
  const { t } = useTranslation()
  const [starting, setStarting] = useState<FlowSummary | null>(null)
  const [removing, setRemoving] = useState<FlowSummary | null>(null)
  const remove = useDeleteFlow(project)
  const codes = useCodes()
  const text = useText()
  const confirmRemove = (flow: FlowSummary) =>
    remove.mutate(flow.id, {
      onSuccess: () => say(t('flows.removed', { name: text(flow.name) })),
      onError: (e) => sayError(codes.error(e)),
      onSettled: () => setRemoving(null),
    })
  return (
    <>
      <table className="list">
        <thead>
          <tr>
            <th>{t('flows.name')}</th>
            <th>{t('flows.lastRun')}</th>
            <th>{t('flows.version')}</th>
            <th>{t('flows.nodes')}</th>
            <th>{t('flows.updated')}</th>
            <th aria-label={t('flows.actions')} />
          </tr>
        </thead>
        <tbody>
          {flows.map((flow) => (
            <FlowRow
              key={flow.id}
              project={project}
              flow={flow}
              onStart={() => setStarting(flow)}
              onRemove={() => setRemoving(flow)}
            />
          ))}
        </tbody>
      </table>
      {starting && (
        <Suspense fallback={null}>
          <StartDialog
            project={project}
            flow={starting.id}
            version={starting.version}
            onClose={() => setStarting(null)}
          />
        </Suspense>
      )}
      <Confirm
        opened={removing !== null}
        title={t('flows.removeTitle')}
        confirm={t('action.remove')}
        danger
        busy={remove.isPending}
        onConfirm={() => removing && confirmRemove(removing)}
        onClose={() => setRemoving(null)}
      >
        {removing && t('flows.removeText', { name: text(removing.name) })}
      </Confirm>
    </>
  )
}

function FlowRow({
  project,
  flow,
  onStart,
  onRemove,
}: {
  project: string
  flow: FlowSummary
  onStart(): void
  onRemove(): void
}) {
  const { t } = useTranslation()
  const text = useText()
  const format = useFormat()
  const name = text(flow.name)
  return (
    <tr>
      <td>
        <Link className="title" to="/p/$project/flows/$flow" params={{ project, flow: flow.id }}>
          {name}
        </Link>
        {!flow.valid && (
          <span className="pill" data-s="waiting" style={{ marginInlineStart: 8, paddingInlineStart: 8 }}>
            {t('flows.invalid')}
          </span>
        )}
        <div className="quiet clip" style={{ maxWidth: 460 }}>
          {flow.doc ? text(flow.doc) : <span className="mono">{flow.id}</span>}
        </div>
      </td>
      <td>
        {flow.last_run ? (
          <Link
            to="/p/$project/runs/$run"
            params={{ project, run: flow.last_run.id }}
            aria-label={t('flows.openRun', { name })}
          >
            <RunPill state={flow.last_run.state} />
          </Link>
        ) : (
          <span className="quiet">{t('flows.neverRun')}</span>
        )}
      </td>
      <td className="num wide">
        {flow.version > 0 ? `v${flow.version}` : <span className="quiet">{t('flows.draft')}</span>}
      </td>
      <td className="num wide">{flow.nodes}</td>
      <td className="num quiet wide">{format.when(flow.updated_at)}</td>
      <td className="act">
        <Group gap={4} justify="flex-end" wrap="nowrap">
          <Button
            variant="default"
            size="compact-xs"
            leftSection={<IconPlayerPlay size={13} />}
            disabled={flow.version === 0}
            title={flow.version === 0 ? t('flows.publishFirst') : undefined}
            aria-label={t('flows.startNamed', { name })}
            onClick={onStart}
          >
            {t('action.start')}
          </Button>
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon aria-label={t('flows.moreNamed', { name })}>
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
        </Group>
      </td>
    </tr>
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
