import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ExpressionValue, ExpressionValues, Json } from '~/api/types'
import { useFormat } from '~/app/format'
import { useCodes } from '~/i18n/codes'
import type { Previewer } from './preview-context'

/** So long after the last key the server is asked. */
const askAfterMs = 300

/** What an expression was worth in the last run, below the field that holds it. */
export function ExpressionPreview({ ask, value, bare }: { ask: Previewer; value: string; bare: boolean }) {
  const [answer, setAnswer] = useState<{ of: string; values: ExpressionValues } | null>(null)
  useEffect(() => {
    const running = new AbortController()
    const timer = setTimeout(() => {
      ask([bare ? { expression: value } : { value }], running.signal).then(
        (values) => setAnswer({ of: value, values }),
        // The server does not answer, or the field went on: there is nothing to show.
        () => undefined,
      )
    }, askAfterMs)
    return () => {
      clearTimeout(timer)
      running.abort()
    }
  }, [ask, value, bare])
  return <Worth answer={answer?.values ?? null} stale={answer?.of !== value} />
}

function Worth({ answer, stale }: { answer: ExpressionValues | null; stale: boolean }) {
  const { t } = useTranslation('editor')
  const format = useFormat()
  const item = answer?.items[0]
  return (
    <div className="sf-worth" data-stale={stale} role="status">
      <span
        className="quiet"
        title={
          answer?.run ? t('preview.of', { name: answer.run.name, when: format.when(answer.run.created_at) }) : undefined
        }
      >
        {answer && !answer.run ? t('preview.defaults') : t('preview.lastRun')}
      </span>
      {item && <ValueText item={item} />}
    </div>
  )
}

/** A value as JSON, with its type: false, 0, "" and null are shown as what they are. */
export function ValueText({ item }: { item: ExpressionValue }) {
  const { t } = useTranslation('editor')
  const codes = useCodes()
  const { error } = item
  if (error) {
    const { code, message, name = '' } = error
    const said =
      code === 'VAR_UNSET'
        ? t('preview.unset', { name: name || message })
        : code === 'EXPR_SECRET'
          ? t('preview.secret')
          : codes.problem({ code, message, level: 'warning', args: { name } })
    return (
      <span className="sf-worth-why" data-quiet={code === 'VAR_UNSET' || code === 'EXPR_SECRET'}>
        {said}
      </span>
    )
  }
  if (item.bytes !== undefined)
    return <span className="quiet">{t('preview.large', { n: Math.ceil(item.bytes / 1024) })}</span>
  const value = item.value ?? null
  const text = JSON.stringify(value)
  return (
    <>
      <code className="mono" title={text.length > shownMax ? JSON.stringify(value, null, 2).slice(0, 4000) : undefined}>
        {text.length > shownMax ? `${text.slice(0, shownMax)}…` : text}
      </code>
      <span className="quiet">{kindOf(value)}</span>
    </>
  )
}

const shownMax = 160

function kindOf(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `array · ${value.length}`
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}
