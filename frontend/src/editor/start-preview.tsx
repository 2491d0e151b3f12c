import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import type { Flow } from '~/api/types'
import { Canvas } from '~/canvas/canvas'
import { CanvasContext, type CanvasInfo } from '~/canvas/context'
import { StillNotes } from '~/canvas/lazy-notes'
import { placed } from '~/doc/arrange'
import type { Selection } from '~/ui/store'

const nothing: Selection = { nodes: new Set(), edges: new Set() }

/** Draws what a start would run. */
export function StartPreview({ project, document }: { project: string; document: Flow }) {
  const { t } = useTranslation('start')
  const plugins = useQuery(queries.plugins(project))
  const [drawing, setDrawing] = useState<Flow | null>(null)
  useEffect(() => {
    let gone = false
    void placed(document).then((doc) => !gone && setDrawing(doc))
    return () => {
      gone = true
    }
  }, [document])
  const info = useMemo<CanvasInfo>(
    () => ({ mode: 'edit', plugins: plugins.data ?? [], problems: new Map() }),
    [plugins.data],
  )
  if (!drawing || plugins.isPending) return null
  return (
    <CanvasContext value={info}>
      {/* Another shape is another first view: what is left of a flow is shown whole. */}
      <Canvas
        key={drawing.nodes.map((n) => n.id).join(' ')}
        doc={drawing}
        selection={nothing}
        editable={false}
        label={t('preview')}
        onSelect={() => undefined}
      >
        {drawing.notes && <StillNotes notes={drawing.notes} />}
      </Canvas>
    </CanvasContext>
  )
}
