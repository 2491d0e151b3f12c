import { Button, Switch, TextInput } from '@mantine/core'
import type { TFunction } from 'i18next'
import { memo, useCallback, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { IconCircleDashed, IconPlayerPause, IconSearch } from '~/app/icons'
import { useNodeName } from '~/canvas/nodes'
import type { PathNode } from '~/doc/paths'
import { isSpinning, nodeIcon } from '~/run/states'
import { useNodeRun, useRunStore, useRunSummary } from '~/run/store'
import { type Group, groupOf, groups, groupsIn, toggled } from './filter'
import { useKeys } from './hotkeys'

/** A long list is shown in parts: search and filters reach the rest. */
const rowsStep = 300

interface Props {
  nodes: readonly PathNode[]
  chosen: string | undefined
  /** The states that are shown, as in the address. */
  show: string | undefined
  /** Whether what succeeded is left out. */
  quiet: boolean
  onChoose(id: string): void
  onShow(show: string | undefined): void
  onQuiet(quiet: boolean): void
  onCanvas?(): void
}

/** The nodes as a list, with what is worth looking at in one click. */
export function NodeList({ nodes, chosen, show, quiet, onChoose, onShow, onQuiet, onCanvas }: Props) {
  const { t } = useTranslation()
  const { t: own } = useTranslation('console')
  const store = useRunStore()
  const summary = useRunSummary(store)
  const name = useNodeName()
  const [query, setQuery] = useState('')
  const [rows, setRows] = useState(rowsStep)
  const find = useRef<HTMLInputElement>(null)
  useKeys([['/', () => find.current?.focus()]])
  const words = query.trim().toLowerCase()
  const wanted = useMemo(() => groupsIn(show), [show])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the summary says when states changed
  const grouped = useMemo(() => nodes.map((n) => groupOf(store.node(n.path))), [nodes, store, summary])
  const shown = useMemo(
    () =>
      nodes.filter((n, i) => {
        const group = grouped[i] ?? 'todo'
        if (wanted.size > 0 ? !wanted.has(group) : quiet && group === 'ok') return false
        return words === '' || `${name(n.node)} ${n.path}`.toLowerCase().includes(words)
      }),
    [nodes, grouped, wanted, quiet, words, name],
  )
  return (
    <nav className="rn-list" aria-label={t('run.nodes')}>
      <div className="rn-list-head">
        <TextInput
          ref={find}
          aria-keyshortcuts="/"
          aria-label={t('run.findNode')}
          placeholder={t('run.findNode')}
          leftSection={<IconSearch size={14} aria-hidden />}
          value={query}
          onChange={(e) => setQuery(e.currentTarget.value)}
        />
        <Chips grouped={grouped} wanted={wanted} onShow={onShow} />
        <div className="rn-list-foot">
          <Switch
            size="xs"
            label={own('filter.quiet')}
            checked={quiet}
            disabled={wanted.size > 0}
            onChange={(e) => onQuiet(e.currentTarget.checked)}
          />
          {onCanvas && (
            <Button variant="default" onClick={onCanvas}>
              {t('run.showCanvas')}
            </Button>
          )}
        </div>
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
            t={t}
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

/** How many nodes are in which state; pressing one shows these alone, pressing more adds to them. */
function Chips({
  grouped,
  wanted,
  onShow,
}: {
  grouped: readonly Group[]
  wanted: ReadonlySet<Group>
  onShow(show: string | undefined): void
}) {
  const { t } = useTranslation('console')
  const counts = new Map<Group, number>()
  for (const g of grouped) counts.set(g, (counts.get(g) ?? 0) + 1)
  return (
    // biome-ignore lint/a11y/useSemanticElements: buttons, and not a group of a form
    <div className="rn-chips" role="group" aria-label={t('filter.label')}>
      <button type="button" aria-pressed={wanted.size === 0} onClick={() => onShow(undefined)}>
        {t('filter.chip', { label: t('filter.all'), n: grouped.length })}
      </button>
      {groups
        .filter((g) => counts.has(g) || wanted.has(g))
        .map((g) => (
          <button
            key={g}
            type="button"
            data-group={g}
            aria-pressed={wanted.has(g)}
            onClick={() => onShow(toggled(wanted, g))}
          >
            {t('filter.chip', { label: t(`filter.${g}`), n: counts.get(g) ?? 0 })}
          </button>
        ))}
    </div>
  )
}

const NodeRow = memo(function NodeRow({
  path,
  depth,
  name,
  chosen,
  t,
  onChoose,
}: {
  path: string
  depth: number
  name: string
  chosen: boolean
  /** One for all rows: to ask for it costs more than the rest of a row. */
  t: TFunction
  onChoose(id: string): void
}) {
  const [hidden, row] = useOutOfSight()
  const view = useNodeRun(path, hidden)
  const Icon = view ? nodeIcon(view) : IconCircleDashed
  return (
    <li>
      <button
        ref={row}
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

/** Whether the browser leaves out an element because it is scrolled away; it says so of those whose content is shown as needed. */
function useOutOfSight() {
  const [hidden, setHidden] = useState(false)
  const element = useCallback((button: HTMLButtonElement | null) => {
    const look = (event: Event) => setHidden((event as ContentVisibilityAutoStateChangeEvent).skipped)
    button?.addEventListener('contentvisibilityautostatechange', look)
    return () => button?.removeEventListener('contentvisibilityautostatechange', look)
  }, [])
  return [hidden, element] as const
}
