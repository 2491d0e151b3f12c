import { useCallback, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import { fetchFlow, usePublishFlow, useSaveFlow, validateFlow } from '~/api/queries'
import type { FlowDetail } from '~/api/types'
import { say, sayError } from '~/app/notices'
import { clearBackup, writeBackup } from '~/doc/backup'
import { type DocStore, isDirty } from '~/doc/store'
import { useCodes } from '~/i18n/codes'
import { useUi } from '~/ui/store'

const validateAfterMs = 500
const backupAfterMs = 400

/** Asks the server about the document some time after each edit. */
export function useValidation(project: string, store: DocStore): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let running: AbortController | undefined
    const ask = () => {
      running?.abort()
      running = new AbortController()
      const { doc } = store.getState()
      validateFlow(project, doc, running.signal).then(
        (problems) => {
          if (store.getState().doc === doc) store.getState().setProblems(problems)
        },
        // Marks stay as they are while the server does not answer; saving tells.
        () => undefined,
      )
    }
    const off = store.subscribe((state, before) => {
      if (state.doc === before.doc) return
      clearTimeout(timer)
      timer = setTimeout(ask, validateAfterMs)
    })
    ask()
    return () => {
      off()
      clearTimeout(timer)
      running?.abort()
    }
  }, [project, store])
}

/** Keeps unsaved edits in this browser, whatever happens to the tab. */
export function useBackup(project: string, flow: string, store: DocStore): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const write = () => {
      const state = store.getState()
      if (isDirty(state))
        writeBackup(project, flow, { revision: state.revision, document: state.doc, at: new Date().toISOString() })
      else clearBackup(project, flow)
    }
    const off = store.subscribe((state, before) => {
      if (state.doc === before.doc && state.saved === before.saved) return
      clearTimeout(timer)
      timer = setTimeout(write, backupAfterMs)
    })
    window.addEventListener('pagehide', write)
    return () => {
      off()
      clearTimeout(timer)
      write()
      window.removeEventListener('pagehide', write)
    }
  }, [project, flow, store])
}

/** Saves and publishes the flow that is being edited. */
export function useSaving(project: string, flow: string, store: DocStore) {
  const { t } = useTranslation()
  const codes = useCodes()
  const put = useSaveFlow(project, flow)
  const publishing = usePublishFlow(project, flow)
  const [theirs, setTheirs] = useState<FlowDetail | null>(null)

  const save = useCallback(async (): Promise<boolean> => {
    const { doc, revision } = store.getState()
    store.getState().seal()
    try {
      const detail = await put.mutateAsync({ document: doc, revision })
      store.getState().markSaved({ ...detail, document: doc })
      return true
    } catch (e) {
      if (e instanceof ApiError && e.status === 409) {
        setTheirs(await fetchFlow(project, flow).catch(() => null))
        return false
      }
      sayError(codes.error(e))
      return false
    }
  }, [project, flow, store, put.mutateAsync, codes.error])

  /** Makes a version of what is drawn; answers its number, or null when refused. */
  const publish = useCallback(
    async (note: string): Promise<number | null> => {
      if (isDirty(store.getState()) && !(await save())) return null
      const { revision, version, publishedRevision } = store.getState()
      if (version > 0 && publishedRevision === revision) return version
      try {
        const made = await publishing.mutateAsync({ revision, note })
        store.getState().markPublished(made.version, revision)
        say(t('editor.published', { version: made.version }))
        return made.version
      } catch (e) {
        if (e instanceof ApiError && e.body.problems) {
          store.getState().setProblems(e.body.problems)
          useUi.getState().openDrawer('problems')
        }
        sayError(codes.error(e))
        return null
      }
    },
    [store, save, publishing.mutateAsync, codes.error, t],
  )
  const busy = put.isPending || publishing.isPending
  return { save, publish, busy, theirs, dismiss: () => setTheirs(null) }
}
