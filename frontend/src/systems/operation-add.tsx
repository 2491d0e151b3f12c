import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { JsonObject } from '~/api/types'
import { ErrorNotice, say } from '~/app/notices'
import { Rows } from '~/app/rows'
import { SchemaForm } from '~/form/lazy-form'
import { DifferenceView, isEmpty } from './difference'
import type { Say } from './edit-model'
import { Wrong } from './editor'
import { blankOperation, operationSchema, placedInOperation, withNewOperation } from './operation-model'
import { registry, useDiff, usePutSystem } from './registry-api'
import './registry.css'
import type { System } from './types'
import { useWrong } from './wrong'

interface Props {
  project: string
  system: System
  onAdded(id: string): void
  onCancel(): void
}

/** Adds an operation to a system that exists; what that changes is shown before it is stored. */
export function OperationAdder(props: Props) {
  const { t } = useTranslation('registry')
  const { project, system } = props
  const document = useQuery({ ...registry.document(project, system.id), staleTime: 0 })
  return (
    <section className="cat-panel sys-operation" aria-label={t('operation.add')}>
      <h2>{t('operation.add')}</h2>
      {document.isPending && <Rows />}
      {document.error && <ErrorNotice error={document.error} onRetry={() => void document.refetch()} />}
      {document.data && <AddForm {...props} stored={document.data} />}
    </section>
  )
}

function AddForm({ project, stored, onAdded, onCancel }: Props & { stored: JsonObject }) {
  const { t } = useTranslation('registry')
  const { t: systems } = useTranslation('systems')
  const { t: common } = useTranslation()
  const [value, setValue] = useState<JsonObject>(blankOperation)
  const [strict, setStrict] = useState(false)
  const diff = useDiff(project)
  const put = usePutSystem(project)
  const schema = useMemo(() => operationSchema(t as unknown as Say, systems as unknown as Say, true), [t, systems])
  const document = useMemo(() => withNewOperation(stored, value), [stored, value])
  const last = (document.operations as unknown[]).length - 1
  const error = put.error ?? diff.error
  const wrong = useWrong()(error)
  const review = (e: FormEvent) => {
    e.preventDefault()
    setStrict(true)
    diff.mutate(document)
  }
  const save = () =>
    // The form goes with what follows, so that must not hang on its life.
    put.mutateAsync(document).then(
      () => {
        say(t('operation.added', { name: String(value.title_zh ?? value.title_en ?? value.id) }))
        onAdded(String(value.id))
      },
      () => undefined,
    )
  return (
    <form className="sys-edit" aria-label={t('operation.add')} onSubmit={review} noValidate>
      <SchemaForm
        name="new-operation"
        schema={schema}
        value={value}
        onChange={(next) => {
          diff.reset()
          put.reset()
          setValue(next)
        }}
        problems={placedInOperation(wrong, document, last)}
        strict={strict}
      />
      <Wrong error={error} wrong={wrong} all={false} />
      <div className="sys-send">
        <Button type="submit" variant={diff.data ? 'default' : 'filled'} loading={diff.isPending}>
          {t('edit.review')}
        </Button>
        {diff.data && !isEmpty(diff.data) && (
          <Button loading={put.isPending} onClick={() => void save()}>
            {t('operation.doAdd')}
          </Button>
        )}
        <Button variant="subtle" onClick={onCancel}>
          {common('action.cancel')}
        </Button>
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
