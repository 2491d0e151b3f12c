import { createContext, useContext, useSyncExternalStore } from 'react'

/** One clock for the whole page: it runs only while somebody looks at it. */
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined
let now = Date.now()

const tickMs = 1000

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  if (!timer) {
    now = Date.now()
    timer = setInterval(() => {
      now = Date.now()
      for (const l of [...listeners]) l()
    }, tickMs)
  }
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0 && timer) {
      clearInterval(timer)
      timer = undefined
    }
  }
}

const idle = () => () => undefined

/** The time that is shown where it is not that of now. */
export const TimeContext = createContext<number | undefined>(undefined)

/** The time in ms, once a second; it stands still while `running` is false. */
export function useNow(running: boolean): number {
  const shown = useContext(TimeContext)
  const real = useSyncExternalStore(running && shown === undefined ? subscribe : idle, () => now)
  return shown ?? real
}
