import { ActionIcon, Skeleton, Switch } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { IconArrowsMaximize, IconMinus, IconPlus, IconX } from '~/app/icons'
import { ErrorNotice } from '~/app/notices'
import type { PathNode } from '~/doc/paths'
import { runEnded } from '~/run/fold'
import { useRunStore, useRunSummary } from '~/run/store'
import { useNow } from '~/run/ticker'
import { Chart } from './chart'
import { useHistory } from './history'
import './timeline.css'

const zoomMax = 64

interface Props {
  project: string
  run: string
  nodes: readonly PathNode[]
  chosen: string | undefined
  onChoose(path: string): void
  onClose(): void
}

/** When each node ran, waited and failed, drawn to scale. */
export function Timeline({ project, run, nodes, chosen, onChoose, onClose }: Props) {
  const { t } = useTranslation('timeline')
  const { t: common } = useTranslation()
  const { tracks, loaded, error, retry } = useHistory(project, run)
  const [squeeze, setSqueeze] = useState(true)
  const [zoom, setZoom] = useState(1)
  const { run: view } = useRunSummary(useRunStore())
  const now = useNow(!runEnded(view.state))
  const last = useMemo(() => Math.max(...tracks.flatMap((k) => k.spans.map((s) => s.to ?? s.from))), [tracks])
  return (
    <section className="tl" aria-label={t('title')}>
      <header className="tl-head">
        <h2>{t('title')}</h2>
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
        <ActionIcon variant="subtle" color="gray" aria-label={common('action.close')} onClick={onClose}>
          <IconX size={15} aria-hidden />
        </ActionIcon>
      </header>
      {error !== null && <ErrorNotice error={error} onRetry={retry} />}
      {!loaded && error === null && <Skeleton className="tl-wait" height={120} radius="md" />}
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
