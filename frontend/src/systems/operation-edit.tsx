import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { JsonObject } from '~/api/types'
import { ErrorNotice, say } from '~/app/notices'
import { Rows } from '~/app/rows'
import { SchemaForm } from '~/form/lazy-form'
import { useText } from '~/i18n/text'
import { DifferenceView, isEmpty } from './difference'
import type { Say } from './edit-model'
import { Wrong } from './editor'
import { operationForm, operationSchema, placedInOperation, placeOf, withOperation } from './operation-model'
import { registry, useDiff, usePutSystem } from './registry-api'
import './registry.css'
import type { Operation, System } from './types'
import { useWrong } from './wrong'

interface Props {
  project: string
  system: System
  op: Operation
}

/** Changes an operation in a form; what that changes, and widens, is shown before it is stored. */
export function OperationEditor({ project, system, op }: Props) {
  const { t } = useTranslation('registry')
  const document = useQuery({ ...registry.document(project, system.id), staleTime: 0 })
  if (document.isPending) return <Rows />
  if (document.error) return <ErrorNotice error={document.error} onRetry={() => void document.refetch()} />
  if (placeOf(document.data, op.id) < 0) return <p className="quiet">{t('operation.gone')}</p>
  // A version that was stored meanwhile is what the form begins with.
  return <OperationForm key={system.version} project={project} op={op} stored={document.data} />
}

function OperationForm({ project, op, stored }: { project: string; op: Operation; stored: JsonObject }) {
  const { t } = useTranslation('registry')
  const { t: systems } = useTranslation('systems')
  const text = useText()
  const [value, setValue] = useState<JsonObject>(() => operationForm(storedOperation(stored, op.id)))
  const [strict, setStrict] = useState(false)
  const diff = useDiff(project)
  const put = usePutSystem(project)
  const schema = useMemo(() => operationSchema(t as unknown as Say, systems as unknown as Say), [t, systems])
  const document = useMemo(() => withOperation(stored, op.id, value), [stored, op.id, value])
  const error = put.error ?? diff.error
  const wrong = useWrong()(error)
  const review = (e: FormEvent) => {
    e.preventDefault()
    setStrict(true)
    diff.mutate(document)
  }
  const save = () =>
    // The form begins anew with the stored version, so what follows must not hang on its life.
    put.mutateAsync(document).then(
      () => say(t('operation.saved', { name: text(op.title) })),
      () => undefined,
    )
  return (
    <form className="sys-edit" aria-label={t('operation.edit')} onSubmit={review} noValidate>
      {op.imported && <p className="quiet">{t('operation.imported')}</p>}
      <SchemaForm
        name="operation"
        schema={schema}
        value={value}
        onChange={(next) => {
          diff.reset()
          put.reset()
          setValue(next)
        }}
        problems={placedInOperation(wrong, document, placeOf(document, op.id))}
        strict={strict}
      />
      <Wrong error={error} wrong={wrong} all={false} />
      <div className="sys-send">
        <Button type="submit" variant={diff.data ? 'default' : 'filled'} loading={diff.isPending}>
          {t('edit.review')}
        </Button>
        {diff.data && !isEmpty(diff.data) && (
          <Button loading={put.isPending} onClick={() => void save()}>
            {t('edit.save')}
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

function storedOperation(document: JsonObject, id: string): JsonObject {
  const all = Array.isArray(document.operations) ? document.operations : []
  return (all[placeOf(document, id)] ?? {}) as JsonObject
}
