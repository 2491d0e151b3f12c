import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { Link, useBlocker, useNavigate } from '@tanstack/react-router'
import { Panel } from '@xyflow/react'
import { type ComponentProps, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useCreateFlow } from '~/api/queries'
import type { Plugin, Problem } from '~/api/types'
import { Confirm } from '~/app/confirm'
import {
  IconAlertTriangle,
  IconCheck,
  IconDeviceFloppy,
  IconHistory,
  IconPlayerPlayFilled,
  IconPlus,
  IconRocket,
  IconVariable,
} from '~/app/icons'
import { sayError } from '~/app/notices'
import { BarActions, Crumbs } from '~/app/shell'
import { Canvas } from '~/canvas/canvas'
import { CanvasContext, type CanvasInfo } from '~/canvas/context'
import type { View } from '~/canvas/rf'
import { WhyNot } from '~/canvas/why-not'
import { guided } from '~/doc/align'
import { isDirty, useDoc, useDocStore } from '~/doc/store'
import { PreviewContext } from '~/form/preview-context'
import { useCodes } from '~/i18n/codes'
import { textIn, useLang, useText } from '~/i18n/text'
import { useUi } from '~/ui/store'
import { type Actions, useActions } from './actions'
import { useChoosing } from './choosing'
import { Inspector } from './inspector'
import { useEditorKeys } from './keys'
import {
  ConflictDialog,
  NotesLayer,
  PresenceBar,
  PublishDialog,
  SchemeMarks,
  SelectionBar,
  UpdateNotice,
} from './lazy-panels'
import { Overlays } from './overlays'
import { Palette } from './palette'
import { useShownPerspective } from './perspective'
import { usePreviewer } from './preview'
import { type Keeping, useSaver, useSaving, useValidation } from './save'
import { SaveStatus } from './save-status'
import type { Saver, SaveState } from './saver'
import { Toolbar } from './toolbar'

interface Props {
  project: string
  flow: string
  plugins: readonly Plugin[]
  keeping: Keeping
  notice: ReactNode
}

/** The editor of one flow. */
export function Editor(props: Props) {
  const problems = useDoc((s) => s.problems)
  const view = useRef<View | null>(null)
  const canvasBox = useRef<HTMLDivElement>(null)
  const actions = useActions(view, canvasBox)
  const { perspective, variable } = useShownPerspective()
  const preview = usePreviewer(props.project, props.flow)
  const [Over, setOver] = useState<CanvasInfo['Over']>()
  const info = useMemo<CanvasInfo>(
    () => ({
      perspective,
      variable,
      mode: 'edit',
      plugins: props.plugins,
      problems: marksOf(problems),
      edit: { add: actions.ask, tool: actions.tool },
      Over,
    }),
    [props.plugins, problems, actions, perspective, variable, Over],
  )
  return (
    <CanvasContext value={info}>
      <PreviewContext value={preview}>
        <EditorBody {...props} actions={actions} view={view} canvasBox={canvasBox} onOver={setOver} />
      </PreviewContext>
    </CanvasContext>
  )
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

interface BodyProps extends Props {
  onOver: ComponentProps<typeof PresenceBar>['onOver']
  actions: Actions
  view: React.RefObject<View | null>
  canvasBox: React.RefObject<HTMLDivElement | null>
}

function EditorBody({ project, flow, plugins, keeping, notice, actions, view, canvasBox, onOver }: BodyProps) {
  const { t } = useTranslation()
  const store = useDocStore()
  const doc = useDoc((s) => s.doc)
  const selection = useUi((s) => s.selection)
  const paletteOpen = useUi((s) => s.paletteOpen)
  const choosing = useChoosing((s) => s.scheme)
  const navigate = useNavigate()
  const [publishing, setPublishing] = useState(false)
  const saver = useSaver(project, flow, store, keeping)
  const saving = useSaving(project, flow, store, saver)
  const { save, publish } = saving
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
      actual: () => view.current?.actual(),
      add: actions.askHere,
      note: actions.addNote,
      layout: () => void actions.layout(),
      find: () => document.querySelector<HTMLInputElement>('.pal-search input')?.focus(),
    }),
    [save, start, actions, view],
  )
  useEditorKeys(store, keys)
  const copyFlow = useCopyFlow(project)
  return (
    <div className="ed-page">
      <EditorBar
        project={project}
        flow={flow}
        saving={saving.state}
        busy={saving.busy}
        onSave={() => void save()}
        onPublish={() => setPublishing(true)}
        onStart={() => void start()}
      />
      <PresenceBar project={project} flow={flow} saver={saver} onOver={onOver} />
      {notice}
      {doc.nodes.some((n) => n.type === 'subflow' && n.version) && <UpdateNotice />}
      <div className="ed-grid" data-palette={paletteOpen}>
        {paletteOpen && (
          <Palette plugins={plugins} hasStart={doc.nodes.some((n) => n.type === 'start')} onAdd={actions.add} />
        )}
        <div className="ed-canvas" ref={canvasBox}>
          <Canvas
            guide={guided}
            doc={doc}
            selection={selection}
            editable={choosing === null}
            label={t('canvas.label')}
            onSelect={actions.select}
            onMove={actions.move}
            onConnect={actions.connect}
            isAllowed={actions.isAllowed}
            onRefused={actions.refused}
            onLoose={actions.loose}
            onDrop={actions.drop}
            onView={actions.setView}
          >
            <WhyNot reason={actions.reason} />
            <Panel position="top-center">
              <Toolbar
                onLayout={() => void actions.layout()}
                onNote={actions.addNote}
                onHistory={() => void navigate({ to: '/p/$project/flows/$flow/versions', params: { project, flow } })}
              />
            </Panel>
            {doc.notes && <NotesLayer toFlow={actions.toFlow} onCarry={actions.carry} onCarried={actions.carried} />}
            {choosing !== null && <SchemeMarks scheme={choosing} box={canvasBox} />}
            {selection.nodes.size > 1 && (
              <Panel position="bottom-center">
                <SelectionBar />
              </Panel>
            )}
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
      {saving.state.kind === 'conflict' && (
        <ConflictDialog theirs={saving.state.theirs} saver={saver} onCopy={copyFlow} />
      )}
      {publishing && (
        <PublishDialog project={project} flow={flow} onPublish={publish} onClose={() => setPublishing(false)} />
      )}
      <Overlays plugins={plugins} actions={actions} />
      <LeaveGuard saver={saver} />
    </div>
  )
}

