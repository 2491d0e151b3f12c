import { ActionIcon, SegmentedControl, Select, Tooltip } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Attempt, Json, RunView } from '~/api/types'
import { IconCheck, IconCopy } from '~/app/icons'
import { differences, differencesMax, isBranch } from './differences'
import { JsonView } from './json-view'
import { useGoodNode } from './last-good'
import { Leaf, Tree } from './tree'

interface Props {
  project: string
  run: Pick<RunView, 'id' | 'flow' | 'created_at'>
  node: string
  side: 'inputs' | 'outputs'
  attempt: Attempt | undefined
  attempts: readonly Attempt[]
  labelOf(a: Attempt): string
}

const lastGood = 'good'
const none = 'none'

/** What went into a node or came out of it: as a tree, as text, or against another attempt. */
export function Values({ project, run, node, side, attempt, attempts, labelOf }: Props) {
  const { t } = useTranslation()
  const { t: own } = useTranslation('console')
  const [look, setLook] = useState<'tree' | 'text'>('tree')
  const [against, setAgainst] = useState(none)
  const { good, attempt: goodAttempt } = useGoodNode(project, run, node)
  const label = t(`node.${side}`)
  const value = attempt?.[side]
  const others = attempts.filter((a) => a !== attempt)
  const other = against === lastGood ? goodAttempt : others.find((a) => keyOf(a) === against)
  const choices = [
    { value: none, label: own('values.alone') },
    ...(goodAttempt ? [{ value: lastGood, label: own('values.lastGood', { name: good?.name ?? '' }) }] : []),
    ...others.map((a) => ({ value: keyOf(a), label: labelOf(a) })).reverse(),
  ]
  return (
    <>
      <div className="rn-tools">
        <SegmentedControl
          size="xs"
          aria-label={own('values.look')}
          value={look}
          onChange={(v) => setLook(v as typeof look)}
          data={(['tree', 'text'] as const).map((v) => ({ value: v, label: own(`values.${v}`) }))}
        />
        {choices.length > 1 && (
          <Select
            size="xs"
            aria-label={own('values.against')}
            data={choices}
            value={choices.some((c) => c.value === against) ? against : none}
            allowDeselect={false}
            onChange={(v) => setAgainst(v ?? none)}
          />
        )}
        <CopyAll value={value} />
      </div>
      {other ? (
        <Compared before={other[side]} after={value} label={label} />
      ) : look === 'text' || !isBranch(value) || Object.keys(value).length === 0 ? (
        <JsonView value={value} label={label} />
      ) : (
        <Tree key={attempt && keyOf(attempt)} value={value} label={label} root="" />
      )}
    </>
  )
}

function keyOf(a: Attempt): string {
  return `${a.iteration}/${a.attempt}`
}

function CopyAll({ value }: { value: Json | undefined }) {
  const { t } = useTranslation('console')
  const clipboard = useClipboard({ timeout: 1500 })
  if (value === undefined) return null
  return (
    <Tooltip label={t('values.copyAll')}>
      <ActionIcon
        size={28}
        variant="default"
        aria-label={t('values.copyAll')}
        onClick={() => clipboard.copy(JSON.stringify(value, null, 2))}
      >
        {clipboard.copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
      </ActionIcon>
    </Tooltip>
  )
}

/** Where two values differ: what was is marked with a minus, what is with a plus. */
export function Compared({
  before,
  after,
  label,
}: {
  before: Json | undefined
  after: Json | undefined
  label: string
}) {
  const { t } = useTranslation('console')
  const found = differences(before, after)
  if (found.length === 0) return <p className="quiet">{t('values.same')}</p>
  return (
    <section className="rn-diff mono" aria-label={t('values.differences', { label, n: found.length })}>
      <ul>
        {found.map((d) => (
          <li key={d.path}>
            <div className="rn-key">{d.path || t('values.whole')}</div>
            {d.before !== undefined && (
              <del>
                <span className="sr-only">{t('values.before')}</span>
                <Leaf value={d.before} />
              </del>
            )}
            {d.after !== undefined && (
              <ins>
                <span className="sr-only">{t('values.after')}</span>
                <Leaf value={d.after} />
              </ins>
            )}
          </li>
        ))}
      </ul>
      {found.length >= differencesMax && <p className="quiet">{t('values.cut', { n: differencesMax })}</p>}
    </section>
  )
}
