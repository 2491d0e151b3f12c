import { Button, Drawer, Group } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useRunCommand } from '~/api/queries'
import type { Flow, JsonObject, Schema, Variable } from '~/api/types'
import { countViolations } from '~/form/count'
import { SchemaForm } from '~/form/lazy-form'
import { useText } from '~/i18n/text'
import { useRun, useRunStore } from '~/run/store'
import { changeable } from './changeable'
import { useRefused } from './refused'

interface Props {
  project: string
  run: string
  flow: Flow
  onClose(): void
}

/** Changes variables of the run: only what differs is sent. */
export function VariablesDialog({ project, run, flow, onClose }: Props) {
  const { t } = useTranslation()
  const text = useText()
  const store = useRunStore()
  const view = useRun()
  const command = useRunCommand(project, run)
  const refused = useRefused()
  const variables = useMemo(() => changeable(flow), [flow])
  const [before] = useState<JsonObject>(() => valuesOf(variables, view.variables ?? {}))
  const [seen] = useState(() => store.seq)
  const [value, setValue] = useState(before)
  const schema = useMemo<Schema>(
    () => ({
      type: 'object',
      properties: Object.fromEntries(
        variables.map((v) => [v.name, { ...(v.schema ?? { type: 'string' }), title: text(v.title) || v.name }]),
      ),
    }),
    [variables, text],
  )
  const values = Object.fromEntries(
    Object.entries(value).filter(([k, v]) => JSON.stringify(before[k]) !== JSON.stringify(v)),
  )
  const submit = () => {
    if (countViolations(schema, values, false) > 0) return
    // While nothing moves, a change that somebody else made meanwhile is not overwritten.
    const still = view.state === 'blocked' || view.state === 'suspended'
    command.mutate(
      { command: 'set_variables', values, ...(still ? { expected_seq: seen } : {}) },
      { onError: refused, onSettled: onClose },
    )
  }
  return (
    <Drawer
      opened
      onClose={onClose}
      title={t('action.setVariables')}
      size="md"
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <p className="quiet">{t('run.variablesText')}</p>
      <SchemaForm name="variables" schema={schema} value={value} onChange={setValue} />
      <Group justify="flex-end" mt="md" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t('action.cancel')}
        </Button>
        <Button loading={command.isPending} disabled={Object.keys(values).length === 0} onClick={submit}>
          {t('action.setVariables')}
        </Button>
      </Group>
    </Drawer>
  )
}

function valuesOf(variables: Variable[], values: JsonObject): JsonObject {
  return Object.fromEntries(
    variables.filter((v) => values[v.name] !== undefined).map((v) => [v.name, values[v.name] ?? null]),
  )
}
