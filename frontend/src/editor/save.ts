import { useCallback, useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useStore } from 'zustand'
import { ApiError } from '~/api/client'
import { fetchFlow, usePublishFlow, useSaveFlow, validateFlow } from '~/api/queries'
import { say, sayError } from '~/app/notices'
import type { Backups } from '~/doc/backup'
import { type DocStore, isDirty } from '~/doc/store'
import { useCodes } from '~/i18n/codes'
import { useUi } from '~/ui/store'
import { createSaver, type Saver, type SaveState } from './saver'

const validateAfterMs = 500

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

/** Where the edits of one opened editor are kept until the server has them. */
export interface Keeping {
  backups: Backups
  /** The editor's name among all that keep something. */
  editor: string
  /** Other editors whose edits this one has taken in: theirs are let go once its own are kept. */
  instead: string[]
}

/** Saves the flow that is being edited, by itself and when asked. */
export function useSaver(project: string, flow: string, store: DocStore, keeping: Keeping): Saver {
  const { t } = useTranslation()
  const put = useSaveFlow(project, flow).mutateAsync
  const saver = useMemo(
    () =>
      createSaver(store, {
        put: (document, revision) => put({ document, revision }),
        fetch: () => fetchFlow(project, flow),
        keep: () => {
          const { doc, saved, revision } = store.getState()
          const { backups, editor, instead } = keeping
          const at = new Date().toISOString()
          backups.write({ project, flow, editor, revision, base: saved, document: doc, at }, instead)
        },
        forget: () => {
          for (const editor of [keeping.editor, ...keeping.instead.splice(0)])
            keeping.backups.clear(project, flow, editor)
        },
        after: (ms, work) => {
          const timer = setTimeout(work, ms)
          return () => clearTimeout(timer)
        },
        taken: ({ taken }) => say(t('editor.taken', { n: taken })),
      }),
    [project, flow, store, keeping, put, t],
  )
  useEffect(() => {
    const keep = () => saver.keep()
    const hidden = () => {
      if (document.hidden) {
        saver.keep()
        if (isDirty(store.getState())) void saver.flush()
      } else saver.retry()
    }
    const online = () => saver.retry()
    window.addEventListener('pagehide', keep)
    window.addEventListener('online', online)
    document.addEventListener('visibilitychange', hidden)
    const stop = saver.start()
    return () => {
      window.removeEventListener('pagehide', keep)
      window.removeEventListener('online', online)
      document.removeEventListener('visibilitychange', hidden)
      stop()
    }
  }, [saver, store])
  return saver
}

/** Saving and publishing, as the editor's bar and keys ask for it. */
export function useSaving(project: string, flow: string, store: DocStore, saver: Saver) {
  const { t } = useTranslation()
  const codes = useCodes()
  const publishing = usePublishFlow(project, flow)
  const state: SaveState = useStore(saver.state)
  const [asked, setAsked] = useState(false)

  const save = useCallback(async (): Promise<boolean> => {
    store.getState().seal()
    setAsked(true)
    const done = await saver.flush()
    setAsked(false)
    const now = saver.state.getState()
    if (!done && (now.kind === 'refused' || now.kind === 'offline')) sayError(codes.error(now.error))
    return done
  }, [store, saver, codes.error])

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
        // Somebody saved in between: their edits are taken in, and the person looks again.
        if (e instanceof ApiError && e.status === 409) saver.pull(Number(e.body.current?.revision ?? 0))
        sayError(codes.error(e))
        return null
      }
    },
    [store, save, saver, publishing.mutateAsync, codes.error, t],
  )
  return { save, publish, state, busy: asked || publishing.isPending }
}
