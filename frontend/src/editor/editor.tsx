import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { Link, useBlocker, useNavigate } from '@tanstack/react-router'
import { Panel } from '@xyflow/react'
import { type ReactNode, useCallback, useEffect, useMemo, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useCreateFlow } from '~/api/queries'
import type { FlowNode, Plugin, Position, Problem } from '~/api/types'
import { Confirm } from '~/app/confirm'
import {
  IconAlertTriangle,
  IconArrowBackUp,
  IconArrowForwardUp,
  IconCheck,
  IconDeviceFloppy,
  IconLayoutDistributeHorizontal,
  IconPlayerPlayFilled,
  IconPlus,
  IconVariable,
} from '~/app/icons'
import { sayError } from '~/app/notices'
import { BarActions, Crumbs } from '~/app/shell'
import { Canvas } from '~/canvas/canvas'
import { CanvasContext, type CanvasInfo } from '~/canvas/context'
import { useNodeName } from '~/canvas/nodes'
import type { View } from '~/canvas/rf'
import { arrangeAside } from '~/doc/arrange'
import { addNode, connect, freeSpot, freshId, nodeIds, refusal, sizeOf } from '~/doc/graph'
import { isDirty, useDoc, useDocStore } from '~/doc/store'
import { useCodes } from '~/i18n/codes'
import { textIn, useLang, useText } from '~/i18n/text'
import { useUi } from '~/ui/store'
import { ConflictDialog } from './conflict'
import { Inspector } from './inspector'
import { commitMove, useEditorKeys } from './keys'
import { type Blueprint, Palette, readDrop } from './palette'
import { useBackup, useSaving, useValidation } from './save'

interface Props {
  project: string
  flow: string
  plugins: readonly Plugin[]
  notice: ReactNode
  /** A backup waits for a decision: it is not overwritten before. */
  holdBackup: boolean
}

/** The editor of one flow. */
export function Editor(props: Props) {
  const problems = useDoc((s) => s.problems)
  const info = useMemo<CanvasInfo>(
    () => ({ mode: 'edit', plugins: props.plugins, problems: marksOf(problems) }),
    [props.plugins, problems],
  )
  return (
    <CanvasContext value={info}>
      {!props.holdBackup && <Keeper project={props.project} flow={props.flow} />}
      <EditorBody {...props} />
    </CanvasContext>
  )
}

function Keeper({ project, flow }: { project: string; flow: string }) {
  useBackup(project, flow, useDocStore())
  return null
}

/** The worst problem of each node and edge. */
function marksOf(problems: readonly Problem[]): ReadonlyMap<string, 'error' | 'warning'> {
  const marks = new Map<string, 'error' | 'warning'>()
  for (const p of problems) {
    const id = p.node ?? p.edge
    if (id && marks.get(id) !== 'error') marks.set(id, p.level)
  }
  return marks
}

function EditorBody({ project, flow, plugins, notice }: Props) {
  const { t } = useTranslation()
  const store = useDocStore()
  const doc = useDoc((s) => s.doc)
  const selection = useUi((s) => s.selection)
  const paletteOpen = useUi((s) => s.paletteOpen)
  const view = useRef<View | null>(null)
  const canvasBox = useRef<HTMLDivElement>(null)
  const navigate = useNavigate()
  const saving = useSaving(project, flow, store)
  const { save, publish } = saving
  const actions = useActions(view, canvasBox)
  useValidation(project, store)
  useTrimmedSelection()

  const start = useCallback(async () => {
    const version = await publish('')
    if (version !== null)
      void navigate({ to: '/p/$project/flows/$flow/start', params: { project, flow }, search: { version } })
  }, [publish, navigate, project, flow])
  const keys = useMemo(
    () => ({
      save: () => void save(),
      start: () => void start(),
      fit: () => view.current?.fit(),
      layout: () => void actions.layout(),
      find: () => document.querySelector<HTMLInputElement>('.pal-search input')?.focus(),
    }),
    [save, start, actions],
  )
  useEditorKeys(store, keys)
  const copyFlow = useCopyFlow(project)
  return (
    <div className="ed-page">
      <EditorBar project={project} busy={saving.busy} onSave={() => void save()} onStart={() => void start()} />
      {notice}
      <div className="ed-grid" data-palette={paletteOpen}>
        {paletteOpen && (
          <Palette plugins={plugins} hasStart={doc.nodes.some((n) => n.type === 'start')} onAdd={actions.add} />
        )}
        <div className="ed-canvas" ref={canvasBox}>
          <Canvas
            doc={doc}
            selection={selection}
            editable
            label={t('canvas.label')}
            onSelect={actions.select}
            onMove={actions.move}
            onConnect={actions.connect}
            isAllowed={actions.isAllowed}
            onRefused={actions.refused}
            onDrop={actions.drop}
            onView={actions.setView}
          >
            <Panel position="top-center">
              <Toolbar onLayout={() => void actions.layout()} />
            </Panel>
            {doc.nodes.length === 0 && (
              <Panel position="top-left" className="ed-hint">
                <strong>{t('editor.emptyTitle')}</strong>
                <span>{t('editor.emptyHint')}</span>
                <Button variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={actions.addFrame}>
                  {t('editor.addFrame')}
                </Button>
              </Panel>
            )}
          </Canvas>
        </div>
        <Inspector plugins={plugins} onJump={actions.jump} />
      </div>
      {saving.theirs && (
        <ConflictDialog
          theirs={saving.theirs}
          onClose={saving.dismiss}
          onMerged={() => {
            saving.dismiss()
            void save()
          }}
          onCopy={() => {
            saving.dismiss()
            copyFlow()
          }}
        />
      )}
      <LeaveGuard />
    </div>
  )
}