interface BarProps {
  project: string
  flow: string
  saving: SaveState
  busy: boolean
  onSave(): void
  onPublish(): void
  onStart(): void
}

function EditorBar({ project, flow, saving, busy, onSave, onPublish, onStart }: BarProps) {
  const { t } = useTranslation(['translation', 'versions'])
  const text = useText()
  const name = useDoc((s) => s.doc.name)
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
        <SaveStatus state={saving} />
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
        <Tooltip label={t('versions:page.open')}>
          <ActionIcon
            className="shell-wide"
            aria-label={t('versions:page.open')}
            renderRoot={(props) => <Link {...props} to="/p/$project/flows/$flow/versions" params={{ project, flow }} />}
          >
            <IconHistory size={17} stroke={1.7} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={t('action.save')}>
          <ActionIcon className="ed-save" aria-label={t('action.save')} onClick={onSave} loading={busy}>
            <IconDeviceFloppy size={17} stroke={1.7} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Button
          variant="default"
          className="ed-step"
          aria-label={t('versions:publish.open')}
          leftSection={<IconRocket size={15} aria-hidden />}
          onClick={onPublish}
          disabled={busy}
        >
          <span className="shell-wide">{t('versions:publish.open')}</span>
        </Button>
        <Button
          className="ed-step"
          aria-label={t('action.start')}
          leftSection={<IconPlayerPlayFilled size={13} aria-hidden />}
          onClick={onStart}
          disabled={busy}
        >
          <span className="shell-wide">{t('action.start')}</span>
        </Button>
      </BarActions>
    </>
  )
}

/**
 * Whoever leaves has what is on the screen saved first. Only when that does not work is
 * a person asked; the edits stay in this browser either way.
 */
function LeaveGuard({ saver }: { saver: Saver }) {
  const { t } = useTranslation(['versions', 'translation'])
  const store = useDocStore()
  const blocker = useBlocker({
    shouldBlockFn: async ({ current, next }) =>
      current.pathname !== next.pathname && isDirty(store.getState()) && !(await saver.flush()),
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
  const { t } = useTranslation('versions')
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
    const written = new Set(doc.notes?.map((n) => n.id))
    const notes = [...(selection.notes ?? [])].filter((id) => written.has(id))
    if (
      nodes.length !== selection.nodes.size ||
      edges.length !== selection.edges.size ||
      notes.length !== (selection.notes?.size ?? 0)
    )
      select(nodes, edges, notes)
  }, [doc])
}
