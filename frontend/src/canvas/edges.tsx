import { BaseEdge, EdgeLabelRenderer, type EdgeProps, getSmoothStepPath } from '@xyflow/react'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import { useText } from '~/i18n/text'
import { useNodeRun, useTaken } from '~/run/store'
import { useCanvasInfo } from './context'
import type { CanvasEdge } from './rf'
import { lanePath } from './route'

const FlowEdgeView = memo(function FlowEdgeView(props: EdgeProps<CanvasEdge>) {
  const { id, target, data, selected } = props
  const { mode, problems } = useCanvasInfo()
  const { t } = useTranslation()
  const text = useText()
  const taken = useTaken(id)
  const into = useNodeRun(target)
  const [path, x, y] =
    data?.lane === undefined ? getSmoothStepPath({ ...props, borderRadius: 8, offset: 18 }) : lanePath(props, data.lane)
  const edge = data?.edge
  const label = text(edge?.name) || edge?.condition || (edge?.default ? t('edge.default') : '')
  const moving = taken && into?.state === 'running'
  const look = `ed${mode === 'run' ? (taken ? ' ed-taken' : ' ed-untaken') : ''}${moving ? ' ed-moving' : ''}${problems.has(id) ? ' ed-bad' : ''}`
  return (
    <>
      <BaseEdge id={id} path={path} className={look} interactionWidth={24} markerEnd={props.markerEnd} />
      {label && (
        <EdgeLabelRenderer>
          <div
            className="ed-label"
            data-selected={selected}
            data-code={!text(edge?.name) && !edge?.default}
            data-untaken={mode === 'run' && !taken}
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
          >
            {label}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  )
})

export const edgeTypes = { flow: FlowEdgeView }
