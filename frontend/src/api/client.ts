import type { Json, Page, ProblemBody } from './types'

/** A refusal of the server, or no answer at all (status 0, code NETWORK). */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly body: ProblemBody

  constructor(body: ProblemBody) {
    super(body.detail ?? body.title)
    this.name = 'ApiError'
    this.status = body.status
    this.code = body.code
    this.body = body
  }
}

interface Options {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Sent as JSON; bytes are sent as they are, and need a Content-Type. */
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
}

export const apiBase = '/api/v1'

/** Calls the API and answers the decoded body; throws an ApiError otherwise. */
export async function call<T>(path: string, options: Options = {}): Promise<T> {
  const { method = 'GET', body, headers = {}, signal } = options
  const init: RequestInit = { method, signal, headers: { Accept: 'application/json', ...headers } }
  if (body instanceof Blob) {
    init.body = body
  } else if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers = { ...init.headers, 'Content-Type': 'application/json' } as HeadersInit
  }
  let response: Response
  try {
    response = await fetch(apiBase + path, init)
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new ApiError({ title: 'no answer', status: 0, code: 'NETWORK', detail: String(cause) })
  }
  if (response.status === 204) return undefined as T
  const data = await decode(response)
  if (!response.ok) throw new ApiError(problemOf(response, data))
  return data as T
}

/** A fresh key for a creating call, so that a repeated request creates once. */
export function idempotencyKey(): { 'Idempotency-Key': string } {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return { 'Idempotency-Key': Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('') }
}

/** Joins path segments, each escaped. */
export function path(...segments: (string | number)[]): string {
  return segments.map((s) => `/${encodeURIComponent(String(s))}`).join('')
}

/** A list that is shown whole is asked for in the largest pages. */
export const pageMax = 200

/** Reads a list to its end. */
export async function everyPage<T>(base: string, signal: AbortSignal): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const page: Page<T> = await call(
      `${base}?limit=${pageMax}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
      { signal },
    )
    items.push(...(page.items ?? []))
    cursor = page.next
  } while (cursor)
  return items
}

async function decode(response: Response): Promise<Json> {
  const text = await response.text()
  if (text === '') return null
  try {
    return JSON.parse(text) as Json
  } catch {
    throw new ApiError({ title: 'not JSON', status: response.status, code: 'BAD_ANSWER', detail: text.slice(0, 200) })
  }
}

function problemOf(response: Response, data: Json): ProblemBody {
  if (data !== null && typeof data === 'object' && !Array.isArray(data) && typeof data.code === 'string') {
    return { title: response.statusText, ...data, status: response.status } as unknown as ProblemBody
  }
  return { title: response.statusText, status: response.status, code: 'BAD_ANSWER' }
}
