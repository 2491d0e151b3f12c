import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeSocket } from '~/api/fake-socket'
import { hear, refresher, watch } from './changes'

function setUp() {
  const sockets: FakeSocket[] = []
  const told: string[][] = []
  const page = { hidden: false }
  const stop = hear({
    onChange: (keys) => told.push([...keys].sort()),
    open: () => {
      const socket = new FakeSocket()
      sockets.push(socket)
      return socket
    },
    hidden: () => page.hidden,
  })
  return { told, page, stop, sockets, last: () => sockets.at(-1) as FakeSocket }
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('what changes in a project', () => {
  it('is told to those who show it', () => {
    const { told, last, stop } = setUp()
    last().says({ what: ['attention'] })
    last().says({ what: ['runs'] })
    last().onmessage?.({ data: '{"type":"ping"}' })
    last().says({ what: ['something of tomorrow'] })
    expect(told).toEqual([['attention'], ['flows', 'runs']])
    stop()
    expect(last().closed).toBe(true)
  })

  it('is told once when the page is seen again', () => {
    const { told, page, last, stop } = setUp()
    page.hidden = true
    last().says({ what: ['runs'] })
    last().says({ what: ['attention'] })
    expect(told).toEqual([])
    page.hidden = false
    last().says({ what: ['runs'] })
    expect(told).toEqual([['attention', 'flows', 'runs']])
    stop()
  })

  it('is asked for now and then while the server cannot tell', () => {
    const { told, sockets, last, stop } = setUp()
    for (let i = 0; i < 8; i++) {
      last().onclose?.({ code: 1006 })
      vi.advanceTimersByTime(15_000)
    }
    expect(sockets).toHaveLength(9)
    const blind = told.length
    expect(blind).toBeGreaterThanOrEqual(11)
    last().says({ what: ['attention'] })
    vi.advanceTimersByTime(40_000)
    expect(told).toHaveLength(blind + 1)
    stop()
  })

  it('is heard on a new connection after a silence', () => {
    const { sockets, stop } = setUp()
    vi.advanceTimersByTime(44_000)
    expect(sockets).toHaveLength(1)
    vi.advanceTimersByTime(3000)
    expect(sockets).toHaveLength(2)
    expect(sockets[0]?.closed).toBe(true)
    stop()
    vi.advanceTimersByTime(600_000)
    expect(sockets).toHaveLength(2)
  })

  it('is left alone when the project is gone', () => {
    const { sockets, last, told } = setUp()
    last().onclose?.({ code: 4404 })
    vi.advanceTimersByTime(600_000)
    expect(sockets).toHaveLength(1)
    expect(told).toEqual([])
  })
})

describe('a list that changes all the time', () => {
  it('is asked for one after the other, and once more after the last change', async () => {
    const client = new QueryClient()
    let asked = 0
    const answers: (() => void)[] = []
    const ask = () => {
      asked++
      return new Promise<number>((resolve) => answers.push(() => resolve(asked)))
    }
    const options = { queryKey: ['runs', 'p', 'list'], queryFn: ask, meta: { live: true } }
    const stop = new QueryObserver(client, options).subscribe(() => undefined)
    const still = vi.fn(async () => 1)
    const other = new QueryObserver(client, { queryKey: ['runs', 'p', 'good'], queryFn: still })
    const stopOther = other.subscribe(() => undefined)
    answers.shift()?.()
    await vi.advanceTimersByTimeAsync(0)
    const changed = refresher(client, 'p')
    const runs = new Set(['runs'])
    changed(runs)
    changed(runs)
    await vi.advanceTimersByTimeAsync(10_000) // a slow answer
    changed(runs)
    expect(asked).toBe(2)
    answers.shift()?.()
    await vi.advanceTimersByTimeAsync(9000)
    expect(asked).toBe(2)
    await vi.advanceTimersByTimeAsync(2000)
    expect(asked).toBe(3)
    answers.shift()?.()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked).toBe(3)
    expect(still).toHaveBeenCalledTimes(1)
    stop()
    stopOther()
    client.clear()
  })
})

describe('a server that is away', () => {
  function watched(answers: boolean[]) {
    const told: string[] = []
    const eye = watch({
      ask: async () => answers.shift() ?? true,
      onAway: (away) => told.push(away ? 'away' : 'back'),
    })
    return { eye, told }
  }

  it('is told from one that only starts anew', async () => {
    const { eye, told } = watched([false])
    eye.link(false)
    await vi.advanceTimersByTimeAsync(500)
    eye.link(true)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(told).toEqual([])
  })

  it('is told from one whose stream alone is broken', async () => {
    const { eye, told } = watched([true, true])
    for (let i = 0; i < 2; i++) {
      eye.link(false)
      await vi.advanceTimersByTimeAsync(15_000)
    }
    expect(told).toEqual([])
  })

  it('is asked until it is back', async () => {
    const { eye, told } = watched([false, false, true])
    eye.link(false)
    eye.link(false)
    await vi.advanceTimersByTimeAsync(3000)
    expect(told).toEqual(['away'])
    expect(eye.away()).toBe(true)
    await vi.advanceTimersByTimeAsync(3000)
    eye.link(true)
    expect(told).toEqual(['away', 'back'])
  })

  it('is no longer said to be away by a late answer, or once nobody looks', async () => {
    const { eye, told } = watched([false, false])
    eye.link(false)
    vi.advanceTimersByTime(700) // asked, and not answered yet
    eye.link(true)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(told).toEqual([])
    eye.link(false)
    await vi.advanceTimersByTimeAsync(1000)
    eye.stop()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(told).toEqual(['away', 'back'])
  })
})