/** What the canvas and the palette do to the document. */
function useActions(view: React.RefObject<View | null>, box: React.RefObject<HTMLDivElement | null>) {
  const { t } = useTranslation()
  const store = useDocStore()
  const name = useNodeName()
  const latest = useRef({ t, name })
  latest.current = { t, name }
  return useMemo(() => {
    const put = (blueprint: Blueprint, centre: Position) => {
      const { doc } = store.getState()
      if (blueprint.type === 'start' && doc.nodes.some((n) => n.type === 'start')) return
      const { width, height } = sizeOf(blueprint)
      const position = freeSpot(doc, { x: centre.x - width / 2, y: centre.y - height / 2 })
      const node: FlowNode = { id: freshId(nodeIds(doc), blueprint.action ?? blueprint.type), ...blueprint, position }
      store.getState().commit(addNode(doc, node))
      useUi.getState().select([node.id])
      view.current?.reveal({ ...position, width, height })
    }
    return {
      add: (blueprint: Blueprint) => {
        const rect = box.current?.getBoundingClientRect()
        const last = lastPlace(store.getState().doc.nodes)
        put(
          blueprint,
          last ??
            view.current?.toFlow({
              x: (rect?.left ?? 0) + (rect?.width ?? 0) / 2,
              y: (rect?.top ?? 0) + (rect?.height ?? 0) / 2,
            }) ?? { x: 0, y: 0 },
        )
      },
      addFrame: () => {
        const { doc } = store.getState()
        const items = [
          { index: 0, item: { id: 'start', type: 'start', position: { x: 0, y: 0 } } as FlowNode },
          { index: 1, item: { id: 'end', type: 'end', position: { x: 480, y: 0 } } as FlowNode },
        ]
        if (doc.nodes.length === 0) store.getState().commit({ op: 'insert', list: 'nodes', items })
      },
      drop: (data: DataTransfer, at: Position) => {
        const blueprint = readDrop(data)
        if (blueprint) put(blueprint, at)
      },
      select: (next: { nodes: ReadonlySet<string>; edges: ReadonlySet<string> }) => {
        store.getState().seal()
        useUi.getState().select(next.nodes, next.edges)
      },
      move: (moves: ReadonlyMap<string, Position>, by: 'drag' | 'keyboard') => commitMove(store, moves, by),
      connect: (from: string, to: string) => {
        const { doc } = store.getState()
        if (refusal(doc, from, to) === null) store.getState().commit(connect(doc, from, to))
      },
      isAllowed: (from: string, to: string) => refusal(store.getState().doc, from, to) === null,
      refused: (from: string, to: string) => {
        const why = refusal(store.getState().doc, from, to)
        if (why) sayError(latest.current.t(`connect.${why}`))
      },
      layout: async () => {
        const positions = await arrangeAside(store.getState().doc)
        commitMove(store, positions, 'drag')
        view.current?.fit()
      },
      jump: (problem: Problem) => {
        const ui = useUi.getState()
        if (problem.node) {
          ui.select([problem.node])
          view.current?.centre(problem.node)
          if (problem.field) ui.focusField(problem.field)
        } else if (problem.edge) ui.select([], [problem.edge])
        else if (problem.variable) {
          ui.openDrawer('variables')
          ui.focusField(`variable:${problem.variable}`)
        }
      },
      setView: (next: View) => {
        view.current = next
      },
    }
  }, [store, view, box])
}

/** Right of the selected node, or of the last one: where the next node is expected. */
function lastPlace(nodes: readonly FlowNode[]): Position | null {
  const chosen = [...useUi.getState().selection.nodes].at(-1)
  const node = nodes.find((n) => n.id === chosen) ?? nodes.at(-1)
  if (!node?.position) return null
  const { width, height } = sizeOf(node)
  return { x: node.position.x + width + 72 + 108, y: node.position.y + height / 2 }
}

