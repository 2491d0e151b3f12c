import type { CredentialFields } from './api'
import type { Credential } from './types'

/** The name of a field that a credential can have. */
export type FieldName = keyof CredentialFields

interface Field {
  name: FieldName
  optional?: boolean
}

/** What each kind asks for, in the order in which it is asked. */
const kinds: { [kind: string]: readonly Field[] } = {
  basic: [{ name: 'username' }, { name: 'password' }],
  bearer: [{ name: 'token' }],
  api_key: [{ name: 'token' }],
  oauth2: [{ name: 'client_id' }, { name: 'secret' }],
  hmac: [{ name: 'key_id', optional: true }, { name: 'secret' }],
  blueking: [{ name: 'secret' }],
}

const certificate: readonly Field[] = [{ name: 'certificate' }, { name: 'private_key' }]

/** The fields of a credential, with those of a client certificate where one belongs to it. */
export function fieldsOf({ kind, certificate: needed }: Pick<Credential, 'kind' | 'certificate'>): readonly Field[] {
  return [...(kinds[kind] ?? []), ...(needed || kind === 'mtls' ? certificate : [])]
}

/** Whether what is typed into a field is hidden. A long one is not: it is pasted from a file. */
export function isHidden(name: FieldName): boolean {
  return name === 'password' || name === 'token' || name === 'secret'
}

export function isLong(name: FieldName): boolean {
  return name === 'certificate' || name === 'private_key'
}
