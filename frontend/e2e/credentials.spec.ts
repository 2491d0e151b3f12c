import { expect, type Page, test } from '@playwright/test'
import { project } from './steps'

const api = `/api/v1/projects/${project}`

/** A certificate that signs itself and is good for nothing, and its key. */
const pem = (what: string, lines: string[]) => [`-----BEGIN ${what}-----`, ...lines, `-----END ${what}-----`].join('\n')
const certificate = pem('CERTIFICATE', [
  'MIIBgDCCASWgAwIBAgIUSCeMPxZIKID9gl/pgj/BoiP975swCgYIKoZIzj0EAwIw',
  'FDESMBAGA1UEAwwJY3VsbS10ZXN0MCAXDTI2MTEyNjEwMjEyMVoYDzIxMjYxMTAy',
  'MTAyMTIxWjAUMRIwEAYDVQQDDAljdWxtLXRlc3QwWTATBgcqhkjOPQIBBggqhkjO',
  'PQMBBwNCAAQuSqz7xbn8aiEHupp3R4yF5LpzuIzCsuP6ZQd1QqbMTEyJXPTraJ5F',
  's+I5dcmIUzmpT/dOOGTRX892gbBQdn/Ho1MwUTAdBgNVHQ4EFgQUJ5RRtPimNLCf',
  '7mGgtTWBrOfN1iQwHwYDVR0jBBgwFoAUJ5RRtPimNLCf7mGgtTWBrOfN1iQwDwYD',
  'VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAjkEK5y89Ov/6ELpbS5H5',
  'jfZ2zG966kWPrPkrm9wkduwCIQD7mxGecnuytOolurLaTZkXmVjrUZA2Uaq3pEHO',
  'QPFl8w==',
])
const key = pem('PRIVATE KEY', [
  'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg93bGYCqR7/+kQO3+',
  'hz8f9K0NfOvrL83JicLW1LmMo7qhRANCAAQuSqz7xbn8aiEHupp3R4yF5LpzuIzC',
  'suP6ZQd1QqbMTEyJXPTraJ5Fs+I5dcmIUzmpT/dOOGTRX892gbBQdn/H',
])

/** Each kind: how its system says so, and what is typed in. */
const kinds: { type: string; auth?: object; fields: { [label: string]: string } }[] = [
  { type: 'basic', fields: { 用户名: 'ops', 密码: 'basic-word' } },
  { type: 'bearer', fields: { 令牌: 'bearer-word' } },
  { type: 'api_key', auth: { header: 'X-Key' }, fields: { 令牌: 'key-word' } },
  {
    type: 'oauth2',
    auth: { token_url: 'http://127.0.0.1:9/token' },
    fields: { '客户端 ID': 'culm', 密钥: 'oauth-word' },
  },
  {
    type: 'hmac',
    auth: { header: 'X-Signature', timestamp_header: 'X-Time' },
    fields: { '密钥 ID': 'k1', 密钥: 'hmac-word' },
  },
  { type: 'mtls', fields: { '证书（PEM）': certificate, '私钥（PEM）': key } },
  { type: 'blueking', auth: { app_code: 'culm' }, fields: { 密钥: 'blue-word' } },
]

async function typed(page: Page, scope: string, fields: { [label: string]: string }): Promise<void> {
  const panel = page.getByRole('region', { name: scope })
  await panel.getByRole('button', { name: '设置凭证' }).click()
  const dialog = page.getByRole('dialog', { name: '设置凭证' })
  for (const [label, value] of Object.entries(fields))
    await dialog.getByLabel(new RegExp(`^${label}( \\*)?$`)).fill(value)
  await dialog.getByRole('button', { name: '保存' }).click()
  await expect(dialog).toBeHidden()
  await expect(panel.getByText('使用中')).toBeVisible()
}

test('every kind of credential is set in the browser, and none is shown again', async ({ page, request }) => {
  for (const { type, auth, fields } of kinds) {
    const id = `login-${type.replace('_', '-')}`
    const made = await request.put(`${api}/systems/${id}`, {
      data: {
        format: 'culm.system/v1',
        id,
        title: id,
        base_url: 'http://127.0.0.1:9',
        auth: { type, ...auth },
        operations: [{ id: 'look', title: 'Look', method: 'GET', path: '/look', retry: 'safe', risk: 'read' }],
      },
    })
    expect(made.status(), await made.text()).toBe(200)
    await page.goto(`/p/${project}/systems/${id}?tab=credential`)
    await typed(page, '本项目的凭证', fields)
    const secret = Object.values(fields).at(-1) as string
    expect(await page.content()).not.toContain(secret)
  }
})

test('a project without a credential of its own takes the default of the installation', async ({ page, request }) => {
  const id = 'login-shared'
  await request.put(`${api}/systems/${id}`, {
    data: {
      format: 'culm.system/v1',
      id,
      title: id,
      base_url: 'http://127.0.0.1:9',
      auth: { type: 'bearer' },
      operations: [{ id: 'look', title: 'Look', method: 'GET', path: '/look', retry: 'safe', risk: 'read' }],
    },
  })
  await page.goto(`/p/${project}/systems/${id}?tab=credential`)
  await typed(page, '全局默认凭证', { 令牌: 'shared-word' })
  const shared = page.getByRole('region', { name: '全局默认凭证' })
  const own = page.getByRole('region', { name: '本项目的凭证' })
  await expect(shared.getByText('正在使用')).toBeVisible()
  await typed(page, '本项目的凭证', { 令牌: 'own-word' })
  await expect(own.getByText('正在使用')).toBeVisible()
  await expect(shared.getByText('正在使用')).toBeHidden()
})

test('a client certificate that does not fit is refused at its field, in the language of the page', async ({
  page,
  request,
}) => {
  const id = 'login-certificate'
  await request.put(`${api}/systems/${id}`, {
    data: {
      format: 'culm.system/v1',
      id,
      title: id,
      base_url: 'https://127.0.0.1:9',
      auth: { type: 'mtls' },
      operations: [{ id: 'look', title: 'Look', method: 'GET', path: '/look', retry: 'safe', risk: 'read' }],
    },
  })
  await page.goto(`/p/${project}/systems/${id}?tab=credential`)
  const own = page.getByRole('region', { name: '本项目的凭证' })
  await own.getByRole('button', { name: '设置凭证' }).press('Enter')
  const dialog = page.getByRole('dialog', { name: '设置凭证' })
  await dialog.getByLabel(/^证书（PEM）/).fill(certificate)
  await dialog.getByLabel(/^私钥（PEM）/).fill(certificate)
  await dialog.getByRole('button', { name: '保存' }).press('Enter')
  await expect(dialog.getByText('私钥与证书不匹配')).toBeVisible()
  await dialog.getByLabel(/^私钥（PEM）/).fill(key)
  await dialog.getByRole('button', { name: '保存' }).press('Enter')
  await expect(own.getByText('使用中')).toBeVisible()
  await expect(own.getByText(/证书 .+ 到期/).first()).toBeVisible()
  expect(await page.content()).not.toContain('MIGHAgEA')
})
