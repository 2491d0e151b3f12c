import type { Json, JsonObject, Schema } from '~/api/types'
import { isObject } from './model'

/** Words of the form, in the language that is shown. */
export type Say = (key: string) => string

export const authKinds = ['none', 'basic', 'bearer', 'api_key', 'oauth2', 'hmac', 'mtls', 'blueking'] as const
export type AuthKind = (typeof authKinds)[number]

/** The fields that a kind of authentication has besides its type. */
const authFields: { [K in AuthKind]: readonly string[] } = {
  none: [],
  basic: [],
  bearer: [],
  api_key: ['header', 'query'],
  oauth2: ['token_url', 'scopes', 'audience', 'client_auth'],
  hmac: ['header', 'algorithm', 'encoding', 'prefix', 'signed', 'key_id_header', 'timestamp_header', 'nonce_header'],
  mtls: [],
  blueking: ['app_code'],
}

const needed: { [K in AuthKind]?: readonly string[] } = {
  oauth2: ['token_url'],
  hmac: ['header'],
  blueking: ['app_code'],
}

/** Of the kinds of authentication, the one that a form's value names. */
export function kindOf(value: JsonObject): AuthKind {
  const auth = isObject(value.auth) ? value.auth : {}
  return authKinds.find((k) => k === auth.type) ?? 'none'
}

/** The form of a system's head, with its operations where it is new. */
export function headSchema(say: Say, say2: Say, kind: AuthKind, creating: boolean): Schema {
  const f = (key: string, more: JsonObject = {}) => ({ title: say(`field.${key}`), ...more })
  const text = (key: string, more: JsonObject = {}) => f(key, { type: 'string', ...more })
  const count = (key: string, maximum: number) => f(key, { type: 'integer', minimum: 1, maximum })
  const group = (key: string, properties: JsonObject, more: JsonObject = {}) =>
    f(key, { type: 'object', additionalProperties: false, properties, ...more })
  const properties: JsonObject = {
    ...(creating ? { id: text('id', { pattern: '^[a-z][a-z0-9-]{0,63}$', description: say('import.idHint') }) } : {}),
    title_zh: text('titleZh', { maxLength: 200 }),
    title_en: text('titleEn', { maxLength: 200 }),
    base_url: text('base_url', {
      pattern: '^https?://',
      description: say('field.base_urlHint'),
      'ui:placeholder': 'https://',
    }),
    auth: authSchema(say, kind),
    ...(creating ? { operations: operationsSchema(say, say2) } : {}),
    success: group(
      'success',
      {
        rule: text('rule', { maxLength: 4096, 'ui:placeholder': 'body.code == 0', description: say('field.ruleHint') }),
        message: text('message', { maxLength: 4096, 'ui:placeholder': 'body.message' }),
        status: f('status', {
          type: 'array',
          items: { type: 'integer', minimum: 200, maximum: 599 },
          description: say('field.statusHint'),
        }),
      },
      { 'ui:advanced': true },
    ),
    limits: group(
      'limits',
      {
        timeout_ms: count('timeout_ms', 600_000),
        concurrency: count('concurrency', 1024),
        rate: f('rate', { type: 'number', minimum: 0.001, maximum: 100_000 }),
        burst: count('burst', 100_000),
        queue_ms: count('queue_ms', 600_000),
        request_bytes: count('request_bytes', 67_108_864),
        response_bytes: count('response_bytes', 67_108_864),
        breaker: group('breaker', {
          failures: count('failures', 10_000),
          open_ms: count('open_ms', 600_000),
          half_open: count('half_open', 1024),
        }),
        retry: group('retry', {
          attempts: count('attempts', 10),
          base_ms: count('base_ms', 600_000),
          max_ms: count('max_ms', 600_000),
        }),
      },
      { 'ui:advanced': true, description: say('field.limitsHint') },
    ),
    tls: group(
      'tls',
      {
        ca: text('ca', { 'ui:widget': 'textarea', description: say('field.caHint') }),
        server_name: text('server_name', { description: say('field.server_nameHint') }),
      },
      { 'ui:advanced': true },
    ),
    trace: f('trace', { type: 'boolean', 'ui:advanced': true, description: say('field.traceHint') }),
    doc_zh: text('docZh', { 'ui:widget': 'textarea', 'ui:advanced': true }),
    doc_en: text('docEn', { 'ui:widget': 'textarea', 'ui:advanced': true }),
  }
  return {
    type: 'object',
    additionalProperties: false,
    required: [...(creating ? ['id', 'operations'] : []), 'base_url', 'auth'],
    properties,
  } as Schema
}

