import { Button, SegmentedControl, TextInput } from '@mantine/core'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Confirm } from '~/app/confirm'
import { IconAlertTriangle, IconPlayerStop, IconPlus, IconSearch } from '~/app/icons'
import { EmptyState, say, sayError } from '~/app/notices'
import { useCodes } from '~/i18n/codes'
import { useText } from '~/i18n/text'
import { useSwitch } from './api'
import { grouped, has, passes } from './model'
import { OperationView } from './operation'
import { OperationAdder } from './operation-add'
import type { Operation, OperationGroup, System } from './types'

const route = getRouteApi('/p/$project/systems/$system')

/** How many operations are listed before a search is asked for. */
const shownMax = 200

/** What a system offers: grouped, searched, and switched on one by one. */
export function OperationsTab({ project, system }: { project: string; system: System }) {
  const { t } = useTranslation('systems')
  const text = useText()
  const { q = '', op, show } = route.useSearch()
  const navigate = useNavigate()
  const { t: own } = useTranslation('registry')
  const [adding, setAdding] = useState(false)
  const all = system.operations ?? []
  const words = q.split(/\s+/)
  const found = all.filter(
    (o) => passes(o, show) && words.every((w) => has(w, o.id, text(o.title), o.path, o.method, o.group)),
  )
  const chosen = all.find((o) => o.id === op) ?? found[0]
  const changed = all.filter((o) => passes(o, 'changed')).length
  const search = (next: { q?: string; op?: string; show?: string }) => {
    const kept = Object.entries({ q, op, show, ...next }).filter(([, value]) => value)
    void navigate({ to: '.', search: Object.fromEntries(kept), replace: true })
  }
  const adder = (
    <OperationAdder
      project={project}
      system={system}
      onAdded={(id) => {
        setAdding(false)
        search({ q: '', show: undefined, op: id })
      }}
      onCancel={() => setAdding(false)}
    />
  )
  if (all.length === 0)
    return adding ? (
      adder
    ) : (
      <EmptyState
        title={t('operations.empty')}
        action={<Button onClick={() => setAdding(true)}>{own('operation.add')}</Button>}
      >
        {t('operations.emptyHint')}
      </EmptyState>
    )
  return (
    <>
      {changed > 0 && show !== 'changed' && (
        <div className="notice cat-strip sys-changed" data-s="waiting" role="status">
          <IconAlertTriangle size={16} aria-hidden />
          <div className="grow">{t('operations.changedStrip', { n: changed })}</div>
          <Button variant="default" onClick={() => search({ show: 'changed', op: undefined })}>
            {t('operations.look')}
          </Button>
        </div>
      )}
      <div className="sys-operations">
        <div className="sys-side">
          <div className="sys-find">
            <TextInput
              aria-label={t('operations.search')}
              placeholder={t('operations.search')}
              leftSection={<IconSearch size={14} aria-hidden />}
              defaultValue={q}
              onChange={(e) => search({ q: e.currentTarget.value })}
            />
            <Button
              variant="default"
              leftSection={<IconPlus size={14} aria-hidden />}
              aria-pressed={adding}
              onClick={() => setAdding(!adding)}
            >
              {own('operation.addShort')}
            </Button>
          </div>
          <SegmentedControl
            aria-label={t('operations.show')}
            fullWidth
            value={show ?? 'all'}
            onChange={(value) => search({ show: value === 'all' ? undefined : value })}
            data={[
              { value: 'all', label: t('operations.all') },
              { value: 'enabled', label: t('operations.enabled') },
              { value: 'disabled', label: t('operations.disabled') },
              ...(changed > 0 ? [{ value: 'changed', label: t('operations.changed') }] : []),
            ]}
          />
          <nav aria-label={t('operations.list')}>
            {found.length === 0 && <p className="quiet">{t('operations.noMatch')}</p>}
            <Groups
              project={project}
              system={system}
              found={found.slice(0, shownMax)}
              chosen={adding ? undefined : chosen}
              onChoose={(id) => {
                setAdding(false)
                search({ op: id })
              }}
            />
            {found.length > shownMax && <p className="quiet">{t('operations.more', { n: found.length - shownMax })}</p>}
          </nav>
        </div>
        {adding && adder}
        {!adding && chosen && (
          <OperationView
            key={chosen.id}
            project={project}
            system={system}
            op={chosen}
            onRemoved={() => search({ op: undefined })}
          />
        )}
      </div>
    </>
  )
}

