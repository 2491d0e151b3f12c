import { describe, expect, it } from 'vitest'
import type { RunState } from '~/api/types'
import { iconOf, markOf, newsOf, signs } from './signals'

const seen = (state: RunState, failed: string[] = [], asking: string[] = []) => ({
  run: { state } as Parameters<typeof markOf>[0]['run'],
  failed,
  asking,
})

describe('the tab of a run', () => {
  it('shows first what needs a person', () => {
    expect(markOf(seen('running'))).toBe('running')
    expect(markOf(seen('running', [], ['ask']))).toBe('asking')
    expect(markOf(seen('running', ['a'], ['ask']))).toBe('blocked')
    expect(markOf(seen('suspended'))).toBe('suspended')
    expect(markOf(seen('revoked', ['a']))).toBe('revoked')
  })

  it('has a sign and an icon of its own for every state', () => {
    expect(new Set(Object.values(signs)).size).toBe(7)
    const icons = (Object.keys(signs) as (keyof typeof signs)[]).map(iconOf)
    expect(new Set(icons).size).toBe(7)
    for (const icon of icons) expect(icon).toMatch(/^data:image\/svg\+xml,%3Csvg/)
  })
})

describe('what is told to somebody who is not looking', () => {
  it('is a failure, a question, and the end, each once', () => {
    expect(newsOf(seen('running'), seen('running', ['a']))).toEqual({ what: 'failed', node: 'a' })
    expect(newsOf(seen('running', ['a']), seen('blocked', ['a']))).toBeUndefined()
    expect(newsOf(seen('blocked', ['a']), seen('blocked', ['a', 'b']))).toEqual({ what: 'failed', node: 'b' })
    expect(newsOf(seen('running'), seen('running', [], ['q']))).toEqual({ what: 'asking', node: 'q' })
    expect(newsOf(seen('running'), seen('succeeded'))).toEqual({ what: 'succeeded' })
    expect(newsOf(seen('blocked', ['a']), seen('revoked', ['a']))).toEqual({ what: 'ended' })
    expect(newsOf(seen('succeeded'), seen('succeeded'))).toBeUndefined()
    expect(newsOf(seen('blocked', ['a']), seen('running'))).toBeUndefined()
  })
})