function authSchema(say: Say, kind: AuthKind): JsonObject {
  const text = (key: string, more: JsonObject = {}) => ({ type: 'string', title: say(`field.${key}`), ...more })
  const all: { [name: string]: JsonObject } = {
    header: text('header', { 'ui:placeholder': kind === 'hmac' ? 'X-Signature' : 'X-API-Key' }),
    query: text('query', { description: say('field.queryHint') }),
    token_url: text('token_url', { pattern: '^https?://', 'ui:placeholder': 'https://' }),
    scopes: { type: 'array', title: say('field.scopes'), items: { type: 'string' } },
    audience: text('audience'),
    client_auth: text('client_auth', { enum: ['basic', 'post'] }),
    algorithm: text('algorithm', { enum: ['sha256', 'sha512', 'sha1'] }),
    encoding: text('encoding', { enum: ['hex', 'base64'] }),
    prefix: text('prefix', { 'ui:placeholder': 'sha256=' }),
    signed: {
      type: 'array',
      title: say('field.signed'),
      items: {
        type: 'string',
        enum: ['method', 'host', 'path', 'query', 'timestamp', 'nonce', 'key_id', 'body', 'body_sha256'],
      },
    },
    key_id_header: text('key_id_header'),
    timestamp_header: text('timestamp_header'),
    nonce_header: text('nonce_header'),
    app_code: text('app_code'),
  }
  const own = Object.fromEntries(authFields[kind].map((name) => [name, all[name] as JsonObject]))
  const certificate: JsonObject =
    kind === 'mtls' ? {} : { client_certificate: { type: 'boolean', title: say('field.client_certificate') } }
  return {
    type: 'object',
    title: say('field.auth'),
    additionalProperties: false,
    required: ['type', ...(needed[kind] ?? [])],
    properties: {
      type: {
        type: 'string',
        title: say('field.type'),
        oneOf: authKinds.map((k) => ({ const: k, title: say(`auth.${k}`) })),
      },
      ...own,
      ...certificate,
    },
  }
}

/** The parameters of query and header; those of the path stand in the path. */
export function parametersSchema(say: Say, say2: Say, more: JsonObject = {}): JsonObject {
  const text = (key: string, rest: JsonObject = {}) => ({ type: 'string', title: say(`field.${key}`), ...rest })
  const places = ['query', 'header'].map((k) => ({ const: k, title: say2(`place.${k}`) }))
  return {
    type: 'array',
    title: say('field.parameters'),
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['name', 'in'],
      properties: {
        name: text('name', { pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,63}$' }),
        in: text('in', { oneOf: places }),
        type: text('valueType', { enum: ['string', 'integer', 'number', 'boolean'] }),
        required: { type: 'boolean', title: say('field.required') },
        ...more,
      },
    },
  }
}

