import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { patiently } from './lazy'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** A server that refuses the first connections. */
function refusing(times: number): void {
  let left = times
  vi.stubGlobal('fetch', async () => {
    if (left-- > 0) throw new TypeError('refused')
    return new Response('{}')
  })
}

test('a part is asked for until the server is back', async () => {
  refusing(2)
  const load = vi.fn(async () => 'part')
  for (let i = 0; i < 2; i++) load.mockRejectedValueOnce(new TypeError('Failed to fetch'))
  const loaded = patiently(load)
  await vi.advanceTimersByTimeAsync(4000)
  expect(await loaded).toBe('part')
  expect(load).toHaveBeenCalledTimes(3)
})

test('a part that the server does not have is an error at once', async () => {
  refusing(0)
  const load = vi.fn(async () => {
    throw new TypeError('no such part')
  })
  await expect(patiently(load)).rejects.toThrow('no such part')
  expect(load).toHaveBeenCalledTimes(2)
})
