import { Button, Checkbox, SegmentedControl, Textarea } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Json, JsonObject } from '~/api/types'
import { useFormat } from '~/app/format'
import { IconPlayerPlay } from '~/app/icons'
import { SchemaForm } from '~/form/lazy-form'
import { JsonView } from '~/runs/json-view'
import { type CallInput, useCall } from './api'
import { FailureNotice } from './failure'
import { formPart, hasForm } from './model'
import { Refused } from './refused'
import type { CallAnswer, OperationDetail, System } from './types'

/** Calls an operation in one's own name, through the gateway, with what is typed into its form. */
export function TryIt({ project, system, op }: { project: string; system: System; op: OperationDetail }) {
  const { t } = useTranslation('systems')
  const [params] = useState(() => formPart(op, 'params'))
  const [body] = useState(() => formPart(op, 'body'))
  const [values, setValues] = useState<JsonObject>({})
  const [written, setWritten] = useState<Written>(() => ({ mode: hasForm(body) ? 'form' : 'json', form: {}, text: '' }))
  const [sure, setSure] = useState(false)
  const [strict, setStrict] = useState(false)
  const send = useCall(project, system.id, op.id)
  const destructive = op.risk === 'destructive'
  const read = bodyOf(written)
  const missing = [
    ...((params?.required as string[] | undefined) ?? []).filter((name) => values[name] === undefined),
    ...(op.body_required && read.kind === 'none' ? [t('operations.body')] : []),
  ]
  const submit = (e: FormEvent) => {
    e.preventDefault()
    setStrict(true)
    if (missing.length > 0 || read.kind === 'bad') return
    const input: CallInput = {
      ...(params ? { params: values } : {}),
      ...(read.kind === 'value' ? { body: read.value } : {}),
      ...(destructive ? { confirm: sure } : {}),
    }
    send.mutate(input, { onSettled: () => setSure(false) })
  }
  return (
    <form className="sys-try" onSubmit={submit}>
      <p className="quiet">{t('try.hint')}</p>
      {params && (
        <fieldset>
          <legend>{t('operations.parameters')}</legend>
          <SchemaForm name={`try-${op.id}`} schema={params} value={values} onChange={setValues} strict={strict} />
        </fieldset>
      )}
      {body && (
        <BodyField
          op={op}
          schema={body}
          written={written}
          strict={strict}
          onChange={setWritten}
          bad={read.kind === 'bad'}
        />
      )}
      {destructive && (
        <Checkbox label={t('try.sure')} checked={sure} onChange={(e) => setSure(e.currentTarget.checked)} />
      )}
      <div className="sys-send">
        <Button
          type="submit"
          color={destructive ? 'red' : undefined}
          leftSection={<IconPlayerPlay size={14} aria-hidden />}
          loading={send.isPending}
          disabled={!op.enabled || (destructive && !sure)}
        >
          {t('try.send')}
        </Button>
        {!op.enabled && <span className="quiet">{t('try.off')}</span>}
        {strict && missing.length > 0 && (
          <span className="sf-error" role="alert">
            {t('try.missing', { names: missing.join(', ') })}
          </span>
        )}
        <Refused error={send.error} />
      </div>
      {send.data && <Answer project={project} system={system} op={op} answer={send.data} />}
    </form>
  )
}

/** A body as it is being written: as a form, or as the text of JSON. */
interface Written {
  mode: 'form' | 'json'
  form: JsonObject
  text: string
}

type Read = { kind: 'none' } | { kind: 'bad' } | { kind: 'value'; value: Json }

function bodyOf(w: Written): Read {
  if (w.mode === 'form') return Object.keys(w.form).length === 0 ? { kind: 'none' } : { kind: 'value', value: w.form }
  if (w.text.trim() === '') return { kind: 'none' }
  try {
    return { kind: 'value', value: JSON.parse(w.text) as Json }
  } catch {
    return { kind: 'bad' }
  }
}

interface BodyProps {
  op: OperationDetail
  schema: NonNullable<ReturnType<typeof formPart>>
  written: Written
  strict: boolean
  bad: boolean
  onChange(w: Written): void
}

function BodyField({ op, schema, written, strict, bad, onChange }: BodyProps) {
  const { t } = useTranslation('systems')
  const switchTo = (mode: string) => {
    if (mode === 'json') {
      const text = Object.keys(written.form).length > 0 ? JSON.stringify(written.form, null, 2) : written.text
      onChange({ ...written, mode: 'json', text })
      return
    }
    const read = bodyOf(written)
    const kept =
      read.kind === 'value' && read.value !== null && typeof read.value === 'object' && !Array.isArray(read.value)
    onChange({ ...written, mode: 'form', form: kept ? (read.value as JsonObject) : written.form })
  }
  return (
    <fieldset>
      <legend>{t('operations.body')}</legend>
      {hasForm(schema) && (
        <SegmentedControl
          aria-label={t('try.bodyAs')}
          value={written.mode}
          onChange={switchTo}
          data={[
            { value: 'form', label: t('try.form') },
            { value: 'json', label: 'JSON' },
          ]}
        />
      )}
      {written.mode === 'form' ? (
        <SchemaForm
          name={`body-${op.id}`}
          schema={schema}
          value={written.form}
          onChange={(form) => onChange({ ...written, form })}
          strict={strict}
        />
      ) : (
        <Textarea
          aria-label={t('operations.body')}
          value={written.text}
          error={bad ? t('try.notJson') : undefined}
          onChange={(e) => onChange({ ...written, text: e.currentTarget.value })}
          autosize
          minRows={5}
          maxRows={18}
          spellCheck={false}
          classNames={{ input: 'mono' }}
        />
      )}
    </fieldset>
  )
}

interface AnswerProps {
  project: string
  system: System
  op: OperationDetail
  answer: CallAnswer
}

function Answer({ project, system, op, answer: a }: AnswerProps) {
  const { t } = useTranslation('systems')
  const format = useFormat()
  const good = a.status !== undefined && a.status >= 200 && a.status < 300
  const headers = Object.entries(a.headers ?? {})
  return (
    <section className="sys-answer" aria-label={t('try.answer')} aria-live="polite">
      <h3>{t('try.answer')}</h3>
      <div className="cat-facts num">
        {a.status !== undefined && (
          <span className="pill sys-status" data-s={good ? 'succeeded' : 'failed'}>
            HTTP {a.status}
          </span>
        )}
        <span className="quiet">{format.duration(a.duration_ms)}</span>
        {(a.attempts ?? 0) > 1 && <span className="quiet">{t('failure.attempts', { n: a.attempts })}</span>}
        {a.request_id && <span className="quiet">{t('failure.request', { id: a.request_id })}</span>}
        <Link
          className="sys-more"
          to="/p/$project/audit"
          params={{ project }}
          search={{ system: system.id, operation: op.id }}
        >
          {t('try.logged')}
        </Link>
      </div>
      {a.failure && <FailureNotice failure={a.failure} />}
      {headers.length > 0 && (
        <dl className="sys-dl">
          {headers.map(([name, value]) => (
            <div key={name}>
              <dt className="mono">{name}</dt>
              <dd className="mono">{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {a.body !== undefined && <JsonView value={a.body} label={t('try.answer')} />}
      {a.text && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
        <pre className="sys-code" tabIndex={0}>
          {a.text}
        </pre>
      )}
    </section>
  )
}
