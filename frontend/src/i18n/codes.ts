import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import type { Failure, Problem } from '~/api/types'

type Args = { [name: string]: string }

/** Says codes in the language that is shown; an unknown code keeps the server's words. */
export function useCodes() {
  const { t, i18n } = useTranslation(['translation', 'codes'])
  const say = (
    group: 'problem' | 'failure' | 'advice' | 'hint' | 'refused',
    code: string,
    fallback: string,
    args: Args = {},
  ): string => {
    const key = `codes:${group}.${code}`
    // The keys come from the server, so the compiler cannot know them.
    return i18n.exists(key) ? (t as unknown as (k: string, a: Args) => string)(key, args) : fallback
  }
  return {
    problem: (p: Problem) => say('problem', p.code, p.message, { ...p.args, message: p.message }),
    failure: (f: Failure) => say('failure', f.code, f.message, { message: f.message }),
    /** What to do about a failure: by its code, else by its hint, else by whose fault it is. */
    advice: (f: Failure) => {
      const side = f.origin ? t(`origin.advice.${f.origin}`) : ''
      return say('advice', f.code, f.hint ? say('hint', f.hint, side) : side)
    },
    error: (e: unknown): string => {
      if (!(e instanceof ApiError)) return e instanceof Error ? e.message : String(e)
      return say('refused', e.code, e.message)
    },
  }
}
