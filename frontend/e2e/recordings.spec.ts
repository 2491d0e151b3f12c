import { expect, test } from '@playwright/test'
import { around, node, project, publishedFlow, startedRun } from './steps'

test('the history of a node that failed has its recording, to save and to replay', async ({ page, request }) => {
  const task = { plugin: 'core', action: 'wait_until', inputs: { at: '2020-01-01T00:00:00Z', past: 'fail' } }
  const run = await startedRun(request, await publishedFlow(request, around(`录制 ${Date.now()}`, task)))
  const recordings = `/api/v1/projects/${project}/runs/${run}/nodes/task/recordings`
  await expect.poll(async () => ((await (await request.get(recordings)).json()) as { items: [] }).items.length).toBe(1)

  await page.goto(`/p/${project}/runs/${run}`)
  await node(page, 'task').click()
  await page.getByRole('tab', { name: '执行记录' }).click()
  const panel = page.getByRole('region', { name: '录制' })
  await expect(panel.getByText(`culm plugin replay ${run} task`)).toBeVisible()
  const [file] = await Promise.all([page.waitForEvent('download'), panel.getByRole('link').click()])
  expect(file.suggestedFilename()).toBe('task-1-1.json')
})
