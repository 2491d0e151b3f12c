import { create } from 'zustand'

const storageKey = 'culm.keys'

interface Keys {
  on: boolean
  set(on: boolean): void
}

/** Whether keys without Ctrl do something: who steers by voice may switch them off. */
const useKeys = create<Keys>((set) => ({
  on: localStorage.getItem(storageKey) !== 'off',
  set: (on) => {
    if (on) localStorage.removeItem(storageKey)
    else localStorage.setItem(storageKey, 'off')
    set({ on })
  },
}))

export function useKeysOn(): boolean {
  return useKeys((s) => s.on)
}

export function switchKeys(): boolean {
  const { on, set } = useKeys.getState()
  set(!on)
  return !on
}
