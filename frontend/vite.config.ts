import { fileURLToPath, URL } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { precompress } from './scripts/precompress.ts'

// In development the API comes from a running server: CULM_API=http://127.0.0.1:8080 npm run dev
const api = process.env.CULM_API ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react(), precompress()],
  resolve: {
    alias: {
      '~': fileURLToPath(new URL('./src', import.meta.url)),
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
              test: /@mantine\/core\/esm\/components\/(ActionIcon|Button|CloseButton|FocusTrap|Group|Input|InputBase|Loader|Menu|Modal|ModalBase|Notification|Overlay|Paper|Popover|Portal|Skeleton|Text|TextInput|Title|Tooltip|Transition|UnstyledButton)\//,
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
    server: { deps: { inline: ['@rjsf/core'] } },
  },
})