function EditorBar({
  project,
  busy,
  onSave,
  onStart,
}: {
  project: string
  busy: boolean
  onSave(): void
  onStart(): void
}) {
  const { t } = useTranslation()
  const text = useText()
  const name = useDoc((s) => s.doc.name)
  const version = useDoc((s) => s.version)
  const dirty = useDoc(isDirty)
  const errors = useDoc((s) => s.problems.filter((p) => p.level === 'error').length)
  const problems = useDoc((s) => s.problems.length)
  const openDrawer = useUi((s) => s.openDrawer)
  return (
    <>
      <Crumbs>
        <span className="sep shell-wide">/</span>
        <Link to="/p/$project/flows" params={{ project }} className="shell-wide">
          {t('nav.flows')}
        </Link>
        <span className="sep shell-wide">/</span>
        <button
          type="button"
          className="ed-name clip"
          aria-current="page"
          onClick={() => openDrawer('flow')}
          title={t('flow.settings')}
        >
          {text(name)}
        </button>
        <span className="quiet num ed-saved" role="status">
          {dirty ? t('editor.unsaved') : t('editor.saved')}
          {version > 0 && ` · v${version}`}
        </span>
      </Crumbs>
      <BarActions>
        <Button
          variant="subtle"
          color="gray"
          data-s={errors > 0 ? 'failed' : problems > 0 ? 'waiting' : 'succeeded'}
          className="ed-problems"
          leftSection={problems > 0 ? <IconAlertTriangle size={15} aria-hidden /> : <IconCheck size={15} aria-hidden />}
          onClick={() => openDrawer('problems')}
          aria-label={t('problems.count', { count: problems })}
        >
          {problems}
        </Button>
        <Tooltip label={t('variables.title')}>
          <ActionIcon aria-label={t('variables.title')} onClick={() => openDrawer('variables')}>
            <IconVariable size={17} stroke={1.7} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Button
          variant="default"
          aria-label={t('action.save')}
          leftSection={<IconDeviceFloppy size={15} aria-hidden />}
          onClick={onSave}
          loading={busy}
          disabled={!dirty}
        >
          <span className="shell-wide">{t('action.save')}</span>
        </Button>
        <Button leftSection={<IconPlayerPlayFilled size={13} aria-hidden />} onClick={onStart} disabled={busy}>
          {t('action.start')}
        </Button>
      </BarActions>
    </>
  )
}

function Toolbar({ onLayout }: { onLayout(): void }) {
  const { t } = useTranslation()
  const store = useDocStore()
  const canUndo = useDoc((s) => s.undoable.length > 0)
  const canRedo = useDoc((s) => s.redoable.length > 0)
  const tools = [
    {
      label: t('action.undo'),
      icon: <IconArrowBackUp size={17} aria-hidden />,
      disabled: !canUndo,
      run: () => store.getState().undo(),
    },
    {
      label: t('action.redo'),
      icon: <IconArrowForwardUp size={17} aria-hidden />,
      disabled: !canRedo,
      run: () => store.getState().redo(),
    },
    {
      label: t('action.layout'),
      icon: <IconLayoutDistributeHorizontal size={17} aria-hidden />,
      disabled: false,
      run: onLayout,
    },
  ]
  return (
    <div className="ed-tools" role="toolbar" aria-label={t('editor.tools')}>
      {tools.map((tool) => (
        <Tooltip key={tool.label} label={tool.label}>
          <ActionIcon aria-label={tool.label} disabled={tool.disabled} onClick={tool.run} size={30}>
            {tool.icon}
          </ActionIcon>
        </Tooltip>
      ))}
    </div>
  )
}

/** Keeps a person from leaving with unsaved edits by mistake. */
function LeaveGuard() {
  const { t } = useTranslation()
  const store = useDocStore()
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => current.pathname !== next.pathname && isDirty(store.getState()),
    enableBeforeUnload: () => isDirty(store.getState()),
    withResolver: true,
  })
  return (
    <Confirm
      opened={blocker.status === 'blocked'}
      title={t('leave.title')}
      confirm={t('leave.leave')}
      danger
      onConfirm={() => blocker.proceed?.()}
      onClose={() => blocker.reset?.()}
    >
      {t('leave.text')}
    </Confirm>
  )
}

/** Creates a flow from what is being edited, as the way out of a conflict. */
function useCopyFlow(project: string): () => void {
  const store = useDocStore()
  const create = useCreateFlow(project)
  const navigate = useNavigate()
  const codes = useCodes()
  const lang = useLang()
  const { t } = useTranslation()
  return () => {
    const { id: _id, ...document } = store.getState().doc
    create.mutate(
      { ...document, name: t('conflict.copyName', { name: textIn(document.name, lang) }) },
      {
        onSuccess: (made) =>
          void navigate({ to: '/p/$project/flows/$flow', params: { project, flow: made.id }, ignoreBlocker: true }),
        onError: (e) => sayError(codes.error(e)),
      },
    )
  }
}

/** Undo may take away what is selected: the selection follows the document. */
function useTrimmedSelection(): void {
  const doc = useDoc((s) => s.doc)
  useEffect(() => {
    const { selection, select } = useUi.getState()
    const known = new Set([...doc.nodes, ...doc.edges].map((item) => item.id))
    const nodes = [...selection.nodes].filter((id) => known.has(id))
    const edges = [...selection.edges].filter((id) => known.has(id))
    if (nodes.length !== selection.nodes.size || edges.length !== selection.edges.size) select(nodes, edges)
  }, [doc])
}
