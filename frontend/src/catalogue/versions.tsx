import { ActionIcon, Button, Group, Menu, Modal, Textarea } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { InstalledPlugin, PluginCommand, PluginVersion } from '~/api/installed'
import { useFormat } from '~/app/format'
import { IconAlertTriangle, IconBan, IconCheck, IconDotsVertical, IconHourglass, IconMinus } from '~/app/icons'
import { ErrorNotice, say } from '~/app/notices'
import { Rows } from '~/app/rows'
import { useCodes } from '~/i18n/codes'
import { catalogue, useChangeVersion } from './api'
import { bytesText, short } from './entries'
import { compareVersions } from './module'
import { off, StatePill, TrustMark, useDenied } from './parts'

type Asked = { version: PluginVersion; command: PluginCommand }

/** The installed versions, what can be done with each, and what was done. */
export function VersionsTab(props: { project: string; installed: InstalledPlugin; onReview(v: PluginVersion): void }) {
  const { t } = useTranslation('catalogue')
  const { project, installed, onReview } = props
  const uses = useQuery(catalogue.uses(project, installed.id))
  const [asked, setAsked] = useState<Asked | null>(null)
  return (
    <div className="cat-versions">
      <table className="list">
        <thead>
          <tr>
            <th>{t('versions.version')}</th>
            <th>{t('versions.state')}</th>
            <th>{t('versions.trust')}</th>
            <th>{t('versions.size')}</th>
            <th>{t('versions.loaded')}</th>
            <th>{t('versions.live')}</th>
            <th>{t('versions.installed')}</th>
            <th aria-label={t('versions.actions')} />
          </tr>
        </thead>
        <tbody>
          {installed.versions.map((v) => (
            <VersionRow
              key={v.digest}
              version={v}
              live={uses.data?.live[v.digest]}
              onAsk={(command) => setAsked({ version: v, command })}
              onReview={() => onReview(v)}
            />
          ))}
        </tbody>
      </table>
      <History plugin={installed.id} />
      {asked && (
        <ChangeDialog
          project={project}
          installed={installed}
          asked={asked}
          live={uses.data?.live[asked.version.digest] ?? 0}
          onClose={() => setAsked(null)}
        />
      )}
    </div>
  )
}

function VersionRow(props: {
  version: PluginVersion
  live: number | undefined
  onAsk(c: Asked['command']): void
  onReview(): void
}) {
  const { t } = useTranslation('catalogue')
  const format = useFormat()
  const { version: v, live, onAsk, onReview } = props
  return (
    <tr>
      <td>
        <strong className="num">{v.version}</strong>
        <div className="quiet mono">{short(v.digest)}</div>
      </td>
      <td>
        <StatePill state={v.state} latest={v.latest} />
      </td>
      <td className="wide">
        <TrustMark version={v} />
      </td>
      <td className="num quiet wide">{bytesText(v.bytes)}</td>
      <td className="num quiet wide">
        {v.loaded ? bytesText(v.loaded.server_bytes + v.loaded.worker_bytes) : t('versions.notLoaded')}
      </td>
      <td className="num wide">{live ?? <span className="quiet">0</span>}</td>
      <td className="num quiet wide">{t('versions.by', { who: v.installed_by, when: format.when(v.installed_at) })}</td>
      <td className="act">
        <VersionMenu version={v} onAsk={onAsk} onReview={onReview} />
      </td>
    </tr>
  )
}

