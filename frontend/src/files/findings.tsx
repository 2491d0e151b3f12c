import { useTranslation } from 'react-i18next'
import { IconAlertTriangle } from '~/app/icons'
import { useCodes } from '~/i18n/codes'
import type { Finding } from './incoming'

/** Says a finding in the language that is shown. */
export function useSaid(): (finding: Finding) => string {
  const { t, i18n } = useTranslation('files')
  const codes = useCodes()
  return ({ problem, error, code, args }) => {
    if (problem) return codes.problem(problem)
    if (error) return codes.error(error)
    const kind = args.type !== undefined && i18n.exists(`files:type.${args.type}`)
    const type = kind ? t(`type.${args.type}` as 'type.string') : (args.type ?? '')
    const known = i18n.exists(`files:flaw.${code}`) ? code : 'SYNTAX'
    return (t as unknown as (key: string, args: object) => string)(`flaw.${known}`, { ...args, type })
  }
}

/** How many of them are listed: who has more begins with the first ones. */
const listedMax = 50

/** What is wrong, each with its line; a click leads there. */
export function Findings({ findings, onGo }: { findings: readonly Finding[]; onGo?(at: number): void }) {
  const { t } = useTranslation('files')
  const { t: common } = useTranslation()
  const said = useSaid()
  if (findings.length === 0) return null
  return (
    <ul className="fl-findings pn-list" aria-label={t('source.list')}>
      {findings.slice(0, listedMax).map((f) => (
        <li key={`${f.from} ${f.code} ${f.args.at ?? f.problem?.field} ${said(f)}`}>
          <button type="button" data-level={f.level} onClick={() => onGo?.(f.from)} disabled={!onGo}>
            <IconAlertTriangle size={15} aria-hidden />
            <span>
              <span>{said(f)}</span>
              <span className="quiet num">
                {common(`problems.${f.level}`)} · {t('source.line', { line: f.line })}
                {f.args.at && <span className="mono"> {f.args.at}</span>}
              </span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  )
}
