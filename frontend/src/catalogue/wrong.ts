import { useTranslation } from 'react-i18next'
import type { Problem } from '~/api/types'
import { useCodes } from '~/i18n/codes'

/** Says what is wrong in a manifest, by its code, in the language that is shown; else in the server's words. */
export function useManifestProblem(): (p: Problem) => string {
  const { t } = useTranslation('catalogue')
  const { t: manifest } = useTranslation('manifest')
  const codes = useCodes()
  const say = (code: string | undefined, args: Problem['args']): string =>
    code ? manifest(code, { defaultValue: '', ...args }) : ''
  return ({ code, message, args, ...p }) => {
    const detail = say(args?.why, args) || codes.detail({ code, message, args, ...p })
    const text = say(code, { ...args, detail })
    if (!text) return message // which names what may be meant, too
    return args?.meant ? t('install.meant', { text, meant: args.meant }) : text
  }
}
