import { useTranslation } from 'react-i18next'
import type { Problem } from '~/api/types'
import { IconAlertTriangle, IconCheck } from '~/app/icons'
import { useNodeName } from '~/canvas/nodes'
import { useDoc } from '~/doc/store'
import { useCodes } from '~/i18n/codes'
import { PanelHead } from './panel'

/** Everything that is wrong with the flow; each entry leads to its place. */
export function ProblemsPanel({ onJump }: { onJump(problem: Problem): void }) {
  const { t } = useTranslation()
  const codes = useCodes()
  const problems = useDoc((s) => s.problems)
  const nodes = useDoc((s) => s.doc.nodes)
  const name = useNodeName()
  const where = (p: Problem): string => {
    const node = p.node && nodes.find((n) => n.id === p.node)
    const thing = node
      ? name(node)
      : p.edge
        ? t('problems.edge', { id: p.edge })
        : p.variable
          ? t('problems.variable', { name: p.variable })
          : t('problems.flow')
    return p.field ? `${thing} ${p.field}` : thing
  }
  return (
    <>
      <PanelHead
        title={t('problems.title')}
        sub={problems.length > 0 ? t('problems.count', { count: problems.length }) : undefined}
      />
      <div className="pn-body">
        {problems.length === 0 && (
          <p className="pn-ok">
            <IconCheck size={16} aria-hidden />
            {t('problems.none')}
          </p>
        )}
        <ul className="pn-list">
          {problems.map((p) => (
            <li key={`${p.code}${p.node}${p.edge}${p.variable}${p.field}${p.message}`}>
              <button type="button" data-level={p.level} onClick={() => onJump(p)}>
                <IconAlertTriangle size={15} aria-hidden />
                <span>
                  <span>{codes.problem(p)}</span>
                  <span className="quiet clip">
                    {t(`problems.${p.level}`)} · {where(p)}
                  </span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </>
  )
}
