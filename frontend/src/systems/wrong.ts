import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import type { Failure, Json } from '~/api/types'
import { useCodes } from '~/i18n/codes'
import { isObject } from './model'

/** What of a request is wrong: the message of each field, by its JSON Pointer. */
export type Wrong = ReadonlyMap<string, string>

type Args = { [name: string]: string }

/** Says a code of the server about systems in the language that is shown; nothing where it is unknown. */
export function useSaid(): (code: string | undefined, args?: Args) => string | undefined {
  const { t, i18n } = useTranslation('systems')
  return (code, args = {}) => {
    const key = `wrong.${code}`
    if (!code || !i18n.exists(key, { ns: 'systems' })) return undefined
    // A rule that the value as a whole breaks has no place within it.
    const shown = args.a === '' ? { ...args, a: t('wrongValue') } : args
    // The keys come from the server, so the compiler cannot know them.
    return (t as unknown as (k: string, a: Args) => string)(key, shown)
  }
}

/**
 * Says what the server found wrong, in the language that is shown; an unknown code keeps the server's words. Lines are
 * told of a text that was sent as it was written: a form is sent in one line.
 */
export function useWrong(written = false): (error: unknown) => Wrong {
  const { t } = useTranslation('systems')
  const codes = useCodes()
  const said = useSaid()
  return (error) => {
    if (!(error instanceof ApiError) || error.code !== 'INVALID') return new Map()
    const all = error.body.problems ?? []
    if (all.length === 0)
      return new Map([[error.body.field ?? '', codes.complete(error) ? codes.atField(error) : error.message]])
    // Of several at a place, the first is shown.
    return new Map(
      all.toReversed().map((p) => {
        const { line, row, column } = p.args ?? {}
        const known = said(p.code, p.args) ?? p.message
        const text = row && column ? t('wrongAt', { row, column, text: known }) : known
        return [p.field ?? '', written && line ? t('wrongLine', { line, text }) : text]
      }),
    )
  }
}

/** Says which parameter of a call is wrong, and why. */
export function useWrongParameter(): (failure: Failure) => string | undefined {
  const { t } = useTranslation('systems')
  const said = useSaid()
  return ({ code, detail }) => {
    if (code !== 'PARAM_INVALID' || !isObject(detail) || typeof detail.code !== 'string') return undefined
    const text = said(detail.code, isObject(detail.args) ? (detail.args as Args) : {})
    if (text === undefined) return undefined
    if (detail.body === true) return t('failure.at', { name: t('operations.body'), text })
    return detail.parameter ? t('failure.at', { name: wordOf(detail.parameter), text }) : text
  }
}

function wordOf(v: Json): string {
  return typeof v === 'string' ? v : JSON.stringify(v)
}
