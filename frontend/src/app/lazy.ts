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
      let waited = false
      while (!(await answers())) {
        waited = true
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
      await restyle()
      if (!waited) return load()
    }
  }
}

/** How long an answer may take, in ms: a server that hangs is away, too. */
const answerMs = 5000

/** Whether the server is there at all; what stands before it answers with 5xx in its place. */
export function answers(): Promise<boolean> {
  return fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(answerMs) }).then(
    (r) => r.status < 500,
    () => false,
  )
}

/** Loads the styles that did not come: whoever loads a part again takes their links for what they stand for. */
function restyle(): Promise<unknown> {
  const missing = [...(globalThis.document?.querySelectorAll<HTMLLinkElement>('link[rel=stylesheet]') ?? [])]
  return Promise.all(
    missing
      .filter((link) => !came(link))
      .map((link) => {
        const again = link.cloneNode() as HTMLLinkElement
        const loaded = new Promise((resolve) => {
          again.onload = again.onerror = resolve
        })
        link.replaceWith(again)
        return loaded
      }),
  )
}

/** Whether the styles of a link have come: where they have not, some browsers have no sheet, and others one that nobody may read. */
function came(link: HTMLLinkElement): boolean {
  try {
    return link.sheet?.cssRules !== undefined
  } catch {
    return false
  }
}
