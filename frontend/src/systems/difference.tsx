import { SegmentedControl, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { IconAlertTriangle, IconMinus, IconPencil, IconPlus, IconSearch } from '~/app/icons'
import { useText } from '~/i18n/text'
import { has } from './model'
import { RiskPill } from './parts'
import type { Difference, FieldChange, OperationChange } from './types'

/** How many operations are shown; the others are found by typing. */
const rowsMax = 100

const icons = { added: IconPlus, changed: IconPencil, removed: IconMinus } as const
const colours = { added: 'succeeded', changed: 'waiting', removed: 'failed' } as const
const kinds = ['added', 'changed', 'removed'] as const

/** Whether a difference says anything. */
export function isEmpty(d: Difference): boolean {
  return d.fields.length === 0 && d.changes.length === 0 && d.version > 0
}

/** What a change does to a system: its head, and operation by operation. */
export function DifferenceView({ difference: d }: { difference: Difference }) {
  const { t } = useTranslation('registry')
  const wider = d.changes.filter((c) => c.kind === 'changed' && c.wider).length
  return (
    <section className="sys-diff" aria-label={t('diff.title')}>
      <div className="cat-facts num">
        {kinds.map((kind) => (
          <KindPill key={kind} kind={kind} n={d.changes.filter((c) => c.kind === kind).length} />
        ))}
        <span className="quiet">{t('diff.unchanged', { n: d.unchanged })}</span>
        {wider > 0 && (
          <span className="pill" data-s="failed">
            <IconAlertTriangle size={12} stroke={2.2} aria-hidden />
            {t('diff.wider', { n: wider })}
          </span>
        )}
      </div>
      {wider > 0 && <p className="quiet">{t('diff.widerHint')}</p>}
      {isEmpty(d) && <p className="quiet">{t('diff.nothing')}</p>}
      {d.fields.length > 0 && (
        <>
          <h3>{t('diff.head')}</h3>
          <Fields fields={d.fields} />
        </>
      )}
      {d.changes.length > 0 && <Changes changes={d.changes} wider={wider > 0} />}
    </section>
  )
}

function KindPill({ kind, n }: { kind: (typeof kinds)[number]; n: number }) {
  const { t } = useTranslation('registry')
  if (n === 0) return null
  const Icon = icons[kind]
  const text = {
    added: t('diff.added', { n }),
    changed: t('diff.changedCount', { n }),
    removed: t('diff.removed', { n }),
  }
  return (
    <span className="pill" data-s={colours[kind]}>
      <Icon size={12} stroke={2.2} aria-hidden />
      {text[kind]}
    </span>
  )
}

function Changes({ changes, wider }: { changes: readonly OperationChange[]; wider: boolean }) {
  const { t } = useTranslation('registry')
  const text = useText()
  const [q, setQ] = useState('')
  const [show, setShow] = useState('all')
  const found = changes
    .filter((c) => show === 'all' || (show === 'wider' ? c.kind === 'changed' && c.wider : c.kind === show))
    .filter((c) => has(q, c.operation, c.path, c.group, text(c.title)))
    .toSorted((a, b) => Number(isWider(b)) - Number(isWider(a)))
  const present = kinds.filter((k) => changes.some((c) => c.kind === k))
  return (
    <>
      <h3>{t('diff.operations')}</h3>
      <div className="sys-diff-tools">
        <SegmentedControl
          aria-label={t('diff.show')}
          value={show}
          onChange={setShow}
          data={[
            { value: 'all', label: t('diff.all') },
            ...(wider ? [{ value: 'wider', label: t('diff.widerOnly') }] : []),
            ...present.map((k) => ({ value: k, label: t(`diff.kind.${k}`) })),
          ]}
        />
        <TextInput
          aria-label={t('diff.search')}
          placeholder={t('diff.search')}
          leftSection={<IconSearch size={14} aria-hidden />}
          value={q}
          onChange={(e) => setQ(e.currentTarget.value)}
        />
      </div>
      <ul className="sys-changes">
        {found.slice(0, rowsMax).map((c) => (
          <Change key={c.operation} change={c} />
        ))}
      </ul>
      {found.length > rowsMax && <p className="quiet">{t('diff.more', { n: found.length - rowsMax })}</p>}
    </>
  )
}

function isWider(c: OperationChange): boolean {
  return c.kind === 'changed' && c.wider
}

function Change({ change: c }: { change: OperationChange }) {
  const { t } = useTranslation('registry')
  const text = useText()
  const Icon = icons[c.kind]
  const plugins = (c.plugins ?? []).join(', ')
  return (
    <li>
      <div className="sys-change">
        <span className="pill" data-s={colours[c.kind]}>
          <Icon size={12} stroke={2.2} aria-hidden />
          {t(`diff.kind.${c.kind}`)}
        </span>
        <strong>{text(c.title) || c.operation}</strong>
        <code className="mono quiet">
          {c.method} {c.path}
        </code>
        <RiskPill risk={c.risk} />
        {isWider(c) && (
          <span className="pill" data-s="failed">
            <IconAlertTriangle size={12} stroke={2.2} aria-hidden />
            {t('diff.isWider')}
          </span>
        )}
        <span className="quiet">
          {c.was_enabled && !c.enabled && c.kind !== 'removed'
            ? t('diff.turnsOff')
            : t(c.enabled ? 'diff.on' : 'diff.off')}
        </span>
        {plugins && (
          <span className="quiet">
            {t(c.kind === 'removed' || (c.was_enabled && !c.enabled) ? 'diff.lost' : 'diff.granted', { plugins })}
          </span>
        )}
      </div>
      {c.fields && c.fields.length > 0 && <Fields fields={c.fields} />}
    </li>
  )
}

function Fields({ fields }: { fields: readonly FieldChange[] }) {
  const { t } = useTranslation('registry')
  return (
    <dl className="sys-dl sys-fields">
      {fields.map((f) => (
        <div key={f.field}>
          <dt className="mono">
            {f.field}
            {f.wider && <span className="sys-wider"> {t('diff.isWider')}</span>}
          </dt>
          <dd className="mono">
            {f.from === undefined && f.to === undefined ? (
              t('diff.kind.changed')
            ) : (
              <>
                <del>{f.from ?? t('diff.absent')}</del> → <ins>{f.to ?? t('diff.absent')}</ins>
              </>
            )}
          </dd>
        </div>
      ))}
    </dl>
  )
}
