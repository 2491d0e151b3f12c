import { ActionIcon, Switch } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { IconArrowsMaximize, IconMinus, IconPlus } from '~/app/icons'
import type { PathNode } from '~/doc/paths'
import { runEnded } from '~/run/fold'
import { useRun } from '~/run/store'
import { useNow } from '~/run/ticker'
import { Chart } from './chart'
import type { History } from './history'
import './timeline.css'

const zoomMax = 64

interface Props {
  history: History
  nodes: readonly PathNode[]
  chosen: string | undefined
  onChoose(path: string): void
}

/** When each node ran, waited and failed, drawn to scale. */
export function Timeline({ history, nodes, chosen, onChoose }: Props) {
  const { t } = useTranslation('timeline')
  const { tracks, loaded } = history
  const [squeeze, setSqueeze] = useState(true)
  const [zoom, setZoom] = useState(1)
  const view = useRun()
  const now = useNow(!runEnded(view.state))
  const last = useMemo(() => Math.max(...tracks.flatMap((k) => k.spans.map((s) => s.to ?? s.from))), [tracks])
  return (
    <section className="tl" aria-label={t('title')}>
      <header className="tl-head">
        <span className="grow" />
        <Switch
          size="xs"
          label={t('squeeze')}
          checked={squeeze}
          onChange={(e) => setSqueeze(e.currentTarget.checked)}
        />
        <ActionIcon
          variant="default"
          aria-label={t('zoomOut')}
          disabled={zoom <= 1}
          onClick={() => setZoom(Math.max(1, zoom / 2))}
        >
          <IconMinus size={14} aria-hidden />
        </ActionIcon>
        <ActionIcon
          variant="default"
          aria-label={t('zoomIn')}
          disabled={zoom >= zoomMax}
          onClick={() => setZoom(Math.min(zoomMax, zoom * 2))}
        >
          <IconPlus size={14} aria-hidden />
        </ActionIcon>
        <ActionIcon variant="default" aria-label={t('whole')} disabled={zoom === 1} onClick={() => setZoom(1)}>
          <IconArrowsMaximize size={14} aria-hidden />
        </ActionIcon>
      </header>
      {loaded && tracks.length === 0 && <p className="quiet tl-none">{t('empty')}</p>}
      {tracks.length > 0 && (
        <Chart
          tracks={tracks}
          nodes={nodes}
          chosen={chosen}
          begin={Date.parse(view.created_at)}
          end={view.ended_at ? Date.parse(view.ended_at) : Math.max(now, last)}
          squeeze={squeeze}
          zoom={zoom}
          onChoose={onChoose}
        />
      )}
    </section>
  )
}
