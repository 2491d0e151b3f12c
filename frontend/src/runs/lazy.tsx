import { Skeleton } from '@mantine/core'
import { type ComponentProps, Suspense } from 'react'
import { lazy } from '~/app/lazy'
import { loadTexts } from '~/i18n'

// What opens when it is asked for: the console does not wait for it.
const LoadedDrawer = lazy(async () => {
  const [module] = await Promise.all([import('./drawer'), loadTexts('timeline')])
  return { default: module.RunDrawer }
})
const LoadedValues = lazy(() => import('./values').then((m) => ({ default: m.Values })))
const LoadedLog = lazy(() => import('./log-view').then((m) => ({ default: m.LogView })))
const LoadedCalls = lazy(() => import('./node-tabs').then((m) => ({ default: m.Calls })))
const LoadedHistory = lazy(() => import('./node-tabs').then((m) => ({ default: m.History })))
const LoadedKeys = lazy(() => import('./keys-sheet').then((m) => ({ default: m.KeysSheet })))
const LoadedTree = lazy(() => import('./tree').then((m) => ({ default: m.Tree })))
const LoadedAlerts = lazy(() => import('./alerts').then((m) => ({ default: m.Alerts })))
const LoadedDialog = lazy(() => import('./actions').then((m) => ({ default: m.NodeDialog })))
const LoadedEnd = lazy(() => import('./end-run').then((m) => ({ default: m.EndRun })))

// Even what loads the form stays out of the code that the console begins with.
const loadForm = () => import('~/form/lazy-form').then((m) => m.loadForm())

/** Fetches the code of forms before one is asked for. */
export function preloadForm(): void {
  loadForm().catch(() => undefined)
}

// What has buttons below a form comes with it: they would move away from under the pointer.
const LoadedAnswer = lazy(async () => {
  const [module] = await Promise.all([import('./answer'), loadForm()])
  return { default: module.Answer }
})
const LoadedVariables = lazy(async () => {
  const [module] = await Promise.all([import('./variables'), loadForm()])
  return { default: module.VariablesDialog }
})

const LoadedRecordings = lazy(async () => {
  const [module] = await Promise.all([import('./recordings'), loadTexts('recordings')])
  return { default: module.Recordings }
})

export function Recordings(props: ComponentProps<typeof LoadedRecordings>) {
  return (
    <Suspense fallback={<Skeleton height={48} radius="md" />}>
      <LoadedRecordings {...props} />
    </Suspense>
  )
}

export function RunDrawer(props: ComponentProps<typeof LoadedDrawer>) {
  return (
    <Suspense fallback={<Skeleton height="100%" />}>
      <LoadedDrawer {...props} />
    </Suspense>
  )
}

export function Values(props: ComponentProps<typeof LoadedValues>) {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
      <LoadedValues {...props} />
    </Suspense>
  )
}

export function LogView(props: ComponentProps<typeof LoadedLog>) {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
      <LoadedLog {...props} />
    </Suspense>
  )
}

export function Calls(props: ComponentProps<typeof LoadedCalls>) {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
      <LoadedCalls {...props} />
    </Suspense>
  )
}

export function History(props: ComponentProps<typeof LoadedHistory>) {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
      <LoadedHistory {...props} />
    </Suspense>
  )
}

export function Alerts(props: ComponentProps<typeof LoadedAlerts>) {
  return (
    <Suspense>
      <LoadedAlerts {...props} />
    </Suspense>
  )
}

export function Answer(props: ComponentProps<typeof LoadedAnswer>) {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" mb={16} />}>
      <LoadedAnswer {...props} />
    </Suspense>
  )
}

export function NodeDialog(props: ComponentProps<typeof LoadedDialog>) {
  return (
    <Suspense>
      <LoadedDialog {...props} />
    </Suspense>
  )
}

export function VariablesDialog(props: ComponentProps<typeof LoadedVariables>) {
  return (
    <Suspense>
      <LoadedVariables {...props} />
    </Suspense>
  )
}

export function EndRun(props: ComponentProps<typeof LoadedEnd>) {
  return (
    <Suspense>
      <LoadedEnd {...props} />
    </Suspense>
  )
}

export function KeysSheet(props: ComponentProps<typeof LoadedKeys>) {
  return (
    <Suspense>
      <LoadedKeys {...props} />
    </Suspense>
  )
}

export function Tree(props: ComponentProps<typeof LoadedTree>) {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
      <LoadedTree {...props} />
    </Suspense>
  )
}
