import { Button, Group, Modal } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { PluginVersion } from '~/api/installed'
import type { Manifest } from '~/api/types'
import { IconAlertTriangle } from '~/app/icons'
import { ErrorNotice, say } from '~/app/notices'
import { Rows } from '~/app/rows'
import { useCodes } from '~/i18n/codes'
import { LimitsPanel } from './access'
import { catalogue, useChangeVersion } from './api'
import { covers, short } from './entries'
import { Denied, off, TrustMark, useDenied } from './parts'

/** Shows what a version that waits asks for, and lets an administrator decide. */
export function ReviewDialog(props: {
  project: string
  version: PluginVersion
  /** The manifest of the version in use, if one is. */
  before: Manifest | undefined
  onClose(): void
}) {
  const { t } = useTranslation('catalogue')
  const { t: common } = useTranslation()
  const { project, version: v, before, onClose } = props
  const full = useQuery(catalogue.version(v.plugin, v.digest))
  const change = useChangeVersion(project)
  const denied = useDenied('approve')
  const codes = useCodes()
  const decide = (command: 'approve' | 'block') =>
    denied ||
    change.mutate(
      { plugin: v.plugin, digest: v.digest, command },
      {
        onSuccess: () => {
          say(t(command === 'approve' ? 'review.approved' : 'review.rejected', { version: v.version }))
          onClose()
        },
      },
    )
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('review.title', { version: v.version })}
      size="lg"
      closeButtonProps={{ 'aria-label': common('action.close') }}
    >
      <div className="cat-dialog">
        <div className="cat-facts">
          <TrustMark version={v} />
          <span className="mono quiet">{short(v.digest)}</span>
        </div>
        <section aria-label={t('review.why')}>
          <h3>{t('review.why')}</h3>
          <ul className="cat-holds">
            {(v.held ?? []).map((h) => (
              <li key={`${h.code} ${h.detail}`} data-s="waiting">
                <IconAlertTriangle size={15} aria-hidden />
                {t(`review.hold.${h.code}`, { detail: h.code === 'ASKS_LIMIT' ? limitName(h.detail, t) : h.detail })}
              </li>
            ))}
          </ul>
        </section>
        {full.error && <ErrorNotice error={full.error} onRetry={() => void full.refetch()} />}
        {full.isPending && <Rows />}
        {full.data?.manifest && <Asked manifest={full.data.manifest} before={before} />}
        {change.error && (
          <div className="sf-error" role="alert">
            {codes.error(change.error)}
          </div>
        )}
        <Denied right="approve" />
        <Group justify="flex-end" gap="xs">
          <Button
            variant="subtle"
            color="red"
            mr="auto"
            loading={change.isPending && change.variables.command === 'block'}
            onClick={() => decide('block')}
            {...off(denied)}
          >
            {t('review.reject')}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('review.later')}
          </Button>
          <Button
            loading={change.isPending && change.variables.command === 'approve'}
            disabled={!full.data}
            onClick={() => decide('approve')}
            {...off(denied)}
          >
            {t('review.approve')}
          </Button>
        </Group>
      </div>
    </Modal>
  )
}

const limitNames = ['memory_bytes', 'output_bytes', 'log_bytes', 'host_calls', 'timeout_ms'] as const

function limitName(detail: string, t: ReturnType<typeof useTranslation<'catalogue'>>['t']): string {
  const known = limitNames.find((n) => n === detail)
  return known ? t(`limit.${known}`) : detail
}

function Asked({ manifest, before }: { manifest: Manifest; before: Manifest | undefined }) {
  const { t } = useTranslation('catalogue')
  const needs = manifest.needs ?? []
  const isNew = (system: string, operation: string) =>
    before !== undefined && !(before.needs ?? []).some((n) => covers(n, { system, operation }))
  return (
    <section aria-label={t('review.asks')}>
      <h3>{t('review.asks')}</h3>
      {needs.length === 0 && <p className="quiet">{t('install.asksNothing')}</p>}
      <ul className="cat-needs">
        {needs.map((n) => (
          <li key={`${n.system}/${n.operation}`}>
            <span className="mono">
              {n.system}/{n.operation}
            </span>
            {isNew(n.system, n.operation) && (
              <span className="pill cat-risk" data-s="waiting">
                {t('review.asksNew')}
              </span>
            )}
          </li>
        ))}
      </ul>
      {needs.length > 0 && <p className="quiet">{t('review.grantLater')}</p>}
      <LimitsPanel manifest={manifest} brief />
    </section>
  )
}
