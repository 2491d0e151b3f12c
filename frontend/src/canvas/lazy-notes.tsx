import { type ComponentProps, Suspense } from 'react'
import { lazy } from '~/app/lazy'
import { loadTexts } from '~/i18n'

const Loaded = lazy(async () => {
  const [m] = await Promise.all([import('./still-notes'), loadTexts('notes')])
  return { default: m.StillNotes }
})

/** The notes of a flow where nobody writes on them; most flows have none, and fetch nothing. */
export function StillNotes(props: ComponentProps<typeof Loaded>) {
  return (
    <Suspense>
      <Loaded {...props} />
    </Suspense>
  )
}
