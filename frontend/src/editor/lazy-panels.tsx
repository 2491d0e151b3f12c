import { Skeleton } from '@mantine/core'
import { type ComponentProps, lazy, Suspense } from 'react'
import { loadTexts } from '~/i18n'

// These open behind a tab or a button, or for one type of node: the canvas does not wait for them.
const LoadedCondition = lazy(() => import('./condition-field').then((m) => ({ default: m.ConditionField })))
const LoadedOptions = lazy(() => import('./options-panel').then((m) => ({ default: m.NodeOptions })))
const LoadedSubflow = lazy(() => import('./subflow-panel').then((m) => ({ default: m.SubflowFields })))
const LoadedSelection = lazy(() => import('./selection-bar').then((m) => ({ default: m.SelectionBar })))
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
