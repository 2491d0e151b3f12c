import { Skeleton } from '@mantine/core'
import { type ComponentProps, Suspense } from 'react'
import { lazy } from '~/app/lazy'
import { useDragWay } from '~/canvas/rf'
import { useDoc } from '~/doc/store'
import { loadTexts } from '~/i18n'
import { useUi } from '~/ui/store'

// These open behind a tab or a button, or for one type of node: the canvas does not wait for them.
const LoadedCondition = lazy(() => import('./condition-field').then((m) => ({ default: m.ConditionField })))
const LoadedOptions = lazy(() => import('./options-panel').then((m) => ({ default: m.NodeOptions })))
const LoadedSubflow = lazy(() => import('./subflow-panel').then((m) => ({ default: m.SubflowFields })))
const LoadedSelection = lazy(() => import('./selection-bar').then((m) => ({ default: m.SelectionBar })))
const LoadedProblems = lazy(() => import('./problems-panel').then((m) => ({ default: m.ProblemsPanel })))
const LoadedFlow = lazy(() => import('./flow-panel').then((m) => ({ default: m.FlowPanel })))
const LoadedVariables = lazy(() => import('./variables-panel').then((m) => ({ default: m.VariablesPanel })))

export function ConditionField(props: ComponentProps<typeof LoadedCondition>) {
  return (
    <Suspense fallback={<Skeleton height={64} radius="md" />}>
      <LoadedCondition {...props} />
    </Suspense>
  )
}

export function SelectionBar() {
  return (
    <Suspense>
      <LoadedSelection />
    </Suspense>
  )
}

export function VariablesPanel(props: ComponentProps<typeof LoadedVariables>) {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
      <LoadedVariables {...props} />
    </Suspense>
  )
}

export function ProblemsPanel(props: ComponentProps<typeof LoadedProblems>) {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
      <LoadedProblems {...props} />
    </Suspense>
  )
}

export function FlowPanel() {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
      <LoadedFlow />
    </Suspense>
  )
}

export function NodeOptions(props: ComponentProps<typeof LoadedOptions>) {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
      <LoadedOptions {...props} />
    </Suspense>
  )
}

export function SubflowFields(props: ComponentProps<typeof LoadedSubflow>) {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
      <LoadedSubflow {...props} />
    </Suspense>
  )
}

const LoadedConflict = lazy(() => import('./conflict').then((m) => ({ default: m.ConflictDialog })))
const LoadedPublish = lazy(() => import('~/versions/publish').then((m) => ({ default: m.PublishDialog })))

export function ConflictDialog(props: ComponentProps<typeof LoadedConflict>) {
  return (
    <Suspense>
      <LoadedConflict {...props} />
    </Suspense>
  )
}

export function PublishDialog(props: ComponentProps<typeof LoadedPublish>) {
  return (
    <Suspense>
      <LoadedPublish {...props} />
    </Suspense>
  )
}

const LoadedPresence = lazy(() => import('~/presence/bar').then((m) => ({ default: m.PresenceBar })))

export function PresenceBar(props: ComponentProps<typeof LoadedPresence>) {
  return (
    <Suspense>
      <LoadedPresence {...props} />
    </Suspense>
  )
}

const loadNotes = async () => {
  const [m] = await Promise.all([import('./notes-layer'), loadTexts('notes')])
  return { default: m.NotesLayer }
}
const LoadedNotes = lazy(loadNotes)

/** Fetches what notes need before the first one is made: whoever asks for one writes on at once. */
export function preloadNotes(): void {
  // A failed fetch is tried again, and told, when a note is shown.
  loadNotes().catch(() => undefined)
}
const LoadedNote = lazy(async () => {
  const [m] = await Promise.all([import('./note-panel'), loadTexts('notes')])
  return { default: m.NotePanel }
})
const LoadedSchemes = lazy(async () => {
  const [m] = await Promise.all([import('./schemes-panel'), loadTexts('schemes')])
  return { default: m.SchemesPanel }
})
const LoadedMarks = lazy(async () => {
  const [m] = await Promise.all([import('./scheme-marks'), loadTexts('schemes')])
  return { default: m.SchemeMarks }
})

export function NotesLayer(props: Omit<ComponentProps<typeof LoadedNotes>, 'way'>) {
  const lead = useUi((s) => (s.selection.notes?.size ? [...s.selection.nodes][0] : undefined))
  const way = useDragWay(useDoc((s) => (lead === undefined ? undefined : s.doc.nodes.find((n) => n.id === lead))))
  return (
    <Suspense>
      <LoadedNotes {...props} way={way} />
    </Suspense>
  )
}

export function NotePanel(props: ComponentProps<typeof LoadedNote>) {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
      <LoadedNote {...props} />
    </Suspense>
  )
}

export function SchemesPanel() {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
      <LoadedSchemes />
    </Suspense>
  )
}

export function SchemeMarks(props: ComponentProps<typeof LoadedMarks>) {
  return (
    <Suspense>
      <LoadedMarks {...props} />
    </Suspense>
  )
}

const LoadedUpdates = lazy(async () => {
  const [module] = await Promise.all([import('~/subflows/notice'), loadTexts('files')])
  return { default: module.UpdateNotice }
})

export function UpdateNotice() {
  return (
    <Suspense>
      <LoadedUpdates />
    </Suspense>
  )
}
