import type { Registry } from '@rjsf/utils'
import type { Json } from '~/api/types'
import type { ScopeName } from '~/doc/scope'

/** What every field of a form can ask its form for. */
export interface FormInfo {
  /** Whether fields may hold expressions at all. */
  expressions: boolean
  scope: readonly ScopeName[]
  /** Fields that a person switched to an expression, by id. */
  switched: ReadonlySet<string>
  setSwitched(id: string, on: boolean): void
  /** Inputs at the top whose `${` is plain text. */
  literal: ReadonlySet<string>
  setLiteral?(name: string, on: boolean): void
  /** Problems of the server, by JSON pointer inside the form's value. */
  problems: ReadonlyMap<string, string>
  /** The place that a problem asks to look at. */
  focus: string | undefined
  /** Whether groups are folded until they are wanted, as there are so many fields. */
  folds: boolean
  /** The value of the whole form. */
  data: Json | undefined
  /** Whose form it is: who is asked for the choices of fields that name a source. */
  asks: Asks | undefined
}

/** The action that a form belongs to. */
export interface Asks {
  project: string
  plugin: string
  action: string
}

export function infoOf(registry: Registry): FormInfo {
  return registry.formContext as FormInfo
}

/** The JSON pointer of a field inside the form's value. */
export function pointerOf(path: readonly (string | number)[]): string {
  return path.map((s) => `/${String(s).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
