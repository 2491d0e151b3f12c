import { ActionIcon, Tooltip } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Problem } from '~/api/types'
import { IconAlertTriangle } from '~/app/icons'
import { useCodes } from '~/i18n/codes'

interface HeadProps {
  title: string
  sub?: string
  action?: { label: string; icon: ReactNode; onClick(): void }
}

/** The head of a side panel: what it is about, and what removes it. */
export function PanelHead({ title, sub, action }: HeadProps) {
  return (
    <header className="pn-head">
      <div className="pn-title">
        <h2 className="clip">{title}</h2>
        {sub && <div className="quiet clip">{sub}</div>}
      </div>
      {action && (
        <Tooltip label={action.label}>
          <ActionIcon aria-label={action.label} onClick={action.onClick}>
            {action.icon}
          </ActionIcon>
        </Tooltip>
      )}
    </header>
  )
}

/** Problems of one thing, above its fields. */
export function ProblemLines({ problems }: { problems: readonly Problem[] }) {
  const codes = useCodes()
  if (problems.length === 0) return null
  return (
    <ul className="pn-problems">
      {problems.map((p) => (
        <li key={`${p.code}${p.field}${p.message}`} data-level={p.level}>
          <IconAlertTriangle size={14} aria-hidden />
          <span>{codes.problem(p)}</span>
        </li>
      ))}
    </ul>
  )
}