interface GroupsProps {
  project: string
  system: System
  found: Operation[]
  chosen: Operation | undefined
  onChoose(id: string): void
}

function Groups({ project, system, found, chosen, onChoose }: GroupsProps) {
  const { t } = useTranslation('systems')
  const groups = grouped(system.groups, found)
  // The only group needs no name, unless it has one.
  const named = groups.length > 1 || groups[0]?.group.name
  return groups.map(({ group, operations }) => (
    <section key={group.name} aria-label={group.name || t('operations.noGroup')}>
      {named && <GroupHead project={project} system={system} group={group} />}
      <ul>
        {operations.map((o) => (
          <OperationItem key={o.id} op={o} current={o.id === chosen?.id} onChoose={() => onChoose(o.id)} />
        ))}
      </ul>
    </section>
  ))
}

function OperationItem({ op, current, onChoose }: { op: Operation; current: boolean; onChoose(): void }) {
  const { t } = useTranslation('systems')
  const text = useText()
  return (
    <li>
      <button type="button" aria-current={current} data-off={!op.enabled} onClick={onChoose}>
        <span className="sys-method">{op.method}</span>
        <span className="sys-op-text">
          <span className="clip">{text(op.title)}</span>
          <span className="quiet mono clip">{op.path}</span>
        </span>
        {!op.enabled && (
          <span className="sys-off" data-s={op.disabled_by === 'change' ? 'waiting' : undefined}>
            {op.disabled_by === 'change' ? (
              <IconAlertTriangle size={13} aria-hidden />
            ) : (
              <IconPlayerStop size={13} aria-hidden />
            )}
            <span className="sr-only">{t('operations.isOff')}</span>
          </span>
        )}
      </button>
    </li>
  )
}

/** The name of a group, and what switches all of it. */
function GroupHead({ project, system, group }: { project: string; system: System; group: OperationGroup }) {
  const { t } = useTranslation('systems')
  const codes = useCodes()
  const set = useSwitch(project, system.id)
  const [asking, setAsking] = useState(false)
  const name = group.name || t('operations.noGroup')
  const on = group.enabled < group.operations
  const apply = () =>
    set.mutate(
      { group: group.name, enabled: on },
      {
        onSuccess: () => say(t(on ? 'operations.groupOn' : 'operations.groupOff', { name })),
        onError: (e) => sayError(codes.error(e)),
        onSettled: () => setAsking(false),
      },
    )
  return (
    <header className="sys-group">
      <h3 className="clip">{name}</h3>
      <span className="quiet num">
        {group.enabled}/{group.operations}
      </span>
      <Button size="compact-xs" variant="subtle" color="gray" onClick={() => setAsking(true)}>
        {t(on ? 'operations.allOn' : 'operations.allOff')}
        <span className="sr-only">{name}</span>
      </Button>
      <Confirm
        opened={asking}
        title={t(on ? 'operations.allOnTitle' : 'operations.allOffTitle', { name })}
        confirm={t(on ? 'operations.allOn' : 'operations.allOff')}
        danger={!on}
        busy={set.isPending}
        onConfirm={apply}
        onClose={() => setAsking(false)}
      >
        {t(on ? 'operations.allOnText' : 'operations.allOffText', {
          n: on ? group.operations - group.enabled : group.enabled,
        })}
      </Confirm>
    </header>
  )
}
