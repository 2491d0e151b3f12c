import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode, Suspense } from 'react'
import { createRoot } from 'react-dom/client'
import { lazy } from '~/app/lazy'
import { ApiError } from './api/client'
import { keepComposing } from './app/composing'
import { router } from './app/router'
import { theme } from './app/theme'
import { startI18n } from './i18n'
import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './app/fonts.css'
import './app/tokens.css'

const Toasts = lazy(() => import('./app/toasts').then((m) => ({ default: m.Notifications })))

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // A refusal stays a refusal; only a server that does not answer is asked again.
      retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 500),
      staleTime: 2000,
    },
    // What a person asked for is done now or refused now: not kept, and done when nobody thinks of it any more.
    mutations: { networkMode: 'always' },
  },
})

async function start(): Promise<void> {
  const element = document.getElementById('root')
  if (!element) throw new Error('the page has no root element')
  await startI18n()
  createRoot(element).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto">
        <Suspense>
          <Toasts position="bottom-right" limit={4} />
        </Suspense>
        <QueryClientProvider client={client}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  )
}

// Before anything else listens.
keepComposing()
void start()
