import { call, idempotencyKey, path } from '~/api/client'
import type { JsonObject, RunDetail, RunSummary, Variable } from '~/api/types'

const at = (project: string, run: string, ...rest: string[]) => path('projects', project, 'runs', run, ...rest)

/** What the runs of a list can be told, by the name of their words. */
export const runErrands = {
  pause: (project: string, run: RunSummary) => command(project, run, 'pause'),
  resume: (project: string, run: RunSummary) => command(project, run, 'resume'),
  revoke: (project: string, run: RunSummary) => command(project, run, 'revoke'),
}

async function command(project: string, run: RunSummary, name: 'pause' | 'resume' | 'revoke'): Promise<undefined> {
  await call(at(project, run.id, 'commands'), { method: 'POST', body: { command: name }, headers: idempotencyKey() })
  return undefined
}

/** Retries every failed node of a run; answers how many there were. */
export async function retryFailed(project: string, run: RunSummary): Promise<number> {
  const { nodes } = await call<RunDetail>(at(project, run.id))
  const failed = Object.entries(nodes ?? {}).flatMap(([id, n]) => (n.state === 'failed' ? [id] : []))
  // One after the other: each is refused or done on its own, and the run moves on between them.
  for (const node of failed) {
    await call(at(project, run.id, 'nodes', node, 'commands'), {
      method: 'POST',
      body: { command: 'retry' },
      headers: idempotencyKey(),
    })
  }
  return failed.length
}

interface Started {
  data: { version: number; start_at?: string; variables?: JsonObject }
}

/** What a run was given when it was started: its inputs, without secrets. */
export async function givenInputs(
  project: string,
  run: string,
  variables: readonly Variable[],
  signal?: AbortSignal,
): Promise<{ inputs: JsonObject; version: number; startAt: string | undefined }> {
  const history = await call<{ items: Started[] }>(`${at(project, run, 'records')}?limit=1`, { signal })
  const started = history.items[0]?.data
  const known = new Set(variables.filter((v) => v.source === 'input' && !v.secret).map((v) => v.name))
  const inputs = Object.entries(started?.variables ?? {}).filter(([name]) => known.has(name))
  return { inputs: Object.fromEntries(inputs), version: started?.version ?? 0, startAt: started?.start_at }
}

/** Starts the version of a run again with what that was given; null where it needs a secret. */
export async function startAgain(project: string, run: RunSummary): Promise<RunSummary | null> {
  const { document } = await call<RunDetail>(at(project, run.id))
  const variables = document.variables ?? []
  if (variables.some((v) => v.source === 'input' && v.secret)) return null
  const { inputs, startAt } = await givenInputs(project, run.id, variables)
  return call<RunSummary>(path('projects', project, 'flows', run.flow, 'runs'), {
    method: 'POST',
    body: { name: run.name, version: run.version, inputs, ...(startAt ? { start_at: startAt } : {}) },
    headers: idempotencyKey(),
  })
}
