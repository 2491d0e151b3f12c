import { Button, SegmentedControl, TextInput } from '@mantine/core'
import { memo, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { FlowNode, NodeState } from '~/api/types'
import { IconCircleDashed, IconSearch } from '~/app/icons'
import { useNodeName } from '~/canvas/nodes'
import { isSpinning, nodeIcon } from '~/run/states'
import { useNodeRun, useRunStore, useRunSummary } from '~/run/store'

type Filter = 'all' | 'failed' | 'active' | 'todo'

const inFilter: Record<Filter, (state: NodeState | undefined) => boolean> = {
  all: () => true,
  failed: (s) => s === 'failed' || s === 'unknown' || s === 'rollback_failed',
  active: (s) => s === 'running' || s === 'waiting' || s === 'ready' || s === 'suspended' || s === 'rolling_back',
  todo: (s) => s === undefined,
}

/** A long list is shown in parts: search and filters reach the rest. */
const rowsStep = 300

interface Props {
  nodes: readonly FlowNode[]
  chosen: string | undefined
  onChoose(id: string): void
  onCanvas?(): void
}

/** The nodes as a list, with what is worth looking at in one click. */
export function NodeList({ nodes, chosen, onChoose, onCanvas }: Props) {
  const { t } = useTranslation()
  const store = useRunStore()
  const summary = useRunSummary(store)
  const name = useNodeName()
  const [filter, setFilter] = useState<Filter>('all')
  const [query, setQuery] = useState('')
  const [rows, setRows] = useState(rowsStep)
  const words = query.trim().toLowerCase()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the summary says when states changed
  const shown = useMemo(
    () =>
      nodes.filter(
        (n) =>
          inFilter[filter](store.node(n.id)?.state) &&
          (words === '' || `${name(n)} ${n.id}`.toLowerCase().includes(words)),
      ),
    [nodes, filter, words, summary, store, name],
  )
  return (
    <nav className="rn-list" aria-label={t('run.nodes')}>
      <div className="rn-list-head">
        <TextInput
          aria-label={t('run.findNode')}
          placeholder={t('run.findNode')}
          leftSection={<IconSearch size={14} aria-hidden />}
          value={query}
          onChange={(e) => setQuery(e.currentTarget.value)}
        />
        <SegmentedControl
          aria-label={t('run.filter')}
          fullWidth
          value={filter}
          onChange={(v) => setFilter(v as Filter)}
          data={(['all', 'failed', 'active', 'todo'] as const).map((value) => ({
            value,
            label: t(`run.filters.${value}`),
          }))}
        />
        {onCanvas && (
          <Button variant="default" fullWidth onClick={onCanvas}>
            {t('run.showCanvas')}
          </Button>
        )}
      </div>
      {shown.length === 0 && <p className="quiet rn-none">{t('run.noNodes')}</p>}
      <ul>
        {shown.slice(0, rows).map((node) => (
          <NodeRow key={node.id} node={node} name={name(node)} chosen={node.id === chosen} onChoose={onChoose} />
        ))}
      </ul>
      {shown.length > rows && (
        <Button variant="subtle" fullWidth onClick={() => setRows(rows + rowsStep)}>
          {t('run.moreNodes', { n: shown.length - rows })}
        </Button>
      )}
    </nav>
  )
}

const NodeRow = memo(function NodeRow({
  node,
  name,
  chosen,
  onChoose,
}: {
  node: FlowNode
  name: string
  chosen: boolean
  onChoose(id: string): void
}) {
  const { t } = useTranslation()
  const view = useNodeRun(node.id)
  const Icon = view ? nodeIcon(view) : IconCircleDashed
  return (
    <li>
      <button
        type="button"
        data-s={view?.state ?? 'idle'}
        aria-current={chosen}
        data-testid={`row-${node.id}`}
        onClick={() => onChoose(node.id)}
      >
        <span className="rn-dot">
          <Icon size={12} stroke={2.6} aria-hidden className={view && isSpinning(view.state) ? 'spin' : ''} />
        </span>
        <span className="clip">{name}</span>
        <span className="rn-state">{t(view ? `node.state.${view.state}` : 'node.state.idle')}</span>
      </button>
    </li>
  )
})
