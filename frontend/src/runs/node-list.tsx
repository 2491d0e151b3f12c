import { Button, Switch, TextInput } from '@mantine/core'
import type { TFunction } from 'i18next'
import { type CSSProperties, memo, type ReactNode, useCallback, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { IconPlayerPause, IconSearch } from '~/app/icons'
import { useNodeName } from '~/canvas/nodes'
import type { PathNode } from '~/doc/paths'
import { type Lang, langOf } from '~/i18n/text'
import { StateGlyph, stateWord } from '~/run/glyph'
import { type RunStore, useNodeRun, useOfRun, useRunStore, useRunSummary } from '~/run/store'
import { type Group, groupOf, groups, groupsIn, toggled } from './filter'
import { useKeys } from './hotkeys'

/** A long list is shown in parts: search and filters reach the rest. */
const rowsStep = 300
/** So many rows are one thing to the browser, which leaves out what is scrolled away: to watch each costs some of every frame. */
const blockRows = 20

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
  const [query, setQuery] = useState('')
  const find = useRef<HTMLInputElement>(null)
  useKeys([['/', () => find.current?.focus()]])
  const words = query.trim().toLowerCase()
  const wanted = useMemo(() => groupsIn(show), [show])
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
        <Chips nodes={nodes} wanted={wanted} onShow={onShow} />
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
      <Rows nodes={nodes} chosen={chosen} wanted={wanted} quiet={quiet} words={words} onChoose={onChoose} />
    </nav>
  )
}

interface RowsProps extends Pick<Props, 'nodes' | 'chosen' | 'quiet' | 'onChoose'> {
  wanted: ReadonlySet<Group>
  /** What is looked for, in small letters. */
  words: string
}

/** The nodes that are looked for. The states of all are followed only where they say which these are. */
function Rows({ nodes, chosen, wanted, quiet, words, onChoose }: RowsProps) {
  const { t, i18n } = useTranslation()
  const lang = langOf(i18n)
  const store = useRunStore()
  const name = useNodeName()
  const [rows, setRows] = useState(rowsStep)
  const byState = wanted.size > 0 || quiet
  const changed = useOfRun(store, () => (byState ? store.summary : null))
  // biome-ignore lint/correctness/useExhaustiveDependencies: the summary says when states changed
  const shown = useMemo(
    () =>
      nodes.filter((n) => {
        const group = byState ? groupOf(store.node(n.path)) : 'todo'
        if (wanted.size > 0 ? !wanted.has(group) : quiet && group === 'ok') return false
        return words === '' || `${name(n.node)} ${n.path}`.toLowerCase().includes(words)
      }),
    [nodes, store, changed, byState, wanted, quiet, words, name],
  )
  return (
    <>
      {shown.length === 0 && <p className="quiet rn-none">{t('run.noNodes')}</p>}
      {/* biome-ignore lint/a11y/useSemanticElements: between a list and its items stand the blocks */}
      <div className="rn-rows" role="list">
        {blocksOf(shown.slice(0, rows)).map((block, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a block is its place; what stands there has names of its own
          <Block key={i} rows={block.length}>
            {(hidden) =>
              block.map((entry) => (
                <NodeRow
                  key={entry.path}
                  path={entry.path}
                  depth={entry.depth}
                  name={name(entry.node)}
                  chosen={entry.path === chosen}
                  hidden={hidden}
                  lang={lang}
                  t={t}
                  onChoose={onChoose}
                />
              ))
            }
          </Block>
        ))}
      </div>
      {shown.length > rows && (
        <Button variant="subtle" fullWidth onClick={() => setRows(rows + rowsStep)}>
          {t('run.moreNodes', { n: shown.length - rows })}
        </Button>
      )}
    </>
  )
}

function blocksOf(rows: readonly PathNode[]): PathNode[][] {
  return Array.from({ length: Math.ceil(rows.length / blockRows) }, (_, i) =>
    rows.slice(i * blockRows, (i + 1) * blockRows),
  )
}

/** Rows that the browser shows or leaves out together; they are told which, to follow their nodes calmly when left out. */
function Block({ rows, children }: { rows: number; children(hidden: boolean): ReactNode }) {
  const [hidden, block] = useOutOfSight()
  return (
    <div ref={block} className="rn-block" role="presentation" style={{ '--rows': rows } as CSSProperties}>
      {children(hidden)}
    </div>
  )
}

/** How many nodes are in which state; pressing one shows these alone, pressing more adds to them. */
function Chips({
  nodes,
  wanted,
  onShow,
}: {
  nodes: readonly PathNode[]
  wanted: ReadonlySet<Group>
  onShow(show: string | undefined): void
}) {
  const { t } = useTranslation('console')
  const counts = useCounts(useRunStore(), nodes)
  return (
    // biome-ignore lint/a11y/useSemanticElements: buttons, and not a group of a form
    <div className="rn-chips" role="group" aria-label={t('filter.label')}>
      <button type="button" aria-pressed={wanted.size === 0} onClick={() => onShow(undefined)}>
        {t('filter.chip', { label: t('filter.all'), n: nodes.length })}
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

/** How many of the nodes are in each group. */
function useCounts(store: RunStore, nodes: readonly PathNode[]): ReadonlyMap<Group, number> {
  const changed = useRunSummary(store)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the summary says when states changed
  return useMemo(() => {
    const counts = new Map<Group, number>()
    for (const { path } of nodes) {
      const group = groupOf(store.node(path))
      counts.set(group, (counts.get(group) ?? 0) + 1)
    }
    return counts
  }, [store, nodes, changed])
}

const unreached = { state: 'idle' } as const

const NodeRow = memo(function NodeRow({
  path,
  depth,
  name,
  chosen,
  hidden,
  lang,
  t,
  onChoose,
}: {
  path: string
  depth: number
  name: string
  chosen: boolean
  hidden: boolean
  lang: Lang
  /** One for all rows: to ask for it costs more than the rest of a row. */
  t: TFunction
  onChoose(id: string): void
}) {
  const view = useNodeRun(path, hidden)
  return (
    // biome-ignore lint/a11y/useSemanticElements: a block stands between it and its list
    <div role="listitem">
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
          <StateGlyph view={view ?? unreached} stroke={2.6} />
        </span>
        <span className="clip">{name}</span>
        {view?.held && <IconPlayerPause size={13} role="img" aria-label={t('node.held')} />}
        <span className="rn-state">{stateWord(t, lang, view?.state ?? 'idle')}</span>
      </button>
    </div>
  )
})

/** Whether the browser leaves out an element because it is scrolled away; it says so of those whose content is shown as needed. */
function useOutOfSight() {
  const [hidden, setHidden] = useState(false)
  const element = useCallback((block: HTMLDivElement | null) => {
    const look = (event: Event) => setHidden((event as ContentVisibilityAutoStateChangeEvent).skipped)
    block?.addEventListener('contentvisibilityautostatechange', look)
    return () => block?.removeEventListener('contentvisibilityautostatechange', look)
  }, [])
  return [hidden, element] as const
}
