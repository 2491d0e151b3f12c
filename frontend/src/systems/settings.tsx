import { Button, Checkbox, Group, Modal, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import { IconTrash } from '~/app/icons'
import { ErrorNotice, say } from '~/app/notices'
import { Rows } from '~/app/rows'
import { useText } from '~/i18n/text'
import { SystemEditor } from './editor'
import { Refused } from './refused'
import { registry, useDeleteSystem } from './registry-api'
import type { System } from './types'

/** Where a system is, how it is called, and its end. */
export function SettingsTab({ project, system }: { project: string; system: System }) {
  const { t } = useTranslation('registry')
  const text = useText()
  const document = useQuery({ ...registry.document(project, system.id), staleTime: 0 })
  return (
    <div className="sys-settings">
      {document.isPending && <Rows />}
      {document.error && <ErrorNotice error={document.error} onRetry={() => void document.refetch()} />}
      {document.data && (
        <SystemEditor
          // A version that was stored meanwhile is what the form begins with.
          key={system.version}
          project={project}
          stored={document.data}
          onSaved={(s) => say(t('edit.saved', { name: text(s.title) }))}
        />
      )}
      <Removal project={project} system={system} />
    </div>
  )
}

function Removal({ project, system }: { project: string; system: System }) {
  const { t } = useTranslation('registry')
  const [open, setOpen] = useState(false)
  return (
    <section className="cat-panel sys-removal" aria-label={t('remove.title')}>
      <h2>{t('remove.title')}</h2>
      <p className="quiet">{t('remove.text')}</p>
      <Button
        variant="default"
        color="red"
        leftSection={<IconTrash size={14} aria-hidden />}
        onClick={() => setOpen(true)}
      >
        {t('remove.open')}
      </Button>
      {open && <RemovalDialog project={project} system={system} onClose={() => setOpen(false)} />}
    </section>
  )
}

function RemovalDialog({ project, system, onClose }: { project: string; system: System; onClose(): void }) {
  const { t } = useTranslation('registry')
  const { t: common } = useTranslation()
  const text = useText()
  const navigate = useNavigate()
  const remove = useDeleteSystem(project, system.id, () => {
    say(t('remove.done', { name: text(system.title) }))
    return navigate({ to: '/p/$project/systems', params: { project } })
  })
  const [typed, setTyped] = useState('')
  const [revoke, setRevoke] = useState(false)
  const used = remove.error instanceof ApiError && remove.error.code === 'IN_USE'
  const submit = (e: FormEvent) => {
    e.preventDefault()
    remove.mutate(revoke)
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('remove.title')}
      size="sm"
      closeButtonProps={{ 'aria-label': common('action.close') }}
    >
      <form className="cat-dialog" onSubmit={submit}>
        <p>{t('remove.text')}</p>
        <TextInput
          label={t('remove.type', { id: system.id })}
          value={typed}
          onChange={(e) => setTyped(e.currentTarget.value)}
          spellCheck={false}
          autoComplete="off"
          data-autofocus
        />
        <Refused error={remove.error} />
        {used && (
          <Checkbox label={t('remove.revoke')} checked={revoke} onChange={(e) => setRevoke(e.currentTarget.checked)} />
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {common('action.cancel')}
          </Button>
          <Button
            type="submit"
            color="red"
            loading={remove.isPending}
            disabled={typed !== system.id || (used && !revoke)}
          >
            {t('remove.title')}
          </Button>
        </Group>
      </form>
    </Modal>
  )
}