function operationsSchema(say: Say, say2: Say): JsonObject {
  const text = (key: string, more: JsonObject = {}) => ({ type: 'string', title: say(`field.${key}`), ...more })
  const named = (group: string, keys: readonly string[]) => ({
    oneOf: keys.map((k) => ({ const: k, title: say2(`${group}.${k}`) })),
  })
  return {
    type: 'array',
    title: say('field.operations'),
    minItems: 1,
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['id', 'title', 'method', 'path', 'risk', 'retry'],
      properties: {
        id: text('operationId', { pattern: '^[a-z][a-z0-9_]{0,63}$' }),
        title: text('operationTitle'),
        method: text('method', { enum: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'] }),
        path: text('path', { pattern: '^/', description: say('field.pathHint') }),
        risk: text('risk', named('risk', ['read', 'write', 'destructive'])),
        retry: text('retryClass', named('retry', ['safe', 'keyed', 'never'])),
        parameters: parametersSchema(say, say2),
        body: { title: say('field.body'), 'ui:widget': 'json' },
      },
    },
  }
}

/** What a new system's form begins with. */
export const blank: JsonObject = {
  auth: { type: 'none' },
  operations: [{ method: 'GET', risk: 'read', retry: 'safe' }],
}

const headFields = ['base_url', 'auth', 'success', 'limits', 'tls', 'trace'] as const

/** A system's document as the value of the form. */
export function formOf(document: JsonObject): JsonObject {
  const words = (v: Json | undefined) => (typeof v === 'string' ? { en: v } : isObject(v) ? v : {})
  const [title, doc] = [words(document.title), words(document.doc)]
  const head = Object.fromEntries(headFields.flatMap((k) => (document[k] === undefined ? [] : [[k, document[k]]])))
  const auth =
    isObject(document.auth) && document.auth.type
      ? document.auth
      : { ...(isObject(document.auth) ? document.auth : {}), type: 'none' }
  return compact({
    ...head,
    auth,
    title_zh: title.zh,
    title_en: title.en,
    doc_zh: doc.zh,
    doc_en: doc.en,
  } as JsonObject)
}

/** The document that the form says, over the stored one: what the form does not show stays. */
export function documentOf(value: JsonObject, stored: JsonObject | undefined): JsonObject {
  const { title_zh, title_en, doc_zh, doc_en, operations, id, ...head } = value
  const text = (zh: Json | undefined, en: Json | undefined) => compact({ zh: zh ?? '', en: en ?? '' })
  const shown: ReadonlySet<string> = new Set([...headFields, 'title', 'doc'])
  const rest = Object.fromEntries(Object.entries(stored ?? {}).filter(([k]) => !shown.has(k)))
  return {
    format: 'culm.system/v1',
    ...rest,
    ...(stored ? {} : { id: id ?? '' }),
    title: text(title_zh, title_en),
    doc: text(doc_zh, doc_en),
    ...compact(head as JsonObject),
    ...(stored ? {} : { operations: Array.isArray(operations) ? operations.map(operationOf) : [] }),
  } as JsonObject
}

/** An operation as a document has it: what stands in braces in its path is a parameter. */
function operationOf(value: Json): JsonObject {
  const { title, parameters, path, ...rest } = isObject(value) ? value : {}
  const inPath = [...String(path ?? '').matchAll(/\{([^}]*)\}/g)].map((m) => ({
    name: m[1] ?? '',
    in: 'path',
    required: true,
  }))
  const listed = (Array.isArray(parameters) ? parameters : []).filter(isObject).map(({ type, ...p }) => ({
    ...p,
    ...(type ? { schema: { type } } : {}),
  }))
  const all = [...inPath, ...listed]
  return {
    ...rest,
    path: path ?? '',
    title: title ?? '',
    ...(all.length > 0 ? { parameters: all } : {}),
  } as JsonObject
}

/** Keeps what a kind of authentication has; the other kinds' fields would be refused. */
export function withKind(value: JsonObject): JsonObject {
  const kind = kindOf(value)
  const auth = isObject(value.auth) ? value.auth : {}
  const allowed = new Set(['type', 'client_certificate', ...authFields[kind]])
  const kept = Object.entries(auth).filter(([k]) => allowed.has(k) && !(kind === 'mtls' && k === 'client_certificate'))
  return kept.length === Object.keys(auth).length ? value : { ...value, auth: Object.fromEntries(kept) }
}

/** A value without what is empty. */
export function compact(value: JsonObject): JsonObject {
  const kept = Object.entries(value).flatMap(([k, v]): [string, Json][] => {
    if (v === undefined || v === '' || v === null || v === false) return []
    if (Array.isArray(v)) return v.length > 0 ? [[k, v]] : []
    if (!isObject(v)) return [[k, v]]
    const inner = compact(v)
    return Object.keys(inner).length > 0 ? [[k, inner]] : []
  })
  return Object.fromEntries(kept)
}

/** Where a problem of the document is in the form. */
export function placed(wrong: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...wrong].map(([field, message]) => [field === '/title' ? '/title_en' : field, message]))
}
