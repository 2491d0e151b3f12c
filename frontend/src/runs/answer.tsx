import { Button, Group, Textarea } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNodeCommand } from '~/api/queries'
import type { Json, JsonObject, Schema, Wait } from '~/api/types'
import { IconCheck, IconX } from '~/app/icons'
import { countViolations } from '~/form/count'
import { SchemaForm } from '~/form/lazy-form'
import { useText } from '~/i18n/text'
import { useRefused } from './refused'

interface Props {
  project: string
  run: string
  node: string
  wait: Wait
}

/** The question that a node asks a person, or the call that it waits for, and the form for the answer. */
export function Answer({ project, run, node, wait }: Props) {
  const { t } = useTranslation()
  const { t: own } = useTranslation('console')
  const text = useText()
  const command = useNodeCommand(project, run)
  const refused = useRefused()
  const program = wait.kind === 'callback'
  const schema: Schema = wait.schema ?? { type: 'object', properties: {} }
  // What a program would send has no form: it is written as it is.
  const free = program && wait.schema === undefined
  const asksApproval = isApproval(schema)
  const rest = asksApproval ? withoutApproved(schema) : schema
  const [filled, setFilled] = useState<JsonObject>({})
  const value = withParts(schema, filled)
  const [strict, setStrict] = useState(false)
  const [json, setJson] = useState('{}')
  const post = (data: Json) => command.mutate({ node, body: { command: 'callback', data } }, { onError: refused })
  const send = (data: JsonObject) => {
    setStrict(true)
    if (countViolations(schema, data, false) === 0) post(data)
  }
  // With yes or no, what is missing is only the rest.
  const wrong = strict ? countViolations(schema, asksApproval ? { ...value, approved: true } : value, false) : 0
  const typed = parsed(json)
  return (
    <section className="rn-answer" data-s="waiting" aria-label={program ? own('callback.title') : t('answer.title')}>
      <strong>{program ? own('callback.title') : t('answer.title')}</strong>
      <p className="rn-prompt">{text(wait.prompt) || (program ? own('callback.text') : t('answer.noPrompt'))}</p>
      {free && (
        <Textarea
          label={own('callback.data')}
          className="mono"
          autosize
          minRows={3}
          maxRows={12}
          value={json}
          error={typed === undefined ? t('form.badJson') : undefined}
          onChange={(e) => setJson(e.currentTarget.value)}
        />
      )}
      {Object.keys((rest.properties as object | undefined) ?? {}).length > 0 && (
        <SchemaForm
          key={String(strict)}
          name={`answer-${node}`}
          schema={rest}
          value={value}
          onChange={setFilled}
          strict={strict}
        />
      )}
      {wrong > 0 && (
        <p className="rn-wrong" role="alert">
          {own('answer.wrong', { n: wrong })}
        </p>
      )}
      <Group gap="xs">
        {free ? (
          <Button
            variant="default"
            loading={command.isPending}
            disabled={typed === undefined}
            onClick={() => typed !== undefined && post(typed)}
          >
            {own('callback.send')}
          </Button>
        ) : asksApproval ? (
          <>
            <Button
              leftSection={<IconCheck size={14} aria-hidden />}
              loading={command.isPending}
              onClick={() => send({ ...value, approved: true })}
            >
              {t('answer.approve')}
            </Button>
            <Button
              variant="default"
              leftSection={<IconX size={14} aria-hidden />}
              disabled={command.isPending}
              onClick={() => send({ ...value, approved: false })}
            >
              {t('answer.reject')}
            </Button>
          </>
        ) : (
          <Button loading={command.isPending} onClick={() => send(value)}>
            {t('answer.send')}
          </Button>
        )}
      </Group>
    </section>
  )
}

/** Reads what was typed; undefined while it is no JSON. */
function parsed(json: string): Json | undefined {
  try {
    return JSON.parse(json) as Json
  } catch {
    return undefined
  }
}

type Properties = { [name: string]: Schema }

/** A part that must be there and has fields of its own: it is there, and what misses are its fields. */
function withParts(schema: Schema, value: JsonObject): JsonObject {
  const required = Array.isArray(schema.required) ? (schema.required as string[]) : []
  const out = { ...value }
  for (const [name, part] of Object.entries((schema.properties as Properties | undefined) ?? {})) {
    const own = out[name]
    if (part.type !== 'object' || (own === undefined && !required.includes(name))) continue
    if (own === undefined || (own !== null && typeof own === 'object' && !Array.isArray(own)))
      out[name] = withParts(part, own ?? {})
  }
  return out
}

/** A question with yes and no gets two buttons in place of a switch. */
function isApproval(schema: Schema): boolean {
  return (schema.properties as Properties | undefined)?.approved?.type === 'boolean'
}

function withoutApproved(schema: Schema): Schema {
  const { approved: _approved, ...properties } = schema.properties as Properties
  const required = Array.isArray(schema.required) ? schema.required.filter((n) => n !== 'approved') : []
  return { ...schema, properties, required } as Schema
}
