import { Button, SegmentedControl, Textarea } from '@mantine/core'
import { type FormEvent, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import type { Json, JsonObject } from '~/api/types'
import { IconAlertTriangle } from '~/app/icons'
import { ErrorNotice } from '~/app/notices'
import { bytesText } from '~/catalogue/entries'
import { SchemaForm } from '~/form/lazy-form'
import { DifferenceView, isEmpty } from './difference'
import { blank, documentOf, formOf, headSchema, kindOf, placed, type Say, withKind } from './edit-model'
import { isObject } from './model'
import { useDiff, usePutSystem } from './registry-api'
import type { System } from './types'
import { useWrong, type Wrong as WrongFields } from './wrong'

/** How large a document may be to be written as text in the page. */
const textMax = 1 << 20

interface Props {
  project: string
  /** What is stored; nothing for a new system. */
  stored?: JsonObject
  onSaved(system: System): void
}

/** Creates or changes a system, as a form or as text; what it changes is shown before it is stored. */
export function SystemEditor({ project, stored, onSaved }: Props) {
  const { t } = useTranslation('registry')
  const { t: systems } = useTranslation('systems')
  const [mode, setMode] = useState<'form' | 'text'>('form')
  const [value, setValue] = useState<JsonObject>(() => (stored ? formOf(stored) : blank))
  const [text, setText] = useState('')
  const [strict, setStrict] = useState(false)
  const diff = useDiff(project)
  const put = usePutSystem(project)
  const kind = kindOf(value)
  const schema = useMemo(
    () => headSchema(t as unknown as Say, systems as unknown as Say, kind, stored === undefined),
    [t, systems, kind, stored],
  )
  const document = useMemo(
    () => (mode === 'form' ? documentOf(value, stored) : parsed(text)),
    [mode, value, stored, text],
  )
  const error = put.error ?? diff.error
  const wrong = useWrong()(error)
  const forget = () => {
    diff.reset()
    put.reset()
  }
  const switchTo = (next: string) => {
    forget()
    if (next === 'text') setText(JSON.stringify(document ?? {}, null, 2))
    else if (document)
      setValue(
        stored ? formOf(document) : { ...formOf(document), id: document.id ?? '', operations: value.operations ?? [] },
      )
    setMode(next as 'form' | 'text')
  }
  const review = (e: FormEvent) => {
    e.preventDefault()
    setStrict(true)
    if (document) diff.mutate(document)
  }
  const save = () => {
    if (!document) return
    // The editor begins anew with the stored version, so what follows must not hang on its life.
    put.mutateAsync(document).then(onSaved, () => undefined)
  }
  const large = stored !== undefined && JSON.stringify(stored).length > textMax
  return (
    <form className="sys-edit" onSubmit={review} noValidate>
      <SegmentedControl
        aria-label={t('edit.as')}
        value={mode}
        onChange={switchTo}
        data={[
          { value: 'form', label: t('edit.form') },
          { value: 'text', label: t('edit.text'), disabled: large },
        ]}
      />
      {large && <p className="quiet">{t('edit.tooLarge', { size: bytesText(JSON.stringify(stored).length) })}</p>}
      {mode === 'form' ? (
        <SchemaForm
          name="system"
          schema={schema}
          value={value}
          onChange={(next) => {
            forget()
            setValue(withKind(next))
          }}
          problems={placed(wrong)}
          strict={strict}
        />
      ) : (
        <Textarea
          aria-label={t('edit.textLabel')}
          value={text}
          error={text !== '' && !document ? t('edit.notJson') : undefined}
          onChange={(e) => {
            forget()
            setText(e.currentTarget.value)
          }}
          autosize
          minRows={12}
          maxRows={30}
          spellCheck={false}
          classNames={{ input: 'mono' }}
        />
      )}
      <Warnings stored={stored} document={document} />
      <Wrong error={error} wrong={wrong} all={mode === 'text'} />
      <div className="sys-send">
        <Button type="submit" variant={diff.data ? 'default' : 'filled'} loading={diff.isPending} disabled={!document}>
          {t('edit.review')}
        </Button>
        {diff.data && !isEmpty(diff.data) && (
          <Button loading={put.isPending} onClick={save}>
            {t(stored ? 'edit.save' : 'edit.create')}
          </Button>
        )}
      </div>
      <div aria-live="polite">
        {diff.data && (
          <div className="cat-panel">
            <h2>{t('diff.title')}</h2>
            <DifferenceView difference={diff.data} />
          </div>
        )}
      </div>
    </form>
  )
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as Json
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** What becomes of credentials when a system moves, or asks for others. */
function Warnings({ stored, document }: { stored: JsonObject | undefined; document: JsonObject | undefined }) {
  const { t } = useTranslation('registry')
  if (!stored || !document) return null
  const typeOf = (d: JsonObject) => String((d.auth as JsonObject | undefined)?.type ?? 'none')
  if (typeOf(stored) === 'none') return null
  const moved = document.base_url !== stored.base_url
  const other = typeOf(stored) !== typeOf(document)
  if (!moved && !other) return null
  return (
    <div className="notice" data-s="waiting" role="status">
      <IconAlertTriangle size={16} aria-hidden />
      <div className="grow">{t(moved ? 'edit.newBase' : 'edit.newAuth')}</div>
    </div>
  )
}

/** What the server found wrong: in a form the fields say it themselves. */
export function Wrong({ error, wrong, all }: { error: unknown; wrong: WrongFields; all: boolean }) {
  const { t } = useTranslation('registry')
  if (!error) return null
  if (wrong.size === 0) {
    const conflict = error instanceof ApiError && error.code === 'CONFLICT'
    return <ErrorNotice error={error} title={conflict ? t('edit.conflict') : undefined} />
  }
  return (
    <div className="notice" data-s="failed" role="alert">
      <IconAlertTriangle size={16} aria-hidden />
      <div className="grow">
        <strong>{t('edit.noSuch', { count: wrong.size })}</strong>
        <ul className="sys-wrong">
          {[...wrong].slice(0, all ? 20 : 6).map(([field, message]) => (
            <li key={field}>
              <span className="mono">{field || '/'}</span> {message}
            </li>
          ))}
        </ul>
      </div>
    </div>
  )
}
