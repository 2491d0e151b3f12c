import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeSocket } from '~/api/fake-socket'
import type { RunRecord } from '~/api/records'
import type { RunView } from '~/api/types'
import { follow, type Link } from './live'
import { RunStore } from './store'

const view: RunView = {
  id: 'r',
  name: '',
  project: 'p',
  flow: 'f',
  version: 1,
  state: 'running',
  seq: 4,
  operator: 'local',
  created_at: '2026-01-01T00:00:00Z',
  nodes: {},
}

const record = (seq: number): RunRecord => ({
  seq,
  at: '2026-01-01T00:00:01Z',
  kind: 'node.state',
  node: 'a',
  data: { to: 'running', attempt: 1 },
})

function setUp() {
  const sockets: FakeSocket[] = []
  const links: Link[] = []
  const lost = vi.fn()
  const store = new RunStore(view, () => () => undefined)
  const stop = follow({
    project: 'p',
    run: 'r',
    store,
    onLink: (link) => links.push(link),
    onLost: lost,
    open: (url) => {
      const socket = new FakeSocket(url)
      sockets.push(socket)
      return socket
    },
  })
  const last = () => sockets.at(-1) as FakeSocket
  return { sockets, links, lost, store, stop, last }
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('location', { protocol: 'http:', host: 'culm.test' })
  vi.stubGlobal('window', new EventTarget())
  vi.stubGlobal('document', Object.assign(new EventTarget(), { hidden: false }))
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('following a run', () => {
  it('asks for what follows the snapshot it has', () => {
    const { last, stop } = setUp()
    expect(last().url).toBe('ws://culm.test/api/v1/projects/p/runs/r/events?after=4')
    stop()
    expect(last().closed).toBe(true)
  })

  it('resumes after the last record that it applied when one is missing', async () => {
    const { last, sockets, store, stop } = setUp()
    last().onopen?.()
    last().says({ type: 'records', records: [record(5), record(7)] })
    expect(store.seq).toBe(5)
    await vi.advanceTimersByTimeAsync(0)
    expect(sockets).toHaveLength(2)
    expect(last().url).toMatch(/after=5$/)
    last().says({ type: 'records', records: [record(6), record(7)] })
    expect(store.seq).toBe(7)
    stop()
  })

  it('comes back after a broken connection, ever more slowly, and says so', async () => {
    const { last, sockets, links, stop } = setUp()
    last().onopen?.()
    for (let i = 0; i < 4; i++) {
      last().onclose?.({ code: 1006 })
      await vi.advanceTimersByTimeAsync(11_000)
    }
    expect(sockets).toHaveLength(5)
    last().onopen?.()
    expect(links).toEqual([
      'connecting',
      'live',
      'reconnecting',
      'reconnecting',
      'reconnecting',
      'reconnecting',
      'live',
    ])
    stop()
  })

  it('takes silence for a broken connection', async () => {
    const { last, sockets, stop } = setUp()
    last().onopen?.()
    await vi.advanceTimersByTimeAsync(40_000)
    last().says({ type: 'ping' })
    await vi.advanceTimersByTimeAsync(40_000)
    expect(sockets).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(sockets).toHaveLength(2)
    stop()
  })

  it('asks for a new snapshot when the server knows fewer records, and gives up when the run is gone', () => {
    const beyond = setUp()
    beyond.last().onclose?.({ code: 4409 })
    expect(beyond.lost).toHaveBeenCalledOnce()
    beyond.stop()
    const gone = setUp()
    gone.last().onclose?.({ code: 4404 })
    expect(gone.links.at(-1)).toBe('closed')
    gone.stop()
  })

  it('leaves a run that is gone alone when the network is back', () => {
    const { last, sockets, stop } = setUp()
    last().onclose?.({ code: 4404 })
    window.dispatchEvent(new Event('online'))
    expect(sockets).toHaveLength(1)
    stop()
  })

  it('opens nothing more once it is stopped', async () => {
    const { last, sockets, stop } = setUp()
    last().onclose?.({ code: 1006 })
    stop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sockets).toHaveLength(1)
  })
})
