import type { Json, Schema } from '~/api/types'
import { isSchema } from './words'

/** How many fields are drawn at once: with them a page answers within a frame or two. */
const fieldsMax = 300

/** Words under which a form looks for more fields of the same value. */
const parts = ['allOf', 'anyOf', 'oneOf', 'if', 'then', 'else'] as const

/**
 * Whether a form has more fields than are drawn at once. A schema of some lines may have thousands: a field refers to a
 * group whose fields refer to another one, and so on.
 */
export function isWide(schema: Schema): boolean {
  const above = new Set<string>()
  let left = fieldsMax
  const count = (part: Json | Schema | undefined): void => {
    if (left < 0 || !isSchema(part)) return
    const to = typeof part.$ref === 'string' ? part.$ref.replace(/^#\/\$defs\//, '') : undefined
    if (to !== undefined && !above.has(to)) {
      above.add(to)
      count(isSchema(schema.$defs) ? schema.$defs[to] : undefined)
      above.delete(to)
    }
    const fields = isSchema(part.properties) ? Object.values(part.properties) : []
    left -= fields.length
    for (const field of fields) count(field)
    for (const word of parts) for (const more of [part[word]].flat()) count(more)
  }
  count(schema)
  return left < 0
}
