import { useEffect, useState } from 'react'
import { call, path } from '~/api/client'
import type { RunRecord } from '~/api/records'
import { useRunStore } from '~/run/store'
import { Book, type Story } from './book'

/** The largest page of a history that the server gives. */
const pageMax = 1000
/** How long new records may wait before they are asked for, in ms. */
const pauseMs = 400

export interface History extends Story {
  /** Whether the first records have come. */
  loaded: boolean
  error: unknown
  retry(): void
}

/** The story of the shown run, from its records: all of them first, and then what the stream says is new. */
export function useHistory(project: string, run: string): History {
  const store = useRunStore()
  const [tries, setTries] = useState(0)
  const [state, setState] = useState<Omit<History, 'retry'>>({ ...new Book().story, loaded: false, error: null })
  // biome-ignore lint/correctness/useExhaustiveDependencies: another try begins from nothing
  useEffect(() => {
    const book = new Book()
    const gone = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let busy = false
    const load = async () => {
      timer = undefined
      busy = true
      try {
        while (book.seq < store.seq && !gone.signal.aborted) {
          const before = book.seq
          const page = await call<{ items: RunRecord[] }>(
            `${path('projects', project, 'runs', run, 'records')}?after=${before}&limit=${pageMax}`,
            { signal: gone.signal },
          )
          book.add(page.items)
          setState({ ...book.story, loaded: true, error: null })
          if (book.seq === before) break
        }
        setState((old) => ({ ...old, loaded: true, error: null }))
      } catch (error) {
        if (!gone.signal.aborted) setState((old) => ({ ...old, error }))
        return
      } finally {
        busy = false
      }
      look()
    }
    const look = () => {
      if (!busy && timer === undefined && book.seq < store.seq) timer = setTimeout(load, pauseMs)
    }
    const stop = store.onAny(look)
    void load()
    return () => {
      stop()
      clearTimeout(timer)
      gone.abort()
    }
  }, [project, run, store, tries])
  return { ...state, retry: () => setTries((n) => n + 1) }
}
