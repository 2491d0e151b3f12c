import { Suspense } from 'react'
import type { Plugin } from '~/api/types'
import { lazy } from '~/app/lazy'
import { loadTexts } from '~/i18n'
import type { Actions } from './actions'
import { useOverlay } from './overlay'

// What opens over the canvas is loaded when it does.
const QuickAdd = lazy(() => import('./lists').then((m) => ({ default: m.QuickAdd })))
const FindNode = lazy(() => import('./lists').then((m) => ({ default: m.FindNode })))
const ConnectNode = lazy(() => import('./lists').then((m) => ({ default: m.ConnectNode })))
const KeysSheet = lazy(() => import('./keys-sheet').then((m) => ({ default: m.KeysSheet })))
const FileDialog = lazy(async () => {
  const [module] = await Promise.all([import('~/files/dialog'), loadTexts('files')])
  return { default: module.FileDialog }
})
const UpdatesDialog = lazy(async () => {
  const [module] = await Promise.all([import('~/subflows/updates'), loadTexts('files')])
  return { default: module.UpdatesDialog }
})

/** The list or sheet that is open over the editor. */
export function Overlays({ plugins, actions }: { plugins: readonly Plugin[]; actions: Actions }) {
  const open = useOverlay((s) => s.open)
  const close = useOverlay((s) => s.close)
  if (!open) return null
  return (
    <Suspense>
      {open.kind === 'add' && (
        <QuickAdd plugins={plugins} target={open.target} screen={open.screen} onAdd={actions.addTo} onClose={close} />
      )}
      {open.kind === 'find' && (
        <FindNode plugins={plugins} onCentre={actions.centre} onPick={actions.goTo} onClose={close} />
      )}
      {open.kind === 'connect' && (
        <ConnectNode
          from={open.from}
          plugins={plugins}
          onCentre={actions.centre}
          onConnect={actions.connect}
          onClose={close}
        />
      )}
      {open.kind === 'keys' && <KeysSheet onClose={close} />}
      {open.kind === 'updates' && <UpdatesDialog onClose={close} />}
      {open.kind === 'file' && <FileDialog plugins={plugins} onClose={close} />}
    </Suspense>
  )
}
