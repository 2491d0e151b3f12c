import { NodeToolbar, Position } from '@xyflow/react'
import { useTranslation } from 'react-i18next'
import type { FlowNode } from '~/api/types'
import { IconCopy, IconPlus, IconTrash, IconUnlink } from '~/app/icons'
import { type CanvasInfo, useCanvasInfo } from './context'

type Tools = NonNullable<CanvasInfo['edit']>

/** What is done most with the one selected node: the next one, a copy, no lines, away. */
export function NodeTools({ node }: { node: FlowNode }) {
  const { edit } = useCanvasInfo()
  return edit ? <Shown node={node} edit={edit} /> : null
}

function Shown({ node, edit }: { node: FlowNode; edit: Tools }) {
  const { t } = useTranslation('editor')
  const task = node.type !== 'start' && node.type !== 'end'
  return (
    <>
      {node.type !== 'end' && (
        <NodeToolbar position={Position.Right} offset={16} className="nd-add">
          <AddButton label={t('add.after')} onClick={(at) => edit.add({ after: node.id }, at)} />
        </NodeToolbar>
      )}
      <NodeToolbar position={Position.Top} offset={8} align="end" className="nd-tools">
        {task && (
          <button
            type="button"
            aria-label={t('many.duplicate')}
            title={t('many.duplicate')}
            onClick={() => edit.tool('duplicate', node.id)}
          >
            <IconCopy size={14} aria-hidden />
          </button>
        )}
        <button
          type="button"
          aria-label={t('many.detach')}
          title={t('many.detach')}
          onClick={() => edit.tool('detach', node.id)}
        >
          <IconUnlink size={14} aria-hidden />
        </button>
        <button
          type="button"
          aria-label={t('many.remove')}
          title={t('many.remove')}
          onClick={() => edit.tool('remove', node.id)}
        >
          <IconTrash size={14} aria-hidden />
        </button>
      </NodeToolbar>
    </>
  )
}

/** A round plus that opens the list of what can be added where it stands. */
export function AddButton({ label, onClick }: { label: string; onClick(at: { x: number; y: number }): void }) {
  return (
    <button
      type="button"
      className="nd-plus nodrag nopan"
      aria-label={label}
      title={label}
      onClick={(event) => {
        event.stopPropagation()
        const box = event.currentTarget.getBoundingClientRect()
        onClick({ x: box.right + 6, y: box.top - 8 })
      }}
    >
      <IconPlus size={14} stroke={2.4} aria-hidden />
    </button>
  )
}
