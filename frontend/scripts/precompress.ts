import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Plugin } from 'vite'

const br = promisify(brotliCompress)
const gz = promisify(gzip)
const compressible = /\.(js|css|html|svg|json|map)$/
const minBytes = 1024

/**
 * Writes a .br and a .gz beside every text file of the build, so that the
 * server sends them as they are. It also puts back dist/.gitkeep, which lets
 * the Go package compile on a clean clone.
 */
export function precompress(): Plugin {
  let out = 'dist'
  return {
    name: 'culm-precompress',
    apply: 'build',
    configResolved(config) {
      out = config.build.outDir
    },
    async closeBundle() {
      await writeFile(join(out, '.gitkeep'), '')
      const names = await readdir(out, { recursive: true })
      for (const name of names.filter((n) => compressible.test(n))) {
        const path = join(out, name)
        const data = await readFile(path)
        if (data.length < minBytes) continue
        await writeFile(`${path}.gz`, await gz(data, { level: 9 }))
        await writeFile(`${path}.br`, await br(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }))
      }
    },
  }
}
