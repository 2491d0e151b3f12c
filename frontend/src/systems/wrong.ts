import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'

/** What of a request is wrong: the message of each field, by its JSON Pointer. */
export type Wrong = ReadonlyMap<string, string>

/** Says what the server found wrong, in the language that is shown; an unknown code keeps the server's words. */
export function useWrong(): (error: unknown) => Wrong {
  const { t, i18n } = useTranslation('systems')
  return (error) => {
    if (!(error instanceof ApiError) || error.code !== 'INVALID') return new Map()
    const all = error.body.problems ?? []
    if (all.length === 0) return new Map([[error.body.field ?? '', error.message]])
    const said = (code: string, message: string, args: { [name: string]: string } = {}) => {
      const key = `wrong.${code}`
      // The keys come from the server, so the compiler cannot know them.
      return i18n.exists(key, { ns: 'systems' })
        ? (t as unknown as (k: string, a: object) => string)(key, { ...args, interpolation: { escapeValue: false } })
        : message
    }
    // Of several at a place, the first is shown.
    return new Map(all.toReversed().map((p) => [p.field ?? '', said(p.code, p.message, p.args)]))
  }
}