function VersionMenu(props: { version: PluginVersion; onAsk(c: Asked['command']): void; onReview(): void }) {
  const { t } = useTranslation('catalogue')
  const { version: v, onAsk, onReview } = props
  const denied = useDenied('approve')
  return (
    <Menu position="bottom-end" disabled={denied !== undefined}>
      <Menu.Target>
        <ActionIcon aria-label={t('versions.more', { version: v.version })} {...off(denied)}>
          <IconDotsVertical size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {v.state === 'pending' && (
          <Menu.Item leftSection={<IconHourglass size={14} aria-hidden />} onClick={onReview}>
            {t('versions.review')}
          </Menu.Item>
        )}
        {(v.state === 'withdrawn' || v.state === 'blocked') && (
          <Menu.Item leftSection={<IconCheck size={14} aria-hidden />} onClick={() => onAsk('approve')}>
            {t('versions.restore')}
          </Menu.Item>
        )}
        {v.state === 'active' && !v.latest && (
          <Menu.Item leftSection={<IconCheck size={14} aria-hidden />} onClick={() => onAsk('activate')}>
            {t('versions.activate')}
          </Menu.Item>
        )}
        {v.state === 'active' && (
          <Menu.Item leftSection={<IconMinus size={14} aria-hidden />} onClick={() => onAsk('withdraw')}>
            {t('versions.withdraw')}
          </Menu.Item>
        )}
        {v.state !== 'blocked' && (
          <Menu.Item color="red" leftSection={<IconBan size={14} aria-hidden />} onClick={() => onAsk('block')}>
            {t('versions.block')}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}

const verbs = { approve: 'restore', activate: 'activate', withdraw: 'withdraw', block: 'block' } as const

/** Whether going to a version is going back: one that is newer was in use. */
function goesBack(installed: InstalledPlugin, to: PluginVersion): boolean {
  return installed.versions.some((v) => v.state !== 'pending' && compareVersions(v.version, to.version) > 0)
}

function ChangeDialog(props: {
  project: string
  installed: InstalledPlugin
  asked: Asked
  live: number
  onClose(): void
}) {
  const { t } = useTranslation('catalogue')
  const { t: common } = useTranslation()
  const { project, installed, asked, live, onClose } = props
  const { version: v, command } = asked
  const codes = useCodes()
  const change = useChangeVersion(project)
  const [reason, setReason] = useState('')
  const back = command === 'activate' && goesBack(installed, v)
  const submit = () =>
    change.mutate(
      {
        plugin: installed.id,
        digest: v.digest,
        command,
        ...(back ? { override: true } : {}),
        ...(reason.trim() ? { reason: reason.trim() } : {}),
      },
      {
        onSuccess: () => {
          say(t(`versions.did.${command}`, { version: v.version }))
          onClose()
        },
      },
    )
  return (
    <Modal
      opened
      onClose={onClose}
      title={t(`versions.${command}Title`, { version: v.version })}
      closeButtonProps={{ 'aria-label': common('action.close') }}
    >
      <form
        className="cat-dialog"
        onSubmit={(e) => {
          e.preventDefault()
          submit()
        }}
      >
        <p>{t(`versions.${command}Text`, { version: v.version })}</p>
        {back && <Warning>{t('versions.rollbackText', { version: v.version })}</Warning>}
        {command === 'block' && live > 0 && <Warning>{t('versions.blockLive', { n: live })}</Warning>}
        <Textarea
          label={t('versions.reason')}
          value={reason}
          maxLength={1000}
          autosize
          minRows={2}
          maxRows={6}
          onChange={(e) => setReason(e.currentTarget.value)}
          data-autofocus
        />
        {change.error && (
          <div className="sf-error" role="alert">
            {codes.error(change.error)}
          </div>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {common('action.cancel')}
          </Button>
          <Button
            type="submit"
            color={command === 'withdraw' || command === 'block' ? 'red' : undefined}
            loading={change.isPending}
          >
            {t(`versions.${verbs[command]}`).replace('…', '')}
          </Button>
        </Group>
      </form>
    </Modal>
  )
}

function Warning({ children }: { children: string }) {
  return (
    <div className="notice" data-s="waiting">
      <IconAlertTriangle size={16} aria-hidden />
      <div className="grow">{children}</div>
    </div>
  )
}

function History({ plugin }: { plugin: string }) {
  const { t } = useTranslation('catalogue')
  const format = useFormat()
  const { data, error, isPending, refetch } = useQuery(catalogue.history(plugin))
  return (
    <section aria-label={t('versions.history')}>
      <h2>{t('versions.history')}</h2>
      {error && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {isPending && <Rows />}
      {data?.items.length === 0 && <p className="quiet">{t('versions.noHistory')}</p>}
      <ol className="cat-history">
        {data?.items.map((e) => (
          <li key={e.id}>
            <span className="num quiet">{format.when(e.at)}</span>
            <span>
              <strong>{t(`versions.event.${e.kind}`)}</strong> <span className="num">{e.version}</span>{' '}
              <span className="quiet">{e.actor.id}</span>
              {e.detail && <div className="quiet">{e.detail}</div>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}
