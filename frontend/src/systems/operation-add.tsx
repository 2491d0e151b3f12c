import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { ErrorNotice, say } from '~/app/notices'
import { Rows } from '~/app/rows'
import { OperationForm } from './operation-form'
import { blankOperation, operationsOf, withNewOperation } from './operation-model'
import { registry } from './registry-api'
import type { System } from './types'

interface Props {
  project: string
  system: System
  onAdded(id: string): void
  onCancel(): void
}

/** Adds an operation to a system that exists; what that changes is shown before it is stored. */
export function OperationAdder({ project, system, onAdded, onCancel }: Props) {
  const { t } = useTranslation('registry')
  const document = useQuery({ ...registry.document(project, system.id), staleTime: 0 })
  return (
    <section className="cat-panel sys-operation" aria-label={t('operation.add')}>
      <h2>{t('operation.add')}</h2>
      {document.isPending && <Rows />}
      {document.error && <ErrorNotice error={document.error} onRetry={() => void document.refetch()} />}
      {document.data && (
        <OperationForm
          project={project}
          label={t('operation.add')}
          begin={blankOperation}
          creating
          documentWith={(value) => withNewOperation(document.data, value)}
          at={operationsOf(document.data).length}
          save={t('operation.doAdd')}
          onSaved={(value) => {
            say(t('operation.added', { name: String(value.title_zh ?? value.title_en ?? value.id) }))
            onAdded(String(value.id))
          }}
          onCancel={onCancel}
        />
      )}
    </section>
  )
}
