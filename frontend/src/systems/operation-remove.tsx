import { Button, Checkbox, Group, Modal } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { IconAlertTriangle, IconTrash } from '~/app/icons'
import { ErrorNotice, say } from '~/app/notices'
import { Rows } from '~/app/rows'
import { useText } from '~/i18n/text'
import { withoutOperation } from './operation-model'
import { Refused } from './refused'
import { registry, usePutSystem } from './registry-api'
import type { Operation, OperationDetail, OperationUses, System } from './types'

interface Props {
  project: string
  system: System
  op: Operation & Partial<Pick<OperationDetail, 'plugins'>>
  onRemoved(): void
}

/** The end of an operation, which says first who needs it. */
export function OperationRemoval(props: Props) {
  const { t } = useTranslation('registry')
  const [open, setOpen] = useState(false)
  const only = (props.system.operations ?? []).length === 1
  return (
    <section className="sys-op-removal" aria-label={t('operation.remove')}>
      <Button
        variant="default"
        color="red"
        leftSection={<IconTrash size={14} aria-hidden />}
        disabled={only}
        onClick={() => setOpen(true)}
      >
        {t('operation.removeOpen')}
      </Button>
      {only && <span className="quiet">{t('operation.removeOnly')}</span>}
      {open && <RemovalDialog {...props} onClose={() => setOpen(false)} />}
    </section>
  )
}

function RemovalDialog({ project, system, op, onRemoved, onClose }: Props & { onClose(): void }) {
  const { t } = useTranslation('registry')
  const { t: common } = useTranslation()
  const text = useText()
  const document = useQuery({ ...registry.document(project, system.id), staleTime: 0 })
  const uses = useQuery(registry.uses(project, system.id, op.id))
  const put = usePutSystem(project)
  const [sure, setSure] = useState(false)
  const plugins = op.plugins ?? []
  const needed = plugins.length > 0 || (uses.data?.flows.length ?? 0) > 0
  const submit = (e: FormEvent) => {
    e.preventDefault()
    if (!document.data) return
    // The dialog goes with the operation, so what follows must not hang on its life.
    put.mutateAsync(withoutOperation(document.data, op.id)).then(
      () => {
        say(t('operation.removed', { name: text(op.title) }))
        onRemoved()
      },
      () => undefined,
    )
  }
  const failed = document.error ?? uses.error
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('operation.removeTitle', { name: text(op.title) })}
      closeButtonProps={{ 'aria-label': common('action.close') }}
    >
      <form className="cat-dialog" onSubmit={submit}>
        <p>{t('operation.removeText')}</p>
        {failed && <ErrorNotice error={failed} />}
        {(uses.isPending || document.isPending) && !failed && <Rows />}
        {uses.data && !needed && <p className="quiet">{t('operation.unused')}</p>}
        {uses.data && needed && (
          <>
            <Needed project={project} plugins={plugins} uses={uses.data} />
            <Checkbox
              label={t('operation.removeSure')}
              checked={sure}
              onChange={(e) => setSure(e.currentTarget.checked)}
            />
          </>
        )}
        <Refused error={put.error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {common('action.cancel')}
          </Button>
          <Button
            type="submit"
            color="red"
            loading={put.isPending}
            disabled={!document.data || !uses.data || (needed && !sure)}
          >
            {t('operation.remove')}
          </Button>
        </Group>
      </form>
    </Modal>
  )
}

/** Who needs the operation: plugins by their grants, flows by their tasks and secrets. */
function Needed({ project, plugins, uses }: { project: string; plugins: readonly string[]; uses: OperationUses }) {
  const { t } = useTranslation('registry')
  const text = useText()
  return (
    <div className="notice sys-needed" data-s="waiting" role="status">
      <IconAlertTriangle size={16} aria-hidden />
      <div className="grow">
        {plugins.length > 0 && (
          <p>
            {t('operation.usedBy')}{' '}
            {plugins.map((id, i) => (
              <span key={id}>
                {i > 0 && ', '}
                <Link to="/p/$project/plugins/$plugin" params={{ project, plugin: id }} search={{ tab: 'access' }}>
                  {id}
                </Link>
              </span>
            ))}
          </p>
        )}
        {uses.flows.length > 0 && <p>{t('operation.usedIn', { n: uses.flows.length })}</p>}
        <ul>
          {uses.flows.map((f) => (
            <li key={f.flow}>
              <Link to="/p/$project/flows/$flow" params={{ project, flow: f.flow }}>
                {text(f.name) || f.flow}
              </Link>{' '}
              <span className="quiet">
                {t(f.published ? (f.draft ? 'operation.inBoth' : 'operation.inLatest') : 'operation.inDraft')}
                {f.nodes.length > 0 && ` · ${t('operation.nodes', { nodes: f.nodes.join(', ') })}`}
              </span>
            </li>
          ))}
        </ul>
        {uses.more && <p>{t('operation.usedMore')}</p>}
      </div>
    </div>
  )
}
