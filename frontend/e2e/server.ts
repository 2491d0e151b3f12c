import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const repository = join(import.meta.dirname, '..', '..')

/** Compiling the shipped plugins for the first time takes a while on a small machine. */
const readyWithinMs = 180_000

/** A running program: where it answers, and its process. */
export interface Server {
  url: string
  process: ChildProcess
}

/**
 * Starts the real program on a free port with a data directory of its own, and
 * answers how to stop it. CULM_BIN names the binary; without it one is built.
 */
export default async function start(): Promise<() => Promise<void>> {
  const dir = mkdtempSync(join(tmpdir(), 'culm-e2e-'))
  process.env.CULM_E2E_BIN = process.env.CULM_BIN ?? build(dir)
  try {
    const silent = await silence()
    const server = await launch(join(dir, 'data'), '127.0.0.1:0', '--allow', silent.address)
    process.env.CULM_E2E_URL = server.url
    process.env.CULM_E2E_COMPILED = join(dir, 'data', 'compiled')
    process.env.CULM_E2E_SILENT = silent.address
    return async () => {
      await stop(server, 'SIGTERM')
      silent.close()
      rmSync(dir, { recursive: true, force: true })
    }
  } catch (error) {
    rmSync(dir, { recursive: true, force: true })
    throw error
  }
}

/**
 * A system that takes every call and answers none, and breaks all connections when /hang-up is asked for: the stories
 * find its address in CULM_E2E_SILENT.
 */
async function silence(): Promise<{ address: string; close(): void }> {
  const calls = new Set<Socket>()
  const server = createServer((socket) => {
    calls.add(socket)
    socket.on('close', () => calls.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (sent) => {
      if (sent.includes(' /hang-up ')) for (const call of calls) call.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() }
}

/**
 * Starts the program on a data directory, with further flags, and waits until it answers. A new directory begins with
 * what the first server has compiled: that takes a minute, and each module is checked when it is loaded.
 */
export async function launch(data: string, listen: string, ...flags: string[]): Promise<Server> {
  const bin = process.env.CULM_E2E_BIN ?? ''
  const compiled = process.env.CULM_E2E_COMPILED
  if (compiled && !existsSync(data)) {
    mkdirSync(data, { mode: 0o700 })
    execFileSync('cp', ['-a', compiled, data])
  }
  const child = spawn(bin, ['serve', '--demo', '--listen', listen, '--data', data, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    return { url: await address(child), process: child }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

/** Ends the program and waits until it has ended. */
export async function stop(server: Server, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (server.process.exitCode !== null || server.process.signalCode !== null) return
  const ended = new Promise((resolve) => server.process.once('exit', resolve))
  server.process.kill(signal)
  const force = setTimeout(() => server.process.kill('SIGKILL'), 25_000)
  await ended
  clearTimeout(force)
}

function build(dir: string): string {
  const bin = join(dir, 'culm')
  execFileSync('go', ['build', '-o', bin, './host/cmd/culm'], { cwd: repository, stdio: 'inherit' })
  return bin
}

/** Reads where the server listens from what it prints when it is ready. */
function address(child: ChildProcess): Promise<string> {
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
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`the server ended with ${code}:\n${printed}`))
    })
  })
}
