import { Button } from '@mantine/core'
import { type FormEvent, type ReactNode, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { JsonObject } from '~/api/types'
import { SchemaForm } from '~/form/lazy-form'
import { DifferenceView, isEmpty } from './difference'
import type { Say } from './edit-model'
import { Wrong } from './editor'
import { operationSchema, placedInOperation } from './operation-model'
import { useDiff, usePutSystem } from './registry-api'
import './registry.css'
import { useWrong } from './wrong'

interface Props {
  project: string
  label: string
  /** What the form begins with. */
  begin: JsonObject
  /** Whether the operation is a new one, which is given its id in the form. */
  creating?: boolean
  /** The document of the system with what the form says. */
  documentWith(value: JsonObject): JsonObject
  /** Where the operation is in that document. */
  at: number
  /** The word on the button that stores. */
  save: string
  onSaved(value: JsonObject): void
  onCancel?(): void
  children?: ReactNode
}

/** An operation in a form; what storing it changes, and widens, is shown before. */
export function OperationForm(props: Props) {
  const { project, label, begin, creating, documentWith, at, save, onSaved, onCancel, children } = props
  const { t } = useTranslation('registry')
  const { t: systems } = useTranslation('systems')
  const { t: common } = useTranslation()
  const [value, setValue] = useState(begin)
  const [strict, setStrict] = useState(false)
  const diff = useDiff(project)
  const put = usePutSystem(project)
  const schema = useMemo(
    () => operationSchema(t as unknown as Say, systems as unknown as Say, creating),
    [t, systems, creating],
  )
  const document = documentWith(value)
  const error = put.error ?? diff.error
  const wrong = useWrong()(error)
  const review = (e: FormEvent) => {
    e.preventDefault()
    setStrict(true)
    diff.mutate(document)
  }
  const store = () =>
    // The form goes, or begins anew, with the stored version, so what follows must not hang on its life.
    put.mutateAsync(document).then(
      () => onSaved(value),
      () => undefined,
    )
  return (
    <form className="sys-edit" aria-label={label} onSubmit={review} noValidate>
      {children}
      <SchemaForm
        name={creating ? 'new-operation' : 'operation'}
        schema={schema}
        value={value}
        onChange={(next) => {
          diff.reset()
          put.reset()
          setValue(next)
        }}
        problems={placedInOperation(wrong, document, at)}
        strict={strict}
      />
      <Wrong error={error} wrong={wrong} all={false} />
      <div className="sys-send">
        <Button type="submit" variant={diff.data ? 'default' : 'filled'} loading={diff.isPending}>
          {t('edit.review')}
        </Button>
        {diff.data && !isEmpty(diff.data) && (
          <Button loading={put.isPending} onClick={() => void store()}>
            {save}
          </Button>
        )}
        {onCancel && (
          <Button variant="subtle" onClick={onCancel}>
            {common('action.cancel')}
          </Button>
        )}
      </div>
      <div aria-live="polite">
        {diff.data && (
          <section className="sys-inner-diff" aria-label={t('diff.title')}>
            <h3>{t('diff.title')}</h3>
            <DifferenceView difference={diff.data} />
          </section>
        )}
      </div>
    </form>
  )
}
