import { useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ExpressionValues, Problem } from '~/api/types'
import { IconEye, IconPencil } from '~/app/icons'
import { useNodeName } from '~/canvas/nodes'
import { useDoc } from '~/doc/store'
import type { Use } from '~/doc/uses'
import { ValueText } from '~/form/preview'
import type { Previewer } from '~/form/preview-context'

/** Where a variable is read and written; each line leads there. */
export function VariableUses({ uses, onJump }: { uses: readonly Use[]; onJump(problem: Problem): void }) {
  const { t } = useTranslation('editor')
  const nodes = useDoc((s) => s.doc.nodes)
  const edges = useDoc((s) => s.doc.edges)
  const name = useNodeName()
  const where = (use: Use): string => {
    const node = nodes.find((n) => n.id === use.node)
    if (node) return name(node)
    const edge = edges.find((e) => e.id === use.edge)
    const gateway = edge && nodes.find((n) => n.id === edge.from)
    if (gateway) return t('uses.condition', { name: name(gateway) })
    return t('uses.variable', { name: use.by ?? '' })
  }
  return (
    <section className="pn-uses" aria-label={t('uses.title')}>
      <h3>{t('uses.title')}</h3>
      {uses.length === 0 && <p className="quiet">{t('uses.none')}</p>}
      <ul>
        {uses.map((use) => (
          <li key={`${use.node}${use.edge}${use.by}${use.field}`}>
            <button type="button" onClick={() => onJump(placeOf(use))}>
              {use.how === 'writes' ? <IconPencil size={13} aria-hidden /> : <IconEye size={13} aria-hidden />}
              <span>{t(`uses.${use.how}`)}</span>
              <span className="clip">{where(use)}</span>
              <code className="quiet mono clip">{use.field.slice(1)}</code>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

function placeOf(use: Use): Problem {
  return {
    code: '',
    message: '',
    level: 'warning',
    field: use.field,
    ...(use.node ? { node: use.node } : {}),
    ...(use.edge ? { edge: use.edge } : {}),
    ...(use.by ? { variable: use.by } : {}),
  }
}

/** What a variable was worth in the last run. */
export function VariableWorth({ ask, name }: { ask: Previewer; name: string }) {
  const { t } = useTranslation('editor')
  const variable = useDoc((s) => s.doc.variables?.find((v) => v.name === name))
  const written = useMemo(() => JSON.stringify(variable), [variable])
  const [answer, setAnswer] = useState<ExpressionValues | null>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again when what is written changes
  useEffect(() => {
    const running = new AbortController()
    const timer = setTimeout(() => {
      ask([{ expression: name }], running.signal).then(setAnswer, () => undefined)
    }, 300)
    return () => {
      clearTimeout(timer)
      running.abort()
    }
  }, [ask, name, written])
  const item = answer?.items[0]
  if (!item) return null
  return (
    <div className="sf-worth">
      <span className="quiet">{answer?.run ? t('preview.lastRun') : t('preview.defaults')}</span>
      <ValueText item={item} />
    </div>
  )
}
