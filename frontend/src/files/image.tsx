import { Button, SegmentedControl, Skeleton, Switch } from '@mantine/core'
import { useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { FlowEdge, FlowNode, Plugin } from '~/api/types'
import { IconDownload } from '~/app/icons'
import { sayError } from '~/app/notices'
import { findAction } from '~/doc/scope'
import { useDoc } from '~/doc/store'
import { useText } from '~/i18n/text'
import { type Drawing, drawingOf, type Pen } from './drawing'
import { coloursOf, fontFaces, fonts, iconMaker, type Look, measurer, papersOf } from './pen'
import { pngOf, scaleOf } from './pixels'
import { download, fileName } from './save'

type Format = 'svg' | 'png'

/** The whole flow as a picture, to be put into a document or a message. */
export function ImagePanel({ plugins }: { plugins: readonly Plugin[] }) {
  const { t } = useTranslation('files')
  const text = useText()
  const doc = useDoc((s) => s.doc)
  const [format, setFormat] = useState<Format>('svg')
  const [look, setLook] = useState<Look>(() =>
    document.documentElement.dataset.mantineColorScheme === 'dark' ? 'dark' : 'light',
  )
  const [ground, setGround] = useState(true)
  const [busy, setBusy] = useState(false)
  const drawing = useDrawing(plugins, look, ground, format === 'png')
  const shown = useObjectUrl(drawing)
  if (doc.nodes.length === 0) return <p className="quiet fl-image">{t('image.empty')}</p>
  const scale = drawing && format === 'png' ? scaleOf(drawing) : 1
  const keep = async () => {
    if (!drawing) return
    setBusy(true)
    const file = format === 'svg' ? new Blob([drawing.svg], { type: 'image/svg+xml' }) : await pngOf(drawing)
    setBusy(false)
    if (file) download(file, fileName(doc, text(doc.name), format))
    else sayError(t('image.failed'))
  }
  return (
    <div className="fl-image">
      <div className="fl-tools">
        <SegmentedControl
          aria-label={t('image.format')}
          value={format}
          onChange={(v) => setFormat(v as Format)}
          data={[
            { value: 'svg', label: t('image.svg') },
            { value: 'png', label: t('image.png') },
          ]}
        />
        <SegmentedControl
          aria-label={t('image.look')}
          value={look}
          onChange={(v) => setLook(v as Look)}
          data={[
            { value: 'light', label: t('image.light') },
            { value: 'dark', label: t('image.dark') },
          ]}
        />
        <Switch
          label={t('image.background')}
          checked={ground}
          onChange={(e) => setGround(e.currentTarget.checked)}
          data-testid="image-ground"
        />
      </div>
      <div className="fl-preview" data-ground={ground}>
        {shown ? <img src={shown} alt={t('image.preview')} /> : <Skeleton height={220} radius="md" />}
      </div>
      <div className="fl-foot">
        <span className="quiet num" role="status">
          {!drawing
            ? t('image.making')
            : t('image.size', {
                width: Math.floor(drawing.width * scale),
                height: Math.floor(drawing.height * scale),
              })}
          {drawing && drawing.rows > 1 && <> · {t('image.rows', { n: drawing.rows })}</>}
          {drawing && format === 'png' && scale < 0.9 && (
            <> · {t('image.shrunk', { percent: Math.max(1, Math.floor(scale * 100)) })}</>
          )}
        </span>
        <span className="grow" />
        <Button
          loading={busy}
          disabled={!drawing}
          leftSection={<IconDownload size={14} aria-hidden />}
          onClick={() => void keep()}
        >
          {t('image.download')}
        </Button>
      </div>
    </div>
  )
}

/** Draws the flow anew when it, or what was chosen, changes. */
function useDrawing(plugins: readonly Plugin[], look: Look, ground: boolean, inRows: boolean): Drawing | undefined {
  const { t } = useTranslation()
  const text = useText()
  const doc = useDoc((s) => s.doc)
  const [drawing, setDrawing] = useState<Drawing>()
  const iconOf = useMemo(() => iconMaker(plugins), [plugins])
  const faces = useMemo(() => fontFaces().catch(() => ''), [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: text changes with the language only, and t stands for both
  useEffect(() => {
    let gone = false
    // Without the fonts the picture has those of whoever looks at it. Icons cannot be made while React renders.
    void faces.then((fontFaces) => {
      if (!gone) setDrawing(drawn(fontFaces))
    })
    const actionOf = (node: FlowNode) => text(findAction(plugins, node.plugin, node.action)?.title)
    const words: Words = {
      subflow: t('node.type.subflow'),
      task: t('node.type.task'),
      unknown: (action) => t('node.unknownAction', { action }),
    }
    const drawn = (fontFaces: string) => {
      const named = fonts()
      const pen: Pen = {
        colours: coloursOf(look),
        paperOf: papersOf(look),
        ground,
        ...named,
        fontFaces,
        title: text(doc.name),
        nameOf: (node) => text(node.name) || actionOf(node) || node.flow || t(`node.type.${node.type}`),
        lineOf: (node) => lineOf(node, actionOf(node), words),
        labelOf: (edge: FlowEdge) => {
          const name = text(edge.name) || (edge.default ? t('edge.default') : '')
          return { text: name || edge.condition || '', code: name === '' }
        },
        iconOf,
        measure: measurer(named),
      }
      return drawingOf(doc, pen, inRows)
    }
    return () => {
      gone = true
    }
  }, [doc, plugins, look, ground, inRows, faces, iconOf, t])
  return drawing
}

interface Words {
  subflow: string
  task: string
  unknown(action: string): string
}

function lineOf(node: FlowNode, action: string, words: Words): string {
  if (node.type === 'subflow') {
    const flow = node.version ? `${node.flow} v${node.version}` : node.flow
    return flow ? `${words.subflow} · ${flow}` : words.subflow
  }
  if (action === '') return node.plugin ? words.unknown(`${node.plugin}.${node.action}`) : words.task
  return `${action} · ${node.plugin}`
}

/** An address for a drawing, as long as it is shown. */
function useObjectUrl(drawing: Drawing | undefined): string | undefined {
  const [url, setUrl] = useState<string>()
  useEffect(() => {
    if (!drawing) return
    const made = URL.createObjectURL(new Blob([drawing.svg], { type: 'image/svg+xml' }))
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [drawing])
  return url
}
