import { ApiError } from '~/api/client'
import { useCodes } from '~/i18n/codes'
import { useWrong } from './wrong'

/** Why the server refused what was asked for, in one line: what is wrong stands behind what happened. */
export function Refused({ error }: { error: unknown }) {
  const codes = useCodes()
  const wrong = useWrong()(error)
  if (!error) return null
  const exact = error instanceof ApiError && codes.complete(error)
  const more = exact ? '' : [...wrong.values()].join('; ')
  return (
    <div className="sf-error" role="alert">
      {codes.error(error)}
      {more && `: ${more}`}
    </div>
  )
}
