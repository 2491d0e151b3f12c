import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { ErrorNotice, say } from '~/app/notices'
import { Rows } from '~/app/rows'
import { useText } from '~/i18n/text'
import { OperationForm } from './operation-form'
import { operationForm, operationsOf, placeOf, withOperation } from './operation-model'
import { registry } from './registry-api'
import type { Operation, System } from './types'

interface Props {
  project: string
  system: System
  op: Operation
}

/** Changes an operation in a form; what that changes, and widens, is shown before it is stored. */
export function OperationEditor({ project, system, op }: Props) {
  const { t } = useTranslation('registry')
  const text = useText()
  const document = useQuery({ ...registry.document(project, system.id), staleTime: 0 })
  if (document.isPending) return <Rows />
  if (document.error) return <ErrorNotice error={document.error} onRetry={() => void document.refetch()} />
  const at = placeOf(document.data, op.id)
  if (at < 0) return <p className="quiet">{t('operation.gone')}</p>
  return (
    <OperationForm
      // A version that was stored meanwhile is what the form begins with.
      key={system.version}
      project={project}
      label={t('operation.edit')}
      begin={operationForm(operationsOf(document.data)[at] ?? {})}
      documentWith={(value) => withOperation(document.data, op.id, value)}
      at={at}
      save={t('edit.save')}
      onSaved={() => say(t('operation.saved', { name: text(op.title) }))}
    >
      {op.imported && <p className="quiet">{t('operation.imported')}</p>}
    </OperationForm>
  )
}
