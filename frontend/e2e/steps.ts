import { type APIRequestContext, expect, type Locator, type Page } from '@playwright/test'

/** The project that the program loads with --demo. */
export const project = 'demo'

const api = `/api/v1/projects/${project}`

export interface FlowDocument {
  notes?: readonly object[]
  format: string
  id?: string
  name: string
  variables?: object[]
  nodes: object[]
  edges: object[]
  subflows?: { [reference: string]: FlowDocument }
}

/** Makes a flow and publishes it, through the API; answers its id. */
export async function publishedFlow(request: APIRequestContext, document: FlowDocument): Promise<string> {
  const made = await request.post(`${api}/flows`, { data: { document } })
  expect(made.status(), await made.text()).toBe(201)
  const { id, revision, problems } = (await made.json()) as { id: string; revision: number; problems: unknown[] }
  expect(problems ?? []).toEqual([])
  const version = await request.post(`${api}/flows/${id}/versions`, { data: { revision, note: '' } })
  expect(version.status(), await version.text()).toBe(201)
  return id
}

/** Starts the latest version of a flow, through the API; answers the run's id. */
export async function startedRun(
  request: APIRequestContext,
  flow: string,
  inputs: object = {},
  name?: string,
): Promise<string> {
  const run = await request.post(`${api}/flows/${flow}/runs`, { data: { inputs, name } })
  expect(run.status(), await run.text()).toBe(201)
  return ((await run.json()) as { id: string }).id
}

/** A flow of three nodes around one task. */
export function around(name: string, task: object): FlowDocument {
  return {
    format: 'culm.flow/v1',
    name,
    nodes: [
      { id: 'start', type: 'start' },
      { id: 'task', type: 'task', ...task },
      { id: 'end', type: 'end' },
    ],
    edges: [
      { id: 'e1', from: 'start', to: 'task' },
      { id: 'e2', from: 'task', to: 'end' },
    ],
  }
}

export function node(page: Page, id: string): Locator {
  return page.getByTestId(`node-${id}`)
}

/** Drags an entry of the palette to a place on the canvas. */
export async function drop(page: Page, entry: string, x: number, y: number): Promise<void> {
  const item = page.getByRole('complementary', { name: '节点库' }).getByRole('button', { name: entry, exact: true })
  await item.dragTo(page.locator('.react-flow__pane'), { targetPosition: { x, y } })
}

/** Draws a line from one node to another, by their handles. */
export async function wire(page: Page, from: string, to: string): Promise<void> {
  const handle = (id: string, kind: string) =>
    page.locator(`.react-flow__node[data-id="${id}"] .react-flow__handle.${kind}`)
  await handle(from, 'source').dragTo(handle(to, 'target'), { force: true })
}

/** Writes a text into an expression editor, in place of what is there. */
export async function writeInto(field: Locator, text: string): Promise<void> {
  await field.click()
  await field.press('ControlOrMeta+a')
  await field.pressSequentially(text)
  await expect(field).toHaveText(text)
}

/** Shows the conditions in sight as CEL, one after another. */
export async function showCel(page: Page): Promise<void> {
  const all = page.getByRole('radiogroup', { name: '条件' })
  await expect(all.first()).toBeVisible()
  for (const group of await all.all()) await group.getByText('CEL', { exact: true }).click()
}

/** A flow of nodes one behind the other. */
export function serial(name: string, nodes: { id: string; [field: string]: unknown }[]): FlowDocument {
  const all = [{ id: 'start', type: 'start' }, ...nodes, { id: 'end', type: 'end' }]
  return {
    format: 'culm.flow/v1',
    name,
    nodes: all,
    edges: all.slice(1).map((n, i) => ({ id: `e${i + 1}`, from: (all[i] as { id: string }).id, to: n.id })),
  }
}
