import { Button, Checkbox, Fieldset, Group, Modal, Select, Skeleton, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import { queries, useStartRun } from '~/api/queries'
import type { Flow, JsonObject, NodeType } from '~/api/types'
import { ErrorNotice } from '~/app/notices'
import { countViolations } from '~/form/count'
import { SchemaForm } from '~/form/lazy-form'
import { useCodes } from '~/i18n/codes'
import { useText } from '~/i18n/text'
import { defaultInputs, inputsSchema } from './inputs'
import { ProblemLines } from './panel'

interface Props {
  project: string
  flow: string
  version: number
  onClose(): void
}

/** Asks for the inputs of a flow and starts a run of its version. */
export function StartDialog({ project, flow, version, onClose }: Props) {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery(queries.version(project, flow, version))
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('start.title', { version })}
      size="md"
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {error && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton height={120} />}
      {data && <StartForm project={project} flow={flow} version={version} document={data.document} onClose={onClose} />}
    </Modal>
  )
}

function StartForm({ project, flow, version, document, onClose }: Props & { document: Flow }) {
  const { t } = useTranslation()
  const text = useText()
  const codes = useCodes()
  const navigate = useNavigate()
  const start = useStartRun(project, flow)
  const inputs = useMemo(() => (document.variables ?? []).filter((v) => v.source === 'input'), [document])
  const [values, setValues] = useState<JsonObject>(() => defaultInputs(inputs))
  const [name, setName] = useState('')
  const [strict, setStrict] = useState(false)
  const [without, setWithout] = useState<readonly string[]>([])
  const [startAt, setStartAt] = useState<string | null>(null)
  const schema = useMemo(() => inputsSchema(inputs, text), [inputs, text])
  const refused = start.error instanceof ApiError ? start.error.body : null
  const problems = useMemo(
    () =>
      new Map(
        refused?.field?.startsWith('/inputs/')
          ? [[refused.field.slice('/inputs'.length), start.error ? codes.error(start.error) : '']]
          : [],
      ),
    [refused, start.error, codes],
  )
  const submit = () => {
    setStrict(true)
    if (countViolations(schema, values, false) > 0) return
    start.mutate(
      {
        version,
        inputs: values,
        name: name.trim() || unnamed(text(document.name)),
        ...(without.length > 0 ? { without: [...without] } : {}),
        ...(startAt ? { start_at: startAt } : {}),
      },
      { onSuccess: (run) => void navigate({ to: '/p/$project/runs/$run', params: { project, run: run.id } }) },
    )
  }
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault()
        submit()
      }}
    >
      <TextInput
        label={t('start.name')}
        placeholder={text(document.name)}
        value={name}
        maxLength={128}
        mb="sm"
        onChange={(e) => setName(e.currentTarget.value)}
        data-autofocus
      />
      {inputs.length === 0 && <p className="quiet">{t('start.noInputs')}</p>}
      {inputs.length > 0 && (
        <SchemaForm
          key={String(strict)}
          name="start"
          schema={schema}
          value={values}
          onChange={setValues}
          problems={problems}
          strict={strict}
        />
      )}
      <OptionalNodes document={document} without={without} onChange={setWithout} />
      <Select
        mt="sm"
        label={t('start.at')}
        description={t('start.atHelp')}
        placeholder={t('start.atStart')}
        data={document.nodes
          .filter((n) => beginnings.has(n.type) && !without.includes(n.id))
          .map((n) => ({ value: n.id, label: `${text(n.name) || t(`node.type.${n.type}`)} (${n.id})` }))}
        value={startAt}
        onChange={setStartAt}
        clearable
        searchable
        clearButtonProps={{ 'aria-label': t('action.clear') }}
        error={refused?.field === '/start_at' ? t('start.atRefused') : undefined}
      />
      {refused?.problems && <ProblemLines problems={refused.problems} />}
      {start.error && problems.size === 0 && <ErrorNotice error={start.error} title={t('start.refused')} />}
      <Group mt="md" gap="xs">
        <Button
          variant="subtle"
          onClick={() =>
            void navigate({
              to: '/p/$project/flows/$flow/dry-run',
              params: { project, flow },
              search: { version },
              state: { inputs: values },
            })
          }
        >
          {t('start.dryRun')}
        </Button>
        <span style={{ flex: 1 }} />
        <Button variant="default" onClick={onClose}>
          {t('action.cancel')}
        </Button>
        <Button type="submit" loading={start.isPending}>
          {t('start.go')}
        </Button>
      </Group>
    </form>
  )
}

/** Where a run can begin besides the start; that it is not inside a branch is the server's to say. */
const beginnings: ReadonlySet<NodeType> = new Set(['task', 'exclusive', 'parallel', 'inclusive'])

/** The nodes that a run may leave out, by hand or by a scheme of the flow. */
function OptionalNodes({
  document,
  without,
  onChange,
}: {
  document: Flow
  without: readonly string[]
  onChange(without: readonly string[]): void
}) {
  const { t } = useTranslation()
  const text = useText()
  const nodes = document.nodes.filter((n) => n.optional)
  const schemes = document.schemes ?? []
  if (nodes.length === 0) return null
  return (
    <Fieldset legend={t('start.optional')} mt="sm">
      <p className="quiet">{t('start.optionalHelp')}</p>
      {schemes.length > 0 && (
        <Select
          mb="xs"
          label={t('start.scheme')}
          placeholder={t('start.schemeNone')}
          data={schemes.map((s) => ({ value: s.id, label: text(s.name) || s.id }))}
          clearable
          clearButtonProps={{ 'aria-label': t('action.clear') }}
          onChange={(id) => onChange(schemes.find((s) => s.id === id)?.without ?? [])}
        />
      )}
      {nodes.map((node) => (
        <Checkbox
          key={node.id}
          mb={6}
          label={text(node.name) || node.id}
          checked={!without.includes(node.id)}
          onChange={(e) =>
            onChange(e.currentTarget.checked ? without.filter((id) => id !== node.id) : [...without, node.id])
          }
        />
      ))}
    </Fieldset>
  )
}

/** The name of a run that was given none: in the operator's language and on his clock. */
function unnamed(flow: string): string {
  const at = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' }).format(new Date())
  return `${flow.slice(0, 64)} ${at}`
}
