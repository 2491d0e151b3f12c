import type { Json, Schema } from '~/api/types'
import { formOf } from './profile'
import { check } from './validator'

/** Checks a whole value; answers how many things are wrong. */
export function countViolations(schema: Schema, value: Json, expressions: boolean): number {
  return check(formOf(schema, 'en').schema, value, expressions).length
}
