import { ActionIcon, Button, Menu } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Confirm } from '~/app/confirm'
import { useFormat } from '~/app/format'
import {
  IconAlertTriangle,
  IconCheck,
  IconDotsVertical,
  IconHourglass,
  IconPlugConnected,
  IconPlus,
  IconTrash,
} from '~/app/icons'
import { EmptyState, ErrorNotice, say, sayError } from '~/app/notices'
import { Rows } from '~/app/rows'
import { useCodes } from '~/i18n/codes'
import { gateway, useDropVersion, usePromote } from './api'
import { ConnectionTest } from './connection'
import { CredentialDialog } from './credential-dialog'
import type { Credential, CredentialVersion, System } from './types'

/** How the gateway logs in to a system: what may be known of it, never a value. */
export function CredentialTab({ project, system }: { project: string; system: System }) {
  const { t } = useTranslation('systems')
  const own = useQuery(gateway.credential(project, system.id, false))
  const shared = useQuery(gateway.credential(project, system.id, true))
  const none = own.data?.kind === 'none' && !own.data.certificate
  return (
    <div className="sys-credential">
      {own.error && <ErrorNotice error={own.error} onRetry={() => void own.refetch()} />}
      {own.isPending && <Rows />}
      {none && <EmptyState title={t('credential.none')}>{t('credential.noneHint')}</EmptyState>}
      {own.data && !none && (
        <>
          <Scope project={project} system={system} credential={own.data} isDefault={false} used={own.data.source} />
          {shared.data && (
            <Scope project={project} system={system} credential={shared.data} isDefault used={own.data.source} />
          )}
        </>
      )}
      {own.data && <ConnectionTest project={project} system={system} />}
    </div>
  )
}

interface ScopeProps {
  project: string
  system: System
  credential: Credential
  /** The one of the installation, for projects that have none. */
  isDefault: boolean
  /** Where the credential that calls use comes from. */
  used: Credential['source']
}

/** The credential of the project, or the default of the installation. */
function Scope({ project, system, credential, isDefault, used }: ScopeProps) {
  const { t, i18n } = useTranslation('systems')
  const [adding, setAdding] = useState(false)
  const { kind, versions } = credential
  const isUsed = used === (isDefault ? 'installation' : 'project')
  const known = i18n.exists(`credential.kind.${kind}`, { ns: 'systems' })
  const title = t(isDefault ? 'credential.ofInstallation' : 'credential.ofProject')
  return (
    <section className="cat-panel" aria-label={title}>
      <div className="cat-action-head">
        <h2>{title}</h2>
        {isUsed && (
          <span className="pill" data-s="succeeded">
            <IconCheck size={12} stroke={2.2} aria-hidden />
            {t('credential.used')}
          </span>
        )}
        {!isDefault && !used && (
          <span className="pill" data-s="waiting">
            <IconAlertTriangle size={12} stroke={2.2} aria-hidden />
            {t('credential.state.missing')}
          </span>
        )}
        <span className="sys-grow" />
        <Button
          variant={versions.length === 0 && !isDefault ? 'filled' : 'default'}
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => setAdding(true)}
        >
          {t(versions.length === 0 ? 'credential.set' : 'credential.rotate')}
        </Button>
      </div>
      <p className="cat-prose">
        {isDefault
          ? t('credential.defaultHint')
          : t('credential.hint', {
              kind: known ? t(`credential.kind.${kind as 'basic'}`) : kind,
              url: system.base_url,
            })}
      </p>
      {versions.length > 0 && <Versions project={project} system={system} versions={versions} isDefault={isDefault} />}
      {adding && (
        <CredentialDialog
          project={project}
          system={system}
          credential={credential}
          isDefault={isDefault}
          onClose={() => setAdding(false)}
        />
      )}
    </section>
  )
}

const stateIcons = { primary: IconCheck, standby: IconHourglass, stale: IconAlertTriangle } as const
const stateColours = { primary: 'succeeded', standby: undefined, stale: 'waiting' } as const

interface VersionsProps {
  project: string
  system: System
  versions: CredentialVersion[]
  isDefault: boolean
}

function Versions({ project, system, versions, isDefault }: VersionsProps) {
  const { t } = useTranslation('systems')
  const { t: common } = useTranslation()
  const format = useFormat()
  const codes = useCodes()
  const promote = usePromote(project, system.id, isDefault)
  const drop = useDropVersion(project, system.id, isDefault)
  const [dropping, setDropping] = useState<CredentialVersion | null>(null)
  const failed = (e: unknown) => sayError(codes.error(e))
  return (
    <>
      <table className="cat-table sys-versions">
        <thead>
          <tr>
            <th>{t('credential.version')}</th>
            <th>{t('credential.versionState')}</th>
            <th className="sys-wide">{t('secrets.fingerprint')}</th>
            <th className="sys-wide">{t('secrets.set')}</th>
            <th className="sys-wide">{t('credential.lastUsed')}</th>
            <th aria-label={t('secrets.actions')} />
          </tr>
        </thead>
        <tbody>
          {versions.map((v) => {
            const Icon = stateIcons[v.state]
            return (
              <tr key={v.version}>
                <td className="num">
                  v{v.version}
                  {v.expires_at && (
                    <div className="quiet">{t('credential.expires', { when: format.when(v.expires_at) })}</div>
                  )}
                </td>
                <td>
                  <span className="pill" data-s={stateColours[v.state] ?? 'idle'}>
                    <Icon size={12} stroke={2.2} aria-hidden />
                    {t(`credential.is.${v.state}`)}
                  </span>
                </td>
                <td className="mono quiet sys-wide">{v.fingerprint.slice(0, 12)}</td>
                <td className="num quiet sys-wide" title={format.full(v.set_at)}>
                  {t('secrets.by', { who: v.set_by, when: format.when(v.set_at) })}
                </td>
                <td className="num quiet sys-wide">
                  {v.last_used_at ? format.when(v.last_used_at) : t('credential.never')}
                </td>
                <td className="cat-right">
                  <Menu position="bottom-end">
                    <Menu.Target>
                      <ActionIcon aria-label={t('credential.more', { version: v.version })}>
                        <IconDotsVertical size={16} aria-hidden />
                      </ActionIcon>
                    </Menu.Target>
                    <Menu.Dropdown>
                      {v.state === 'standby' && (
                        <Menu.Item
                          leftSection={<IconPlugConnected size={14} aria-hidden />}
                          onClick={() =>
                            promote.mutate(v.version, {
                              onSuccess: () => say(t('credential.promoted', { version: v.version })),
                              onError: failed,
                            })
                          }
                        >
                          {t('credential.promote')}
                        </Menu.Item>
                      )}
                      <Menu.Item
                        color="red"
                        leftSection={<IconTrash size={14} aria-hidden />}
                        onClick={() => setDropping(v)}
                      >
                        {common('action.remove')}
                      </Menu.Item>
                    </Menu.Dropdown>
                  </Menu>
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
      <Confirm
        opened={dropping !== null}
        title={t('credential.dropTitle', { version: dropping?.version ?? '' })}
        confirm={common('action.remove')}
        danger
        busy={drop.isPending}
        onConfirm={() =>
          dropping &&
          drop.mutate(dropping.version, {
            onSuccess: () => say(t('credential.dropped', { version: dropping.version })),
            onError: failed,
            onSettled: () => setDropping(null),
          })
        }
        onClose={() => setDropping(null)}
      >
        {t(dropping?.state === 'primary' && versions.length === 1 ? 'credential.dropOnly' : 'credential.dropText')}
      </Confirm>
    </>
  )
}
