import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeSocket } from '~/api/fake-socket'
import { enter, type Link, type Room } from './room'

/** A server whose connections the test opens, fills and breaks. */
function world() {
  const sockets: FakeSocket[] = []
  const rooms: Room[] = []
  const links: Link[] = []
  const room = enter({
    project: 'demo',
    flow: 'f',
    onRoom: (r) => rooms.push(r),
    onLink: (l) => links.push(l),
    open: (url) => {
      const socket = new FakeSocket(url)
      sockets.push(socket)
      return socket
    },
  })
  return { room, sockets, rooms, links, at: () => sockets.at(-1) as FakeSocket }
}

/** Lets time pass until there is another connection; answers how long that took, in ms. */
function untilNext(sockets: readonly FakeSocket[]): number {
  const before = sockets.length
  let ms = 0
  for (; sockets.length === before && ms < 120_000; ms += 100) vi.advanceTimersByTime(100)
  return ms
}

const me = { name: 'Li', node: 'task', editing: true, revision: 3 }
const full: Room = { you: 'm1', revision: 3, version: 1, members: [] }

describe('the room of a flow', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('location', { protocol: 'http:', host: 'culm.test' })
    vi.stubGlobal('window', new EventTarget())
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('is told what one does once it is open, and nothing twice', () => {
    const w = world()
    w.room.say(me)
    expect(w.at().sent).toEqual([])
    w.at().onopen?.()
    w.room.say({ ...me })
    w.room.say({ ...me, editing: false })
    expect(w.at().sent.map((s) => JSON.parse(s).editing)).toEqual([true, false])
  })

  it('is entered again after a break, and told anew', () => {
    const w = world()
    w.room.say(me)
    w.at().onopen?.()
    w.at().says(full)
    w.at().onclose?.({ code: 1006 })
    expect(w.links).toEqual(['in', 'away'])
    untilNext(w.sockets)
    w.at().onopen?.()
    expect(w.sockets).toHaveLength(2)
    expect(w.at().sent).toHaveLength(1)
    expect(w.rooms[0]?.revision).toBe(3)
  })

  it('is asked more and more seldom while nobody answers, and at once when the network is back', () => {
    const w = world()
    let longest = 0
    for (let i = 0; i < 12; i++) {
      w.at().onclose?.({ code: 1006 })
      longest = untilNext(w.sockets)
    }
    expect(longest).toBeGreaterThanOrEqual(15_000)
    expect(longest).toBeLessThanOrEqual(30_100)
    w.at().onclose?.({ code: 1006 })
    window.dispatchEvent(new Event('online'))
    expect(vi.getTimerCount()).toBe(0)
    expect(w.sockets).toHaveLength(14)
  })

  it('is left alone when there is no such flow, and asked later when it is full', () => {
    const gone = world()
    gone.at().onclose?.({ code: 4404 })
    expect(vi.getTimerCount()).toBe(0)
    const crowd = world()
    crowd.at().onclose?.({ code: 4429 })
    expect(crowd.links).toEqual(['full'])
    expect(untilNext(crowd.sockets)).toBe(60_000)
  })

  it('is left for good', () => {
    const w = world()
    w.room.leave()
    w.at().onclose?.({ code: 1000 })
    expect(w.at().closed).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })
})
