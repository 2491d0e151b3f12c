import { BaseEdge, EdgeLabelRenderer, type EdgeProps, getSmoothStepPath } from '@xyflow/react'
import { memo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useText } from '~/i18n/text'
import { useMoving, useTaken } from '~/run/store'
import { type CanvasInfo, useCanvasInfo } from './context'
import { AddButton } from './node-tools'
import type { CanvasEdge } from './rf'
import { lanePath } from './route'

const FlowEdgeView = memo(function FlowEdgeView(props: EdgeProps<CanvasEdge>) {
  const { id, target, data, selected } = props
  const { mode, problems, edit, differs } = useCanvasInfo()
  const [hovered, setHovered] = useState(false)
  const { t } = useTranslation()
  const text = useText()
  const taken = useTaken(id)
  const moving = useMoving(id, target)
  const [path, x, y] =
    data?.lane === undefined ? getSmoothStepPath({ ...props, borderRadius: 8, offset: 18 }) : lanePath(props, data.lane)
  const edge = data?.edge
  const label = text(edge?.name) || edge?.condition || (edge?.default ? t('edge.default') : '')
  const kind = differs?.edges.get(id)
  const look = `ed${mode === 'run' ? (taken ? ' ed-taken' : ' ed-untaken') : ''}${moving ? ' ed-moving' : ''}${problems.has(id) ? ' ed-bad' : ''}${kind ? ` ed-${kind}` : ''}`
  return (
    <g onPointerEnter={edit && (() => setHovered(true))} onPointerLeave={edit && (() => setHovered(false))}>
      <BaseEdge id={id} path={path} className={look} interactionWidth={24} markerEnd={props.markerEnd} />
      {label && (
        <EdgeLabelRenderer>
          <div
            className="ed-label"
            data-selected={selected}
            data-code={!text(edge?.name) && !edge?.default}
            data-kind={kind}
            data-untaken={mode === 'run' && !taken}
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
          >
            {label}
          </div>
        </EdgeLabelRenderer>
      )}
      {edit && (hovered || selected) && <AddHere id={id} edit={edit} x={x} y={label ? y - 24 : y} />}
    </g>
  )
})

/** The plus in the middle of a line. */
function AddHere({ id, edit, x, y }: { id: string; edit: NonNullable<CanvasInfo['edit']>; x: number; y: number }) {
  const { t } = useTranslation('editor')
  return (
    <EdgeLabelRenderer>
      <div className="ed-add" style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}>
        <AddButton label={t('add.onEdge')} onClick={(screen) => edit.add({ edge: id }, screen)} />
      </div>
    </EdgeLabelRenderer>
  )
}

export const edgeTypes = { flow: FlowEdgeView }
