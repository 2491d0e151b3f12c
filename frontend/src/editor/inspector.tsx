import { useTranslation } from 'react-i18next'
import type { Plugin, Problem } from '~/api/types'
import { useUi } from '~/ui/store'
import { EdgePanel } from './edge-panel'
import { FlowPanel, NotePanel, ProblemsPanel, SchemesPanel, VariablesPanel } from './lazy-panels'
import { NodePanel } from './node-panel'
import { PanelHead } from './panel'

interface Props {
  plugins: readonly Plugin[]
  onJump(problem: Problem): void
}

/** The right side: the selected thing, or variables, problems, schemes, the flow itself. */
export function Inspector(props: Props) {
  const { t } = useTranslation()
  return (
    <aside className="pn" aria-label={t('editor.inspector')}>
      <Shown {...props} />
    </aside>
  )
}

function Shown({ plugins, onJump }: Props) {
  const { t } = useTranslation()
  const { nodes, edges, notes } = useUi((s) => s.selection)
  const [node] = nodes
  const [edge] = edges
  if (nodes.size > 1) return <PanelHead title={t('editor.many', { n: nodes.size })} sub={t('editor.manyHelp')} />
  if (node) return <NodePanel key={node} id={node} plugins={plugins} />
  if (edge) return <EdgePanel key={edge} id={edge} plugins={plugins} />
  if (notes && notes.size > 0) return <NotePanel ids={notes} />
  return <DrawerPanel plugins={plugins} onJump={onJump} />
}

/** What is shown while nothing is selected. */
function DrawerPanel({ plugins, onJump }: Props) {
  const drawer = useUi((s) => s.drawer)
  switch (drawer) {
    case 'problems':
      return <ProblemsPanel onJump={onJump} />
    case 'flow':
      return <FlowPanel />
    case 'schemes':
      return <SchemesPanel />
    case 'variables':
      return <VariablesPanel plugins={plugins} onJump={onJump} />
  }
}
