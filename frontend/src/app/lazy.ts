import { lazy as reactLazy } from 'react'

/** How long until a server that is away is asked again. */
const pauseMs = 2000

/**
 * A component that is loaded when it is first shown. While the server is away it is asked for
 * again and again, and the page around it stays; a part that an answering server does not have
 * is an error, as with React's own.
 */
export const lazy: typeof reactLazy = (load) => reactLazy(() => patiently(load))

/** Loads, and while nothing answers tries again. */
export async function patiently<T>(load: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await load()
    } catch {
      if (await fetch('/healthz').catch(() => null)) return load()
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}
