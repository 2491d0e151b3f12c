import { Skeleton } from '@mantine/core'
import { type ComponentProps, lazy, Suspense } from 'react'
import { loadTexts } from '~/i18n'

// What opens when it is asked for: the console does not wait for it.
const LoadedTimeline = lazy(async () => {
  const [module] = await Promise.all([import('~/timeline/timeline'), loadTexts('timeline')])
  return { default: module.Timeline }
})
const LoadedAnswer = lazy(() => import('./answer').then((m) => ({ default: m.Answer })))
const LoadedDialog = lazy(() => import('./actions').then((m) => ({ default: m.NodeDialog })))
const LoadedEnd = lazy(() => import('./end-run').then((m) => ({ default: m.EndRun })))
const LoadedVariables = lazy(() => import('./variables').then((m) => ({ default: m.VariablesDialog })))

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

export function Timeline(props: ComponentProps<typeof LoadedTimeline>) {
  return (
    <Suspense>
      <LoadedTimeline {...props} />
    </Suspense>
  )
}

export function Answer(props: ComponentProps<typeof LoadedAnswer>) {
  return (
    <Suspense fallback={<Skeleton height={96} radius="md" />}>
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
