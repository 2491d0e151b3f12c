import { Button, Checkbox, Drawer, Group, SegmentedControl, Skeleton, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useContext, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import { queries, useNodeCommand } from '~/api/queries'
import type { Flow, FlowNode, Json, JsonObject, NodeCommand, Schema } from '~/api/types'
import { CanvasContext } from '~/canvas/context'
import { useNodeName } from '~/canvas/nodes'
import { hasConditions } from '~/doc/graph'
import type { PathNode } from '~/doc/paths'
import { findAction, scopeOf } from '~/doc/scope'
import { countViolations } from '~/form/count'
import { SchemaForm } from '~/form/lazy-form'
import { useText } from '~/i18n/text'
import { useNodeRun } from '~/run/store'
import { emptiesOf } from './empties'
import { useRefused } from './refused'
import { RollbackForm } from './rollback'
import { isTyped, TypedConfirm } from './typed'

/** What an operator can do to one node. */
export type NodeAct = 'retry' | 'skip' | 'force_fail' | 'resolve' | 'reschedule' | 'rollback'

interface Props {
  project: string
  run: string
  act: NodeAct
  entry: PathNode | undefined
  nodes: readonly PathNode[]
  onClose(): void
}

/** Asks for what an action needs, and sends it. */
export function NodeDialog({ project, run, act, entry, nodes, onClose }: Props) {
  const { t } = useTranslation(['translation', 'console'])
  const name = useNodeName()
  const command = useNodeCommand(project, run)
  const refused = useRefused()
  if (!entry) return null
  const { node, path, flow: drawing } = entry
  const send = (body: NodeCommand) =>
    command.mutate(
      { node: path, body },
      {
        onSuccess: onClose,
        onError: (error) => {
          refused(error)
          // Somebody was quicker: there is nothing left to send. Otherwise what was filled in stays.
          if (error instanceof ApiError && error.status === 409) onClose()
        },
      },
    )
  const form = { project, run, node, path, drawing, busy: command.isPending, send, onClose }
  return (
    <Drawer
      opened
      onClose={onClose}
      title={t(`console:act.${act}.title`, { name: name(node) })}
      size="md"
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {act === 'retry' && <Retry {...form} />}
      {act === 'skip' && <Skip {...form} />}
      {act === 'force_fail' && <ForceFail {...form} />}
      {act === 'resolve' && <Resolve {...form} />}
      {act === 'reschedule' && <Reschedule {...form} />}
      {act === 'rollback' && <RollbackForm project={project} run={run} to={entry} nodes={nodes} onClose={onClose} />}
    </Drawer>
  )
}

interface FormProps {
  project: string
  run: string
  node: FlowNode
  path: string
  drawing: Flow
  busy: boolean
  send(body: NodeCommand): void
  onClose(): void
}

function Buttons({
  confirm,
  danger,
  busy,
  ready = true,
  onConfirm,
  onClose,
}: {
  confirm: string
  danger?: boolean
  busy: boolean
  ready?: boolean
  onConfirm(): void
  onClose(): void
}) {
  const { t } = useTranslation(['translation', 'console'])
  return (
    <Group justify="flex-end" mt="md" gap="xs">
      <Button variant="default" onClick={onClose}>
        {t('action.cancel')}
      </Button>
      <Button color={danger ? 'red' : undefined} loading={busy} disabled={!ready} onClick={onConfirm}>
        {confirm}
      </Button>
    </Group>
  )
}

/** Runs the node again, with the inputs of the last attempt as they are or changed. */
function Retry({ project, run, node, path, drawing, busy, send, onClose }: FormProps) {
  const { t } = useTranslation(['translation', 'console'])
  const { plugins } = useContext(CanvasContext)
  const { data } = useQuery(queries.runNode(project, run, path))
  const action = findAction(plugins, node.plugin, node.action)
  const [part, setPart] = useState<Part>('all')
  const last = data?.attempts?.at(-1)?.inputs
  const [edited, setEdited] = useState<JsonObject | null>(null)
  const [strict, setStrict] = useState(false)
  const scope = useMemo(() => scopeOf(drawing, plugins, node.id), [drawing, plugins, node.id])
  const asks = useMemo(
    () => ({ project, plugin: node.plugin ?? '', action: node.action ?? '' }),
    [project, node.plugin, node.action],
  )
  const before = useMemo(
    () => withoutOmitted(last ?? (node.inputs as JsonObject | undefined) ?? {}),
    [last, node.inputs],
  )
  const value = edited ?? before
  const submit = () => {
    setStrict(true)
    if (action && edited && countViolations(action.inputs, edited, true) > 0) return
    const inputs = changed(before, value)
    send({
      command: 'retry',
      ...(Object.keys(inputs).length > 0 ? { inputs } : {}),
      ...(part === 'iteration' ? { part } : {}),
    })
  }
  if (!data) return <Skeleton height={160} />
  return (
    <>
      <p className="quiet">{t('console:act.retry.text')}</p>
      <PartChoice node={node} path={path} part={part} onChange={setPart} />
      {action && (
        <SchemaForm
          key={String(strict)}
          name={`retry-${node.id}`}
          schema={action.inputs}
          value={value}
          onChange={setEdited}
          expressions
          scope={scope}
          asks={asks}
          strict={strict}
        />
      )}
      <Buttons confirm={t('action.retry')} busy={busy} onConfirm={submit} onClose={onClose} />
    </>
  )
}

function withoutOmitted(value: Json): JsonObject {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return {}
  return value
}

/** The inputs that differ: only these replace what is drawn. */
function changed(before: JsonObject, after: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(after).filter(([k, v]) => JSON.stringify(before[k]) !== JSON.stringify(v)))
}

