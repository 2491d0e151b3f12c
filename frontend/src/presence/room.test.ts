import { beforeAll, describe, expect, it, vi } from 'vitest'
import { enter, type Link, type Room, type Socket } from './room'

/** A server whose connections the test opens, fills and breaks, and a clock that it moves. */
function world() {
  const sockets: (Socket & { sent: string[]; closed: boolean })[] = []
  const waiting: { ms: number; work: () => void }[] = []
  const rooms: Room[] = []
  const links: Link[] = []
  const room = enter({
    project: 'demo',
    flow: 'f',
    onRoom: (r) => rooms.push(r),
    onLink: (l) => links.push(l),
    open: () => {
      const s = {
        onopen: null,
        onmessage: null,
        onclose: null,
        sent: [] as string[],
        closed: false,
        send: (text: string) => s.sent.push(text),
        close: () => {
          s.closed = true
        },
      } as (typeof sockets)[number]
      sockets.push(s)
      return s
    },
    after: (ms, work) => {
      const timer = { ms, work }
      waiting.push(timer)
      return () => void waiting.splice(waiting.indexOf(timer), 1)
    },
  })
  const pass = () => waiting.shift()?.work()
  return {
    room,
    sockets,
    waiting,
    rooms,
    links,
    pass,
    at: () => sockets[sockets.length - 1] as (typeof sockets)[number],
  }
}

const me = { name: 'Li', node: 'task', editing: true, revision: 3 }
const full: Room = { you: 'm1', revision: 3, version: 1, members: [] }

describe('the room of a flow', () => {
  beforeAll(() => void vi.stubGlobal('location', { protocol: 'http:', host: 'culm.test' }))

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
    w.at().onmessage?.({ data: JSON.stringify(full) })
    w.at().onclose?.({ code: 1006 })
    expect(w.links).toEqual(['in', 'away'])
    w.pass()
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
      longest = w.waiting[0]?.ms ?? 0
      w.pass()
    }
    expect(longest).toBeGreaterThanOrEqual(15_000)
    expect(longest).toBeLessThanOrEqual(30_000)
    w.at().onclose?.({ code: 1006 })
    w.room.wake()
    expect(w.waiting).toEqual([])
    expect(w.sockets).toHaveLength(14)
  })

  it('is left alone when there is no such flow, and asked later when it is full', () => {
    const gone = world()
    gone.at().onclose?.({ code: 4404 })
    expect(gone.waiting).toEqual([])
    const crowd = world()
    crowd.at().onclose?.({ code: 4429 })
    expect(crowd.links).toEqual(['full'])
    expect(crowd.waiting[0]?.ms).toBe(60_000)
  })

  it('is left for good', () => {
    const w = world()
    w.room.leave()
    w.at().onclose?.({ code: 1000 })
    expect(w.at().closed).toBe(true)
    expect(w.waiting).toEqual([])
  })
})
