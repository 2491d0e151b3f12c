import { type ReactNode, useCallback, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Plugin } from '~/api/types'
import { Canvas } from '~/canvas/canvas'
import { CanvasContext, type CanvasInfo, type Differs, useCanvasInfo } from '~/canvas/context'
import { StillNotes } from '~/canvas/lazy-notes'
import type { View } from '~/canvas/rf'
import type { Selection } from '~/ui/store'
import { KindIcon } from './counts'
import type { Overlaid } from './drawing'
import { SchemeMarks } from './scheme-marks'

interface Props {
  shown: Overlaid
  plugins: readonly Plugin[]
  /** The change that is looked at, by its id. */
  chosen: string | null
  onChoose(id: string | null): void
  onView(view: View): void
}

const nothing = new Map<string, never>()

/** The drawing of two states: what is new, changed, moved, and what is gone. */
export function DiffCanvas({ shown, plugins, chosen, onChoose, onView }: Props) {
  const { t } = useTranslation('versions')
  const info = useMemo<CanvasInfo>(
    () => ({
      mode: 'edit',
      plugins,
      problems: nothing,
      differs: { nodes: shown.nodes, edges: shown.edges },
      Over: Difference,
    }),
    [plugins, shown],
  )
  const [, list, key] = chosen?.match(/^(\w+)\/(.+)$/s) ?? []
  const selection = useMemo<Selection>(
    () => ({
      nodes: new Set(list === 'nodes' && key ? [key] : []),
      edges: new Set(list === 'edges' && key ? [key] : []),
    }),
    [list, key],
  )
  const select = (s: Selection) => {
    const [node, edge] = [[...s.nodes].at(-1), [...s.edges].at(-1)]
    onChoose(node ? `nodes/${node}` : edge ? `edges/${edge}` : null)
  }
  const overNote = useCallback(
    (id: string): ReactNode => {
      const kind = shown.notes.get(id)
      return kind && <NoteFrame kind={kind} onChoose={() => onChoose(`notes/${id}`)} />
    },
    [shown, onChoose],
  )
  const { notes = [] } = shown.doc
  return (
    <CanvasContext value={info}>
      <div className="vs-canvas">
        <Canvas
          doc={shown.doc}
          selection={selection}
          editable={false}
          label={t('page.canvas')}
          onSelect={select}
          onView={onView}
          at={[...shown.nodes.keys()][0]}
        >
          {notes.length > 0 && <StillNotes notes={notes} chosen={list === 'notes' ? key : null} over={overNote} />}
          {list === 'schemes' && <SchemeMarks change={shown.changes.find((c) => c.id === chosen)} doc={shown.doc} />}
        </Canvas>
      </div>
    </CanvasContext>
  )
}

/** The frame and sign of a node that differs. */
function Difference({ id }: { id: string }) {
  const { t } = useTranslation('versions')
  const kind = useCanvasInfo().differs?.nodes.get(id)
  if (!kind) return null
  return (
    <span className="vs-frame" data-kind={kind}>
      <span role="img" aria-label={t(`kind.${kind}`)} title={t(`kind.${kind}`)}>
        <KindIcon kind={kind} />
      </span>
    </span>
  )
}

/** The frame and sign of a note that differs; a click chooses it, as on a node. */
function NoteFrame({ kind, onChoose }: { kind: Differs; onChoose(): void }) {
  const { t } = useTranslation('versions')
  const label = `${t('thing.notes')} · ${t(`kind.${kind}`)}`
  return (
    <button
      type="button"
      className="vs-frame vs-frame-note nopan nodrag"
      data-kind={kind}
      aria-label={label}
      onClick={onChoose}
    >
      <span aria-hidden="true" title={t(`kind.${kind}`)}>
        <KindIcon kind={kind} />
      </span>
    </button>
  )
}
