// @vitest-environment happy-dom
import { MantineProvider } from '@mantine/core'
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { happy } from '~/form/happy'
import { SearchField } from './toolbar'

const told: string[] = []
const tell = (q: string) => told.push(q)
const field = () => screen.getByRole<HTMLInputElement>('textbox', { name: 'Search' })
const drawn = (value: string) => (
  <MantineProvider>
    <SearchField label="Search" value={value} onChange={tell} />
  </MantineProvider>
)

function typed(text: string): void {
  fireEvent.change(field(), { target: { value: text } })
}

beforeAll(happy)
beforeEach(() => {
  vi.useFakeTimers()
  told.length = 0
})
afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

describe('the field that narrows a list', () => {
  it('keeps what is typed until the address has what was typed before', () => {
    const { rerender } = render(drawn(''))
    typed('ledg')
    act(() => vi.advanceTimersByTime(200))
    typed('ledger')
    rerender(drawn('ledg'))
    expect(field().value).toBe('ledger')
    act(() => vi.advanceTimersByTime(200))
    expect(told).toEqual(['ledg', 'ledger'])
    rerender(drawn('ledger'))
    expect(field().value).toBe('ledger')
  })

  it('shows what the address has from elsewhere, were it what was typed once', () => {
    const { rerender } = render(drawn(''))
    for (const q of ['ledger', 'pay']) {
      typed(q)
      act(() => vi.advanceTimersByTime(200))
      rerender(drawn(q))
    }
    rerender(drawn('ledger'))
    expect(field().value).toBe('ledger')
    rerender(drawn(''))
    expect(field().value).toBe('')
  })

  it('shows what the address has from elsewhere after what was typed was passed over', () => {
    const { rerender } = render(drawn(''))
    typed('led')
    act(() => vi.advanceTimersByTime(200))
    typed('ledger')
    act(() => vi.advanceTimersByTime(200))
    rerender(drawn('ledger'))
    rerender(drawn('led'))
    expect(field().value).toBe('led')
  })
})
