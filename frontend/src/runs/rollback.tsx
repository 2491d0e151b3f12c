import { Button, Group, SegmentedControl, Select, Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import { queries, useRunCommand } from '~/api/queries'
import type { NodeState, RollbackMode, RollbackPlan } from '~/api/types'
import { ErrorNotice } from '~/app/notices'
import { useNodeName } from '~/canvas/nodes'
import type { PathNode } from '~/doc/paths'
import { useRunStore } from '~/run/store'
import { useRefused } from './refused'
import { isTyped, TypedConfirm } from './typed'

/** Where a run can stand that goes back, the likeliest first. */
const standing: NodeState[] = ['failed', 'succeeded', 'skipped']

interface Props {
  project: string
  run: string
  to: PathNode
  nodes: readonly PathNode[]
  onClose(): void
}

/** Asks from where to go back, shows what is undone, and does it. */
export function RollbackForm({ project, run, to, nodes, onClose }: Props) {
  const { t } = useTranslation(['translation', 'console'])
  const store = useRunStore()
  const name = useNodeName()
  const refused = useRefused()
  const command = useRunCommand(project, run)
  const [mode, setMode] = useState<RollbackMode>('any')
  const [choices] = useState(() => candidates(nodes, to, (path) => store.node(path)?.state))
  const [from, setFrom] = useState(choices[0]?.path ?? null)
  const [typed, setTyped] = useState('')
  const label = (path: string) => {
    const found = nodes.find((n) => n.path === path)
    return found ? name(found.node) : path
  }
  const preview = useQuery({
    ...queries.rollbackPreview(project, run, { from: from ?? '', to: to.path, mode }),
    enabled: from !== null,
  })
  const roll = () =>
    from && command.mutate({ command: 'rollback', from, to: to.path, mode }, { onError: refused, onSettled: onClose })
  return (
    <>
      <p>{t('console:act.rollback.text')}</p>
      <Select
        label={t('console:act.rollback.from')}
        data={choices.map((n) => ({ value: n.path, label: `${name(n.node)} (${n.path})` }))}
        value={from}
        allowDeselect={false}
        searchable
        onChange={setFrom}
      />
      <SegmentedControl
        mt="sm"
        fullWidth
        aria-label={t('console:act.rollback.mode')}
        value={mode}
        onChange={(v) => setMode(v as RollbackMode)}
        data={(['any', 'compensate'] as const).map((value) => ({ value, label: t(`console:act.rollback.${value}`) }))}
      />
      <p className="quiet">{t(`console:act.rollback.${mode}Help`)}</p>
      {preview.isPending && from && <Skeleton height={80} />}
      {preview.error && <Refusal error={preview.error} label={label} />}
      {preview.data && <Steps plan={preview.data} label={label} />}
      {preview.data && <TypedConfirm phrase={to.node.id} value={typed} onChange={setTyped} />}
      <Group justify="flex-end" mt="md" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t('action.cancel')}
        </Button>
        <Button
          color="red"
          loading={command.isPending}
          disabled={!preview.data || preview.isFetching || !isTyped(to.node.id, typed)}
          onClick={roll}
        >
          {t('action.rollback')}
        </Button>
      </Group>
    </>
  )
}

function candidates(
  nodes: readonly PathNode[],
  to: PathNode,
  stateOf: (path: string) => NodeState | undefined,
): PathNode[] {
  return nodes
    .filter((n) => n.path !== to.path && n.flow === to.flow && standing.includes(stateOf(n.path) ?? 'ready'))
    .map((n, i) => ({ n, rank: standing.indexOf(stateOf(n.path) ?? 'ready') * nodes.length - i }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ n }) => n)
}

/** Why it cannot be done, in the words of the product, with the server's own below. */
function Refusal({ error, label }: { error: Error; label(path: string): string }) {
  const { t } = useTranslation(['translation', 'console'])
  if (!(error instanceof ApiError) || error.status >= 500) return <ErrorNotice error={error} />
  const { node, detail } = error.body
  return (
    <section className="rn-failure" data-s="failed" aria-label={t('console:act.rollback.refused')}>
      <strong>
        {t('console:act.rollback.refused')}
        {node && ` · ${label(node)}`}
      </strong>
      <div>{t('console:act.rollback.rules')}</div>
      {detail && <div className="quiet mono">{detail}</div>}
    </section>
  )
}

/** What would be undone, in the order in which that is done. */
function Steps({ plan, label }: { plan: RollbackPlan; label(path: string): string }) {
  const { t } = useTranslation(['translation', 'console'])
  return (
    <section aria-label={t('console:act.rollback.steps')}>
      <h3>{t('console:act.rollback.steps')}</h3>
      {plan.steps.length === 0 && <p className="quiet">{t('console:act.rollback.nothing')}</p>}
      <ol className="rn-plan">
        {plan.steps.map((step, i) => (
          <li key={step.node}>
            <strong>{label(step.node)}</strong> <span className="quiet mono">{step.node}</span>
            <div className="quiet">
              {step.calls > 0
                ? t('console:act.rollback.calls', { n: step.calls })
                : step.why && t(`console:act.rollback.why.${step.why}`)}
              {isNews(plan, i) && ` · ${t('console:act.rollback.after', { nodes: (step.after ?? []).join(', ') })}`}
            </div>
          </li>
        ))}
      </ol>
      {(plan.reset ?? []).length > 0 && (
        <p className="quiet">{t('console:act.rollback.reset', { nodes: (plan.reset ?? []).map(label).join(', ') })}</p>
      )}
    </section>
  )
}

/** Whether it says more than the order of the list what a step waits for. */
function isNews(plan: RollbackPlan, i: number): boolean {
  const after = plan.steps[i]?.after ?? []
  return after.length > 1 || (after.length === 1 && after[0] !== plan.steps[i - 1]?.node)
}
