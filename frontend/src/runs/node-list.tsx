import { Button, SegmentedControl, TextInput } from '@mantine/core'
import { memo, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { NodeState } from '~/api/types'
import { IconCircleDashed, IconPlayerPause, IconSearch } from '~/app/icons'
import { useNodeName } from '~/canvas/nodes'
import type { PathNode } from '~/doc/paths'
import { isSpinning, nodeIcon } from '~/run/states'
import { useNodeRun, useRunStore, useRunSummary } from '~/run/store'

type Filter = 'all' | 'failed' | 'active' | 'todo'

const inFilter: Record<Filter, (state: NodeState | undefined) => boolean> = {
  all: () => true,
  failed: (s) => s === 'failed' || s === 'unknown' || s === 'rollback_failed',
  active: (s) => s === 'running' || s === 'waiting' || s === 'ready' || s === 'suspended' || s === 'rolling_back',
  todo: (s) => s === undefined || s === 'idle',
}

/** A long list is shown in parts: search and filters reach the rest. */
const rowsStep = 300

interface Props {
  nodes: readonly PathNode[]
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
          inFilter[filter](store.node(n.path)?.state) &&
          (words === '' || `${name(n.node)} ${n.path}`.toLowerCase().includes(words)),
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
        {shown.slice(0, rows).map((entry) => (
          <NodeRow
            key={entry.path}
            path={entry.path}
            depth={entry.depth}
            name={name(entry.node)}
            chosen={entry.path === chosen}
            onChoose={onChoose}
          />
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
  path,
  depth,
  name,
  chosen,
  onChoose,
}: {
  path: string
  depth: number
  name: string
  chosen: boolean
  onChoose(id: string): void
}) {
  const { t } = useTranslation()
  const view = useNodeRun(path)
  const Icon = view ? nodeIcon(view) : IconCircleDashed
  return (
    <li>
      <button
        type="button"
        data-s={view?.state ?? 'idle'}
        aria-current={chosen}
        data-testid={`row-${path}`}
        title={depth > 0 ? path : undefined}
        style={depth > 0 ? { paddingInlineStart: 8 + 16 * depth } : undefined}
        onClick={() => onChoose(path)}
      >
        <span className="rn-dot">
          <Icon size={12} stroke={2.6} aria-hidden className={view && isSpinning(view.state) ? 'spin' : ''} />
        </span>
        <span className="clip">{name}</span>
        {view?.held && <IconPlayerPause size={13} role="img" aria-label={t('node.held')} />}
        <span className="rn-state">{t(`node.state.${view?.state ?? 'idle'}`)}</span>
      </button>
    </li>
  )
})
