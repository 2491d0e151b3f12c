import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const repository = join(import.meta.dirname, '..', '..')

/** Compiling the shipped plugins for the first time takes a while on a small machine. */
const readyWithinMs = 180_000

/**
 * Starts the real program on a free port with a data directory of its own, and
 * answers how to stop it. CULM_BIN names the binary; without it one is built.
 */
export default async function start(): Promise<() => Promise<void>> {
  const dir = mkdtempSync(join(tmpdir(), 'culm-e2e-'))
  const bin = process.env.CULM_BIN ?? build(dir)
  const server = spawn(bin, ['serve', '--demo', '--listen', '127.0.0.1:0', '--data', join(dir, 'data')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    process.env.CULM_E2E_URL = await address(server)
  } catch (error) {
    server.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
    throw error
  }
  return async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGTERM')
    const force = setTimeout(() => server.kill('SIGKILL'), 25_000)
    await ended
    clearTimeout(force)
    rmSync(dir, { recursive: true, force: true })
  }
}

function build(dir: string): string {
  const bin = join(dir, 'culm')
  execFileSync('go', ['build', '-o', bin, './host/cmd/culm'], { cwd: repository, stdio: 'inherit' })
  return bin
}

/** Reads where the server listens from what it prints when it is ready. */
function address(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = ''
    const timer = setTimeout(() => reject(new Error(`the server was not ready in time:\n${printed}`)), readyWithinMs)
    const read = (chunk: Buffer) => {
      printed += chunk.toString()
      const found = printed.match(/open\s+(http:\/\/[\d.]+:\d+)/)
      if (!found?.[1]) return
      clearTimeout(timer)
      resolve(found[1])
    }
    server.stdout?.on('data', read)
    server.stderr?.on('data', read)
    server.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`the server ended with ${code}:\n${printed}`))
    })
  })
}
