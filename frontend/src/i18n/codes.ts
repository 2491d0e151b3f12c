import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import type { Failure, Problem, ProblemBody } from '~/api/types'

type Args = { [name: string]: string }
type Say = (key: string, args: Args) => string
type Said = Omit<Problem, 'level'> & Partial<Problem>

/** Says codes in the language that is shown; an unknown code keeps the server's words. */
export function useCodes() {
  const { t, i18n } = useTranslation(['translation', 'codes'])
  const say = (
    group: 'problem' | 'failure' | 'advice' | 'hint' | 'refused' | 'why' | 'word',
    code: string,
    fallback: string,
    args: Args = {},
  ): string => {
    const key = `codes:${group}.${code}`
    // The keys come from the server, so the compiler cannot know them.
    return i18n.exists(key) ? (t as unknown as Say)(key, args) : fallback
  }
  /** A text of reasons, which may fill in what is named as it is ({{a}}) or as a word of this language ({{wa}}). */
  const because = (reason: string | undefined, args: Args = {}): string | undefined => {
    const words = Object.entries(args).map(([name, value]) => [
      `w${name}`,
      value.replace(/[^/]+/g, (w) => say('word', w, w)),
    ])
    return (reason && say('why', reason, '', { ...args, ...Object.fromEntries(words) })) || undefined
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
    return body.field ? t('codes:at', { title, field: body.field.slice(1), why: exactly }) : capital(exactly)
  }
  /** What exactly a problem is about, with its place. */
  const detail = (p: Said): string => {
    const { row, column, place, code, detail: words = p.message } = p.args ?? {}
    const known = because(p.args?.why, p.args)
    // What is wrong with a subflow comes with the code and the arguments of its own problem.
    const inner = code && problem({ code, message: words, args: ofInner(p.args) })
    // English has no texts of reasons: there the server's words are the ones.
    let text = known ?? inner ?? (i18n.language === 'en' ? words : t('codes:words', { words }))
    if (place && known) text = `${place} ${text}`
    return row && column ? t('codes:spot', { row, column, text }) : text
  }
  const problem = (p: Said): string =>
    say('problem', p.code, p.message, { ...p.args, detail: detail(p), message: p.message })
  return {
    detail,
    problem,
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

/** The arguments of the problem inside another. */
function ofInner(args: Args = {}): Args {
  const inner = Object.entries(args).filter(([name]) => name.startsWith('of_'))
  return Object.fromEntries(inner.map(([name, value]) => [name.slice('of_'.length), value]))
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
