import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { Attempt, GatewayCall, LogLine } from '~/api/types'
import { useFormat } from '~/app/format'
import { useCodes } from '~/i18n/codes'
import { NodePill } from '~/run/states'

/** What the plugin logged; it follows the end while the reader is there. */
export function Log({ lines }: { lines: readonly LogLine[] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are what moves the view
  useEffect(() => {
    const element = box.current
    if (element && atEnd.current) element.scrollTop = element.scrollHeight
  }, [lines.length])
  if (lines.length === 0) return <p className="quiet">{t('node.noLog')}</p>
  return (
    <div
      ref={box}
      className="rn-log mono"
      role="log"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
      tabIndex={0}
      aria-label={t('node.log')}
      onScroll={(e) => {
        const el = e.currentTarget
        atEnd.current = el.scrollHeight - el.scrollTop - el.clientHeight < 24
      }}
    >
      {lines.map((line, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines are only ever added at the end
        <div key={i} data-level={line.level}>
          <span className="num">{format.time(line.at)}</span>
          <span className="rn-level">{line.level}</span>
          <span>{line.text}</span>
        </div>
      ))}
    </div>
  )
}

/** What went through the gateway for this attempt. */
export function Calls({ calls }: { calls: readonly GatewayCall[] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const codes = useCodes()
  if (calls.length === 0) return <p className="quiet">{t('node.noCalls')}</p>
  return (
    <ul className="rn-calls">
      {calls.map((call) => (
        <li key={`${call.at}${call.operation}`}>
          <div className="rn-call">
            <span className="mono clip">
              {call.system}.{call.operation}
            </span>
            <span className="num" data-s={call.failure || (call.status ?? 0) >= 400 ? 'failed' : 'succeeded'}>
              {call.status ?? call.failure?.code}
            </span>
          </div>
          <div className="quiet num">
            {format.time(call.at)} · {call.method} · {format.duration(call.duration_ms)}
          </div>
          {call.failure && <div className="sf-error">{codes.failure(call.failure)}</div>}
        </li>
      ))}
    </ul>
  )
}

/** Every try of the node, newest first. */
export function History({ attempts }: { attempts: readonly Attempt[] }) {
  const { t } = useTranslation()
  const format = useFormat()
  const codes = useCodes()
  const by = useBy()
  return (
    <ol className="rn-history">
      {[...attempts].reverse().map((a) => (
        <li key={`${a.iteration}/${a.attempt}`}>
          <div className="rn-call">
            <strong className="num">{t('node.attempt', { n: a.attempt })}</strong>
            <NodePill view={a} />
          </div>
          <div className="quiet num">
            {format.full(a.started_at)}
            {a.started_at && a.ended_at && ` · ${format.duration(Date.parse(a.ended_at) - Date.parse(a.started_at))}`}
            {a.repeat !== undefined && ` · ${t('node.repeatN', { n: a.repeat })}`}
            {a.by && ` · ${by(a.by)}`}
          </div>
          {a.failure && <div className="sf-error">{codes.failure(a.failure)}</div>}
        </li>
      ))}
    </ol>
  )
}

/** Says what made a state; what this version does not know is said as it came. */
export function useBy(): (by: string) => string {
  const { t, i18n } = useTranslation()
  // The words come from the server, so the compiler cannot know them.
  return (by) => (i18n.exists(`node.by.${by}`) ? (t as unknown as (k: string) => string)(`node.by.${by}`) : by)
}
