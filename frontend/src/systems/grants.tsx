import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import type { Plugin } from '~/api/types'
import { Confirm } from '~/app/confirm'
import { IconCheck, IconLock } from '~/app/icons'
import { EmptyState, ErrorNotice, say, sayError } from '~/app/notices'
import { Rows } from '~/app/rows'
import { grantsAfter } from '~/catalogue/access-model'
import { PluginTile, useDenied } from '~/catalogue/parts'
import { useCodes } from '~/i18n/codes'
import { useText } from '~/i18n/text'
import { useGrant } from './api'
import { shareOf } from './model'
import { Endpoint, RiskPill } from './parts'
import type { Operation, System } from './types'

interface Ask {
  plugin: Plugin
  op: Operation
  approve: boolean
}

/** Which plugins may call the system, and what each of them may do. */
export function GrantsTab({ project, system }: { project: string; system: System }) {
  const { t } = useTranslation('systems')
  const text = useText()
  const codes = useCodes()
  const { data, error, isPending, refetch } = useQuery(queries.plugins(project))
  const grant = useGrant(project)
  const denied = useDenied('approve')
  const [asking, setAsking] = useState<Ask | null>(null)
  const apply = ({ plugin, op, approve }: Ask) =>
    grant.mutate(
      { plugin: plugin.id, grants: grantsAfter(plugin, [{ system: system.id, operation: op.id }], approve) },
      {
        onSuccess: () =>
          say(t(approve ? 'grants.approved' : 'grants.withdrawn', { plugin: text(plugin.manifest.title) })),
        onError: (e) => sayError(codes.error(e)),
        onSettled: () => setAsking(null),
      },
    )
  const change = (ask: Ask) => (ask.approve && ask.op.risk === 'destructive' ? setAsking(ask) : apply(ask))
  const shares = (data ?? [])
    .map((plugin) => ({ plugin, ...shareOf(plugin, system) }))
    .filter((s) => s.asked.length > 0 || s.granted.length > 0)
    .toSorted((a, b) => b.granted.length - a.granted.length)
  return (
    <div className="cat-access">
      {error && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {isPending && <Rows />}
      {data && shares.length === 0 && <EmptyState title={t('grants.none')}>{t('grants.noneHint')}</EmptyState>}
      {shares.length > 0 && <p className="quiet">{denied ?? t('grants.hint')}</p>}
      {shares.map((s) => (
        <PluginGroup
          key={s.plugin.id}
          project={project}
          plugin={s.plugin}
          operations={s.any ? s.granted : [...new Set([...s.asked, ...s.granted])]}
          granted={s.granted}
          any={s.any}
          disabled={grant.isPending || denied !== undefined}
          onChange={change}
        />
      ))}
      <Confirm
        opened={asking !== null}
        title={t('grants.confirmTitle')}
        confirm={t('grants.approve')}
        danger
        busy={grant.isPending}
        onConfirm={() => asking && apply(asking)}
        onClose={() => setAsking(null)}
      >
        {asking &&
          t('grants.confirmText', { plugin: text(asking.plugin.manifest.title), operation: text(asking.op.title) })}
      </Confirm>
    </div>
  )
}

interface GroupProps {
  project: string
  plugin: Plugin
  operations: Operation[]
  granted: Operation[]
  any: boolean
  disabled: boolean
  onChange(ask: Ask): void
}

function PluginGroup({ project, plugin, operations, granted, any, disabled, onChange }: GroupProps) {
  const { t } = useTranslation('systems')
  const text = useText()
  const name = text(plugin.manifest.title)
  return (
    <section className="cat-group" aria-label={name}>
      <header>
        <PluginTile icon={plugin.manifest.icon} />
        <h3>
          <Link to="/p/$project/plugins/$plugin" params={{ project, plugin: plugin.id }} search={{ tab: 'access' }}>
            {name}
          </Link>
        </h3>
        <span className="mono quiet">{plugin.id}</span>
        <span className="grow" />
        <span className="quiet num">
          {any
            ? t('grants.grantedAny', { n: granted.length })
            : t('grants.granted', { n: granted.length, all: operations.length })}
        </span>
      </header>
      {any && <p className="quiet">{t('grants.any')}</p>}
      <ul>
        {operations.map((op) => {
          const on = granted.includes(op)
          return (
            <li key={op.id} className="cat-op" data-granted={on}>
              <span className="cat-op-state" data-s={on ? 'succeeded' : undefined}>
                {on ? <IconCheck size={15} stroke={2.2} aria-hidden /> : <IconLock size={14} aria-hidden />}
                <span className="sr-only">{t(on ? 'grants.may' : 'grants.mayNot')}</span>
              </span>
              <div className="cat-op-name">
                <span>{text(op.title)}</span>
                <Endpoint op={op} />
              </div>
              <RiskPill risk={op.risk} />
              <Button
                size="compact-xs"
                variant={on ? 'subtle' : 'default'}
                color={on ? 'gray' : undefined}
                disabled={disabled}
                aria-label={t(on ? 'grants.withdrawNamed' : 'grants.approveNamed', {
                  plugin: name,
                  operation: text(op.title),
                })}
                onClick={() => onChange({ plugin, op, approve: !on })}
              >
                {t(on ? 'grants.withdraw' : 'grants.approve')}
              </Button>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
