// @vitest-environment happy-dom
import { act, renderHook } from '@testing-library/react'
import { expect, it, vi } from 'vitest'
import { useNarrow } from './narrow'
import { type RunsSearch, runsSearch } from './search'

const asked: RunsSearch[] = []
vi.mock('@tanstack/react-router', () => ({
  useNavigate: () => (to: { search: RunsSearch }) => {
    asked.push(to.search)
  },
}))

it('loses no change of two that come before the page has shown the first', () => {
  const hook = renderHook(({ search }) => useNarrow<RunsSearch>(search, runsSearch), {
    initialProps: { search: runsSearch({}) },
  })
  act(() => hook.result.current({ q: 'night' }))
  act(() => hook.result.current({ state: 'failed' }))
  expect(asked.at(-1)).toMatchObject({ q: 'night', state: 'failed' })
  // The first one arrives late, and a third comes.
  hook.rerender({ search: runsSearch({ q: 'night' }) })
  act(() => hook.result.current({ order: 'asc' }))
  expect(asked.at(-1)).toMatchObject({ q: 'night', state: 'failed', order: 'asc' })
  // What the address became by other ways counts again once nothing is on its way.
  hook.rerender({ search: runsSearch({ q: 'night', state: 'failed', order: 'asc' }) })
  hook.rerender({ search: runsSearch({ q: 'day' }) })
  act(() => hook.result.current({ state: 'blocked' }))
  expect(asked.at(-1)).toEqual({ q: 'day', state: 'blocked' })
})
