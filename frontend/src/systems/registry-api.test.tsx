// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { renderHook, waitFor } from '@testing-library/react'
import { afterEach, expect, it, vi } from 'vitest'
import { useDeleteSystem } from './registry-api'

afterEach(() => vi.unstubAllGlobals())

it('says that a system was deleted although its page is gone, and asks for nothing before', async () => {
  const happened: string[] = []
  let answer: (r: Response) => void = () => undefined
  vi.stubGlobal('fetch', () => new Promise<Response>((resolve) => (answer = resolve)))
  const client = new QueryClient()
  vi.spyOn(client, 'invalidateQueries').mockImplementation(async () => void happened.push('asked anew'))
  const hook = renderHook(
    () =>
      useDeleteSystem('demo', 'cmdb', async () => {
        happened.push('said and left')
      }),
    {
      wrapper: ({ children }) => <QueryClientProvider client={client}>{children}</QueryClientProvider>,
    },
  )
  hook.result.current.mutate(false)
  await waitFor(() => expect(client.isMutating()).toBe(1))
  hook.unmount()
  answer(new Response(null, { status: 204 }))
  await waitFor(() => expect(happened).toEqual(['said and left', 'asked anew']))
})
