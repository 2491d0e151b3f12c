import { ActionIcon, Button, Group, Menu, Modal, TextInput } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Confirm } from '~/app/confirm'
import { useFormat } from '~/app/format'
import { IconCopy, IconDotsVertical, IconLock, IconPlus, IconRefresh, IconTrash } from '~/app/icons'
import { EmptyState, ErrorNotice, say, sayError } from '~/app/notices'
import { Crumbs } from '~/app/shell'
import '~/catalogue/catalogue.css'
import { Rows } from '~/app/rows'
import { useCodes } from '~/i18n/codes'
import { gateway, useDeleteSecret, useSetSecret } from './api'
import { secretPattern } from './model'
import { HiddenInput } from './parts'
import { Refused } from './refused'
import './systems.css'
import type { Secret } from './types'

const route = getRouteApi('/p/$project/secrets')

/** What the dialog is about: a new secret, or another value of one that is there. */
type Editing = { name: string } | 'new' | null

/** The secrets of a project: names and when they were set, never a value. */
export function SecretsPage() {
  const { t } = useTranslation('systems')
  const { t: common } = useTranslation()
  const { project } = route.useParams()
  const codes = useCodes()
  const { data, error, isPending, refetch } = useQuery(gateway.secrets(project))
  const [editing, setEditing] = useState<Editing>(null)
  const [removing, setRemoving] = useState<Secret | null>(null)
  const remove = useDeleteSecret(project)
  const items = data?.items ?? []
  const add = (
    <Button leftSection={<IconPlus size={15} aria-hidden />} onClick={() => setEditing('new')}>
      {t('secrets.add')}
    </Button>
  )
  return (
    <div className="page">
      <Crumbs>
        <span className="sep shell-wide">/</span>
        <span aria-current="page">{common('nav.secrets')}</span>
      </Crumbs>
      <div className="page-head">
        <h1>{common('nav.secrets')}</h1>
        <span className="grow" />
        {items.length > 0 && add}
      </div>
      {isPending && <Rows />}
      {error && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {data && items.length === 0 && (
        <EmptyState title={t('secrets.empty')} action={add}>
          {t('secrets.emptyHint')}
        </EmptyState>
      )}
      {items.length > 0 && (
        <>
          <p className="quiet sys-intro">{t('secrets.hint')}</p>
          <SecretTable secrets={items} onReplace={(name) => setEditing({ name })} onRemove={setRemoving} />
        </>
      )}
      {editing && (
        <SecretDialog
          project={project}
          name={editing === 'new' ? undefined : editing.name}
          taken={items.map((s) => s.name)}
          onClose={() => setEditing(null)}
        />
      )}
      <Confirm
        opened={removing !== null}
        title={t('secrets.removeTitle', { name: removing?.name ?? '' })}
        confirm={common('action.remove')}
        danger
        busy={remove.isPending}
        onConfirm={() =>
          removing &&
          remove.mutate(removing.name, {
            onSuccess: () => say(t('secrets.removed', { name: removing.name })),
            onError: (e) => sayError(codes.error(e)),
            onSettled: () => setRemoving(null),
          })
        }
        onClose={() => setRemoving(null)}
      >
        {t('secrets.removeText')}
      </Confirm>
    </div>
  )
}

interface TableProps {
  secrets: Secret[]
  onReplace(name: string): void
  onRemove(s: Secret): void
}

function SecretTable({ secrets, onReplace, onRemove }: TableProps) {
  const { t } = useTranslation('systems')
  const { t: common } = useTranslation()
  const format = useFormat()
  const clipboard = useClipboard()
  const same = new Set(secrets.filter((s) => secrets.some((o) => o !== s && o.fingerprint === s.fingerprint)))
  const copy = (s: Secret) => {
    clipboard.copy(`\${secret.${s.name}}`)
    say(t('secrets.copied', { name: s.name }))
  }
  return (
    <table className="list sys-secrets">
      <thead>
        <tr>
          <th>{t('secrets.name')}</th>
          <th>{t('secrets.version')}</th>
          <th>{t('secrets.fingerprint')}</th>
          <th>{t('secrets.set')}</th>
          <th aria-label={t('secrets.actions')} />
        </tr>
      </thead>
      <tbody>
        {secrets.map((s) => (
          <tr key={s.name}>
            <td>
              <span className="mono sys-name">{s.name}</span>
              {same.has(s) && <span className="quiet sys-same">{t('secrets.same')}</span>}
              <div className="cat-narrow quiet num">
                {t('secrets.by', { who: s.set_by, when: format.when(s.set_at) })}
              </div>
            </td>
            <td className="num wide">v{s.version}</td>
            <td className="mono quiet wide">{s.fingerprint.slice(0, 12)}</td>
            <td className="num quiet wide" title={format.full(s.set_at)}>
              {t('secrets.by', { who: s.set_by, when: format.when(s.set_at) })}
            </td>
            <td className="act">
              <Menu position="bottom-end">
                <Menu.Target>
                  <ActionIcon aria-label={t('secrets.more', { name: s.name })}>
                    <IconDotsVertical size={16} aria-hidden />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item leftSection={<IconRefresh size={14} aria-hidden />} onClick={() => onReplace(s.name)}>
                    {t('secrets.replace')}
                  </Menu.Item>
                  <Menu.Item leftSection={<IconCopy size={14} aria-hidden />} onClick={() => copy(s)}>
                    {t('secrets.copy')}
                  </Menu.Item>
                  <Menu.Item color="red" leftSection={<IconTrash size={14} aria-hidden />} onClick={() => onRemove(s)}>
                    {common('action.remove')}
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

interface DialogProps {
  project: string
  /** The secret that gets another value; nothing for a new one. */
  name: string | undefined
  taken: readonly string[]
  onClose(): void
}

function SecretDialog({ project, name, taken, onClose }: DialogProps) {
  const { t } = useTranslation('systems')
  const { t: common } = useTranslation()
  const set = useSetSecret(project)
  const [typed, setTyped] = useState(name ?? '')
  const [value, setValue] = useState('')
  const bad =
    typed !== '' && !secretPattern.test(typed)
      ? t('secrets.badName')
      : name === undefined && taken.includes(typed)
        ? t('secrets.taken')
        : undefined
  const submit = (e: FormEvent) => {
    e.preventDefault()
    set.mutate(
      { name: typed, value },
      {
        onSuccess: (s) => {
          say(t('secrets.saved', { name: s.name }))
          onClose()
        },
      },
    )
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={name === undefined ? t('secrets.addTitle') : t('secrets.replaceTitle', { name })}
      closeButtonProps={{ 'aria-label': common('action.close') }}
    >
      <form className="cat-dialog" onSubmit={submit} autoComplete="off">
        {name === undefined ? (
          <TextInput
            label={t('secrets.name')}
            description={t('secrets.nameHint')}
            value={typed}
            error={bad}
            onChange={(e) => setTyped(e.currentTarget.value)}
            spellCheck={false}
            data-autofocus
            required
          />
        ) : (
          <p>{t('secrets.replaceText')}</p>
        )}
        <HiddenInput
          label={t('secrets.value')}
          value={value}
          onChange={(e) => setValue(e.currentTarget.value)}
          data-autofocus={name === undefined ? undefined : true}
          required
        />
        <p className="quiet sys-lock">
          <IconLock size={13} aria-hidden /> {t('secrets.writeOnly')}
        </p>
        <Refused error={set.error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {common('action.cancel')}
          </Button>
          <Button type="submit" disabled={typed === '' || value === '' || bad !== undefined} loading={set.isPending}>
            {common('action.save')}
          </Button>
        </Group>
      </form>
    </Modal>
  )
}