/** Lets the flow go on; of a failed gateway one says where. */
function Skip({ node, path, drawing, busy, send, onClose }: FormProps) {
  const { t } = useTranslation(['translation', 'console'])
  const text = useText()
  const name = useNodeName()
  const [edges, setEdges] = useState<string[]>([])
  const [part, setPart] = useState<Part>('all')
  const choices = hasConditions(node.type) ? drawing.edges.filter((e) => e.from === node.id) : []
  const label = (id: string) => {
    const edge = drawing.edges.find((e) => e.id === id)
    const target = drawing.nodes.find((n) => n.id === edge?.to)
    return [text(edge?.name) || edge?.condition, target ? name(target) : edge?.to].filter(Boolean).join(' → ')
  }
  const toggle = (id: string, on: boolean) =>
    setEdges(node.type === 'exclusive' ? (on ? [id] : []) : on ? [...edges, id] : edges.filter((e) => e !== id))
  return (
    <>
      <p>{t('console:act.skip.text')}</p>
      <PartChoice node={node} path={path} part={part} onChange={setPart} />
      {choices.length > 0 && <p className="quiet">{t('console:act.skip.edges')}</p>}
      {choices.map((edge) => (
        <Checkbox
          key={edge.id}
          mb="xs"
          label={label(edge.id)}
          checked={edges.includes(edge.id)}
          onChange={(e) => toggle(edge.id, e.currentTarget.checked)}
        />
      ))}
      <Buttons
        confirm={t('action.skip')}
        busy={busy}
        onConfirm={() =>
          send({
            command: 'skip',
            ...(edges.length > 0 ? { edges } : {}),
            ...(part === 'iteration' ? { part } : {}),
          })
        }
        onClose={onClose}
      />
    </>
  )
}

type Part = 'all' | 'iteration'

/** Of a node that repeats: all of it, or the repetition that failed. */
function PartChoice({
  node,
  path,
  part,
  onChange,
}: {
  node: FlowNode
  path: string
  part: Part
  onChange(part: Part): void
}) {
  const { t } = useTranslation(['translation', 'console'])
  const n = useNodeRun(path)?.repeat
  if (!node.repeat || n === undefined) return null
  return (
    <SegmentedControl
      fullWidth
      mb="sm"
      aria-label={t('console:act.part.label')}
      value={part}
      onChange={(v) => onChange(v as Part)}
      data={[
        { value: 'all', label: t('console:act.part.all') },
        { value: 'iteration', label: t('console:act.part.iteration', { n }) },
      ]}
    />
  )
}

