// Holds the sizes of the build: what a first visit loads, and each later part, and that files do not need each other.
// Run after a build; fails when a budget is exceeded.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const dist = join(import.meta.dirname, '..', 'dist')
const manifest = JSON.parse(readFileSync(join(dist, '.vite', 'manifest.json'), 'utf8'))

const kib = (bytes) => bytes / 1024
const gzipped = (file) => kib(gzipSync(readFileSync(join(dist, file)), { level: 9 }).length)

/** Everything that an entry needs before it runs. */
function closure(key, seen = new Set()) {
  if (seen.has(key)) return seen
  seen.add(key)
  for (const next of manifest[key].imports ?? []) closure(next, seen)
  return seen
}

const sum = (files) => [...new Set(files)].reduce((total, file) => total + gzipped(file), 0)
const scripts = (keys) => sum([...keys].map((key) => manifest[key].file))
const styles = (keys) => sum([...keys].flatMap((key) => manifest[key].css ?? []))

// A first visit shows the home page.
const first = new Set(
  ['index.html', 'src/i18n/zh.ts', 'src/home/page.tsx', 'src/i18n/home.zh.ts'].flatMap((key) => [...closure(key)]),
)
const without = (key, ...bases) => new Set([...closure(key)].filter((k) => !bases.some((base) => base.has(k))))
const editor = without('src/editor/page.tsx', first)
const run = without('src/runs/page.tsx', first)
const form = without('src/form/schema-form.tsx', first, editor)
const expression = without('src/form/expression-input.tsx', first, editor, form)
const all = readdirSync(join(dist, 'assets')).filter((f) => f.endsWith('.js'))

const rows = [
  ['first route, JS', scripts(first), 220],
  ['first route, CSS', styles(first), 45],
  ['editor, JS', scripts(editor), 130],
  ['run console, JS', scripts(run), 110],
  ['form, JS', scripts(form), 200],
  ['expression editor, JS', scripts(expression), 110],
  ['everything, JS', sum(all.map((f) => `assets/${f}`)), 900],
]

let failed = false
for (const [name, size, budget] of rows) {
  const over = size > budget
  failed ||= over
  process.stdout.write(
    `${over ? 'OVER' : 'ok  '}  ${name.padEnd(24)} ${size.toFixed(1).padStart(7)} KiB of ${budget}\n`,
  )
}

/** Says where files need each other in a circle: one of them is run before what it needs is there. */
function circles(key, above, done) {
  if (above.includes(key)) {
    failed = true
    process.stdout.write(`CIRCLE  ${[...above.slice(above.indexOf(key)), key].join(' > ')}\n`)
  }
  if (done.has(key)) return
  done.add(key)
  for (const next of manifest[key].imports ?? []) circles(next, [...above, key], done)
}

const done = new Set()
for (const key of Object.keys(manifest)) circles(key, [], done)
if (failed) process.exit(1)
