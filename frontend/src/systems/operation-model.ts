import type { Json, JsonObject, Schema } from '~/api/types'
import { compact, parametersSchema, type Say } from './edit-model'
import { isObject } from './model'

/** The parts of a stored operation that its form shows; all others stay as they are. */
const shown = ['method', 'path', 'risk', 'retry', 'group', 'body', 'body_required', 'response', 'success'] as const

/** The types of a parameter that its form can name; a schema that says more is kept. */
const types = ['string', 'integer', 'number', 'boolean']

/** The operations of a system's document. */
export function operationsOf(document: JsonObject): JsonObject[] {
  return Array.isArray(document.operations) ? document.operations.filter(isObject) : []
}

/** Where an operation stands in a document, or -1. */
export function placeOf(document: JsonObject, id: string): number {
  return operationsOf(document).findIndex((o) => o.id === id)
}

function parametersOf(operation: JsonObject): JsonObject[] {
  return Array.isArray(operation.parameters) ? operation.parameters.filter(isObject) : []
}

const listed = (p: JsonObject) => p.in === 'query' || p.in === 'header'

/** The form of an operation; a new one is given its id in it. */
export function operationSchema(say: Say, say2: Say, creating = false): Schema {
  const f = (key: string, more: JsonObject = {}) => ({ title: say(`field.${key}`), ...more })
  const text = (key: string, more: JsonObject = {}) => f(key, { type: 'string', ...more })
  const named = (group: string, keys: readonly string[]) => ({
    oneOf: keys.map((k) => ({ const: k, title: say2(`${group}.${k}`) })),
  })
  return {
    type: 'object',
    additionalProperties: false,
    required: [...(creating ? ['id'] : []), 'method', 'path', 'risk', 'retry'],
    properties: {
      ...(creating
        ? { id: text('operationId', { pattern: '^[a-z][a-z0-9_]{0,63}$', description: say('operation.idHint') }) }
        : {}),
      title_zh: text('titleZh', { maxLength: 200 }),
      title_en: text('titleEn', { maxLength: 200 }),
      method: text('method', { enum: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'] }),
      path: text('path', { pattern: '^/', description: say('field.pathHint') }),
      risk: text('risk', named('risk', ['read', 'write', 'destructive'])),
      retry: text('retryClass', named('retry', ['safe', 'keyed', 'never'])),
      group: text('group', { maxLength: 128 }),
      parameters: parametersSchema(say, say2, { secret: { type: 'boolean', title: say('field.secret') } }),
      body: f('body', { 'ui:widget': 'json' }),
      body_required: f('bodyRequired', { type: 'boolean' }),
      response: f('response', { 'ui:widget': 'json' }),
      success: f('success', {
        type: 'object',
        additionalProperties: false,
        description: say('field.ownSuccess'),
        properties: {
          rule: text('rule', {
            maxLength: 4096,
            'ui:placeholder': 'body.code == 0',
            description: say('field.ruleHint'),
          }),
          message: text('message', { maxLength: 4096, 'ui:placeholder': 'body.message' }),
          status: f('status', {
            type: 'array',
            items: { type: 'integer', minimum: 200, maximum: 599 },
            description: say('field.statusHint'),
          }),
        },
      }),
      doc_zh: text('docZh', { 'ui:widget': 'textarea', 'ui:advanced': true }),
      doc_en: text('docEn', { 'ui:widget': 'textarea', 'ui:advanced': true }),
    },
  } as Schema
}

const words = (v: Json | undefined) => (typeof v === 'string' ? { en: v } : isObject(v) ? v : {})

const typeOf = (p: JsonObject) =>
  isObject(p.schema) && typeof p.schema.type === 'string' && types.includes(p.schema.type) ? p.schema.type : ''

/** A stored operation as the value of the form. */
export function operationForm(operation: JsonObject): JsonObject {
  const [title, doc] = [words(operation.title), words(operation.doc)]
  return {
    ...Object.fromEntries(shown.flatMap((k) => (operation[k] === undefined ? [] : [[k, operation[k]]]))),
    parameters: parametersOf(operation)
      .filter(listed)
      .map((p) =>
        compact({
          name: p.name ?? '',
          in: p.in ?? '',
          type: typeOf(p),
          required: p.required ?? false,
          secret: p.secret ?? false,
        }),
      ),
    ...compact({ title_zh: title.zh ?? '', title_en: title.en ?? '', doc_zh: doc.zh ?? '', doc_en: doc.en ?? '' }),
  } as JsonObject
}

/** The stored operation as the form changes it: what the form does not show stays. */
export function operationFrom(value: JsonObject, stored: JsonObject): JsonObject {
  const rest = Object.fromEntries(
    Object.entries(stored).filter(([k]) => !['title', 'doc', 'parameters', ...shown].includes(k)),
  )
  const { title_zh, title_en, doc_zh, doc_en, parameters, body, response, ...head } = value
  const before = parametersOf(stored)
  const inPath = [...String(value.path ?? '').matchAll(/\{([^}]*)\}/g)].map(
    (m) => before.find((p) => p.in === 'path' && p.name === m[1]) ?? { name: m[1] ?? '', in: 'path', required: true },
  )
  const others = (Array.isArray(parameters) ? parameters : []).filter(isObject).map((p) =>
    parameterFrom(
      p,
      before.find((b) => b.name === p.name && b.in === p.in),
    ),
  )
  const computed = before.filter((p) => p.in !== 'path' && !listed(p))
  const doc = compact({ zh: doc_zh ?? '', en: doc_en ?? '' })
  return {
    ...rest,
    title: compact({ zh: title_zh ?? '', en: title_en ?? '' }),
    ...(Object.keys(doc).length > 0 ? { doc } : {}),
    ...compact(head as JsonObject),
    // A schema is kept to the letter: what is empty in it means something.
    ...(isObject(body) || typeof body === 'boolean' ? { body } : {}),
    ...(isObject(response) || typeof response === 'boolean' ? { response } : {}),
    ...(inPath.length + others.length + computed.length > 0 ? { parameters: [...inPath, ...others, ...computed] } : {}),
  } as JsonObject
}

function parameterFrom(p: JsonObject, before: JsonObject = {}): JsonObject {
  const { type: _t, required: _r, secret: _s, ...said } = p
  const { schema, required: _br, secret: _bs, ...kept } = before
  const same = (p.type ?? '') === typeOf(before)
  return {
    ...kept,
    ...said,
    ...(p.required ? { required: true } : {}),
    ...(p.secret ? { secret: true } : {}),
    ...(same ? (schema === undefined ? {} : { schema }) : p.type ? { schema: { type: p.type } } : {}),
  } as JsonObject
}

/** The document with one of its operations as the form says. */
export function withOperation(document: JsonObject, id: string, value: JsonObject): JsonObject {
  return {
    ...document,
    operations: operationsOf(document).map((o) => (o.id === id ? operationFrom(value, o) : o)),
  }
}

/** What the form of a new operation begins with. */
export const blankOperation: JsonObject = { method: 'GET', risk: 'read', retry: 'safe' }

/** The document with another operation at its end. */
export function withNewOperation(document: JsonObject, value: JsonObject): JsonObject {
  const { id, ...rest } = value
  return {
    ...document,
    operations: [...operationsOf(document), { id: id ?? '', ...operationFrom(rest as JsonObject, {}) }],
  }
}

/** The document without one of its operations. */
export function withoutOperation(document: JsonObject, id: string): JsonObject {
  return { ...document, operations: operationsOf(document).filter((o) => o.id !== id) }
}

/** Where problems of a document are in the form of one of its operations. */
export function placedInOperation(
  wrong: ReadonlyMap<string, string>,
  document: JsonObject,
  place: number,
): ReadonlyMap<string, string> {
  const prefix = `/operations/${place}`
  const operation = operationsOf(document)[place] ?? {}
  const first = parametersOf(operation).filter((p) => p.in === 'path').length
  return new Map(
    [...wrong]
      .filter(([field]) => field.startsWith(`${prefix}/`))
      .map(([field, message]) => {
        const own = field.slice(prefix.length)
        const at = /^\/parameters\/(\d+)(.*)$/.exec(own)
        if (own === '/title') return ['/title_en', message]
        if (!at) return [own, message]
        const n = Number(at[1]) - first
        return [n < 0 ? '/path' : `/parameters/${n}${at[2] === '/schema' ? '/type' : at[2]}`, message]
      }),
  )
}
