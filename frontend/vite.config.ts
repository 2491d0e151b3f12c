import { fileURLToPath, URL } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { precompress } from './scripts/precompress.ts'

// In development the API comes from a running server: CULM_API=http://127.0.0.1:8080 npm run dev
const api = process.env.CULM_API ?? 'http://127.0.0.1:8080'

// The parts of Mantine that every page has: components, the small ones inside them, and all that is below. None of them
// may be left out, or one file would need the other before it is there.
const everywhere = [
  'core/esm/components/(ActionIcon|Button|CloseButton|FocusTrap|Group|Input|InputBase|Loader|Menu|Modal|ModalBase)/',
  'core/esm/components/(Notification|Overlay|Paper|Popover|Portal|ScrollArea|Skeleton|Text|TextInput|Title|Tooltip)/',
  'core/esm/components/(Transition|UnstyledButton|VisuallyHidden)/',
  'core/esm/components/(Accordion/AccordionChevron|Checkbox/CheckIcon|Radio/RadioIcon)',
  'core/esm/(core|utils/Floating)/',
  'hooks/esm/use-(click-outside|color-scheme|debounced-callback|did-update|focus-return|focus-trap|id)/',
  'hooks/esm/(utils|use-(isomorphic-effect|long-press|media-query|merged-ref|reduced-motion|uncontrolled|window-event))/',
]

export default defineConfig({
  plugins: [react(), precompress()],
  resolve: {
    alias: {
      '~': fileURLToPath(new URL('./src', import.meta.url)),
      'markdown-to-jsx/react': fileURLToPath(new URL('./src/form/no-markdown.ts', import.meta.url)),
      '@rjsf/validator-ajv8': fileURLToPath(new URL('./src/form/no-ajv.ts', import.meta.url)),
    },
  },
  build: {
    target: 'es2022',
    manifest: true,
    emptyOutDir: true,
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        // Every page has the first ones, and every page but the lists the others: apart they would be many
        // small files that pack worse.
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [
            {
              name: 'base',
              test: new RegExp(`@mantine/(${everywhere.join('|')})`),
            },
            {
              name: 'controls',
              test: /@mantine\/core\/esm\/components\/(Checkbox\/(?!CheckIcon)|InlineInput|SegmentedControl|Switch|Tabs|Textarea|FloatingIndicator)/,
            },
          ],
        },
      },
    },
  },
  // The format of flows lies beside this directory.
  server: {
    fs: { allow: ['..'] },
    host: '127.0.0.1',
    // The server answers only pages of its own origin.
    proxy: { '/api': { target: api, ws: true, changeOrigin: true, headers: { origin: api } } },
  },
  test: {
    include: ['src/**/*.test.ts', 'src/**/*.test.tsx'],
    environment: 'node',
    setupFiles: ['scripts/patience.ts'],
    testTimeout: 60_000, // a busy machine may take its time
    hookTimeout: 60_000,
    server: { deps: { inline: ['@rjsf/core'] } },
  },
})
