import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import type { Failure, Problem, ProblemBody } from '~/api/types'

type Args = { [name: string]: string }
type Say = (key: string, args: Args) => string

/** Says codes in the language that is shown; an unknown code keeps the server's words. */
export function useCodes() {
  const { t, i18n } = useTranslation(['translation', 'codes', 'reasons'])
  // The keys come from the server, so the compiler cannot know them.
  const any = t as unknown as Say
  const say = (
    group: 'problem' | 'failure' | 'advice' | 'hint' | 'refused',
    code: string,
    fallback: string,
    args: Args = {},
  ): string => {
    const key = `codes:${group}.${code}`
    return i18n.exists(key) ? any(key, args) : fallback
  }
  /** A text of reasons, which may fill in what is named as it is ({{a}}) or as a word of this language ({{wa}}). */
  const because = (reason: string | undefined, args: Args = {}): string | undefined => {
    const key = `reasons:why.${reason}`
    if (!reason || !i18n.exists(key)) return undefined
    const known = (w: string) => /^[\w -]+$/.test(w) && i18n.exists(`reasons:word.${w}`)
    const word = (w: string) => (known(w) ? any(`reasons:word.${w}`, {}) : w)
    const words = Object.entries(args).map(([name, value]) => [`w${name}`, value.split('/').map(word).join('/')])
    return any(key, { ...args, ...Object.fromEntries(words) })
  }
  /** Why exactly; what the server says is in English, and needs a reason in other languages. */
  const why = (body: ProblemBody): string | undefined =>
    because(body.reason, body.args) ?? (i18n.language === 'en' && body.reason ? body.detail : undefined)
  const error = (e: unknown): string => {
    if (!(e instanceof ApiError)) return e instanceof Error ? e.message : String(e)
    const { body } = e
    const title = say('refused', e.code, e.message)
    const exactly = why(body)
    if (!exactly) return title
    return body.field ? t('error.at', { title, field: body.field.slice(1), why: exactly }) : capital(exactly)
  }
  return {
    problem: (p: Problem) => {
      const detail = because(p.args?.why, p.args)
      return say('problem', p.code, p.message, { ...p.args, ...(detail && { detail }), message: p.message })
    },
    failure: (f: Failure) => say('failure', f.code, f.message, { message: f.message }),
    /** What to do about a failure: by its code, else by its hint, else by whose fault it is. */
    advice: (f: Failure) => {
      const side = f.origin ? t(`origin.advice.${f.origin}`) : ''
      return say('advice', f.code, f.hint ? say('hint', f.hint, side) : side)
    },
    error,
    /** The same where the field is shown already. */
    atField: (e: unknown): string => (e instanceof ApiError && why(e.body)) || error(e),
    /** Whether error says all that the server says, so that its own words add nothing. */
    complete: (e: ApiError): boolean => why(e.body) !== undefined,
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