/** Moves the end of a wait, or an automatic retry. */
function Reschedule({ path, busy, send, onClose }: FormProps) {
  const { t } = useTranslation(['translation', 'console'])
  const view = useNodeRun(path)
  const [at, setAt] = useState(() => localInput(view?.due))
  const moment = Date.parse(at)
  return (
    <>
      <p>{t('console:act.reschedule.text')}</p>
      <TextInput
        type="datetime-local"
        step={1}
        label={t('console:act.reschedule.at')}
        value={at}
        onChange={(e) => setAt(e.currentTarget.value)}
      />
      <Buttons
        confirm={t('action.reschedule')}
        busy={busy}
        onConfirm={() => !Number.isNaN(moment) && send({ command: 'reschedule', at: new Date(moment).toISOString() })}
        onClose={onClose}
      />
    </>
  )
}

/** An instant as the browser's field for local times writes it. */
function localInput(iso: string | undefined): string {
  const date = iso ? new Date(iso) : new Date()
  return new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' }).format(date).replace(' ', 'T')
}

function ForceFail({ node, busy, send, onClose }: FormProps) {
  const { t } = useTranslation(['translation', 'console'])
  const [reason, setReason] = useState('')
  const [typed, setTyped] = useState('')
  return (
    <>
      <p>{t('console:act.force_fail.text')}</p>
      <Textarea
        label={t('run.reason')}
        autosize
        minRows={2}
        value={reason}
        onChange={(e) => setReason(e.currentTarget.value)}
      />
      <TypedConfirm phrase={node.id} value={typed} onChange={setTyped} />
      <Buttons
        confirm={t('action.forceFail')}
        danger
        busy={busy}
        ready={isTyped(node.id, typed)}
        onConfirm={() => send({ command: 'force_fail', ...(reason.trim() ? { reason: reason.trim() } : {}) })}
        onClose={onClose}
      />
    </>
  )
}

/** Decides about a node of which nobody knows whether it acted. */
function Resolve({ node, busy, send, onClose }: FormProps) {
  const { t } = useTranslation(['translation', 'console'])
  const { plugins } = useContext(CanvasContext)
  const action = findAction(plugins, node.plugin, node.action)
  const [as, setAs] = useState<'done' | 'retry' | 'fail'>('done')
  const [filled, setFilled] = useState<JsonObject>({})
  const [strict, setStrict] = useState(false)
  const schema: Schema | undefined = action?.outputs
  const outputs = useMemo(() => ({ ...emptiesOf(schema), ...filled }), [schema, filled])
  const submit = () => {
    setStrict(true)
    if (as === 'done' && schema && countViolations(schema, outputs, false) > 0) return
    send({ command: 'resolve', as, ...(as === 'done' && schema ? { outputs } : {}) })
  }
  return (
    <>
      <p>{t('console:act.resolve.text')}</p>
      <SegmentedControl
        fullWidth
        aria-label={t('console:act.resolve.choice')}
        value={as}
        onChange={(v) => setAs(v as typeof as)}
        data={(['done', 'retry', 'fail'] as const).map((value) => ({
          value,
          label: t(`console:act.resolve.${value}`),
        }))}
      />
      <p className="quiet">{t(`console:act.resolve.${as}Help`)}</p>
      {as === 'done' && schema && (
        <SchemaForm
          key={String(strict)}
          name={`resolve-${node.id}`}
          schema={schema}
          value={outputs}
          onChange={setFilled}
          strict={strict}
        />
      )}
      <Buttons confirm={t('action.resolve')} busy={busy} onConfirm={submit} onClose={onClose} />
    </>
  )
}
