import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { FlowNode, Plugin } from '~/api/types'
import { iconOf } from '~/canvas/icons'
import { useNodeName } from '~/canvas/nodes'
import { refusal } from '~/doc/graph'
import { useDoc } from '~/doc/store'
import { useText } from '~/i18n/text'
import { type Pick, PickList } from './pick-list'

interface Props {
  plugins: readonly Plugin[]
  onCentre(id: string): void
  onPick(id: string): void
  onClose(): void
}

/** Finds a node by its name, its id, what it runs, or what its inputs say; the canvas follows. */
export function FindNode({ plugins, onCentre, onPick, onClose }: Props) {
  const { t } = useTranslation('editor')
  const nodes = useDoc((s) => s.doc.nodes)
  const picks = usePicks(nodes, plugins)
  return (
    <PickList
      label={t('find.title')}
      placeholder={t('find.search')}
      none={t('find.none')}
      picks={picks}
      onRest={onCentre}
      onPick={(id) => {
        onClose()
        onPick(id)
      }}
      onClose={onClose}
    />
  )
}

/** Wires a node to another one by name; what cannot follow it says why. */
export function ConnectNode({
  from,
  plugins,
  onConnect,
  onCentre,
  onClose,
}: Omit<Props, 'onPick'> & { from: string; onConnect(from: string, to: string): void }) {
  const { t } = useTranslation('editor')
  const doc = useDoc((s) => s.doc)
  const name = useNodeName()
  const all = usePicks(doc.nodes, plugins)
  const source = doc.nodes.find((n) => n.id === from)
  const picks = useMemo(
    () =>
      all
        .filter((p) => p.key !== from)
        .map((p) => {
          const why = refusal(doc, from, p.key)
          return why ? { ...p, refused: t(`connect.${why}`) } : p
        })
        .sort((a, b) => Number(a.refused !== undefined) - Number(b.refused !== undefined)),
    [all, doc, from, t],
  )
  return (
    <PickList
      label={t('find.connect', { name: source ? name(source) : from })}
      placeholder={t('find.search')}
      none={t('find.none')}
      picks={picks}
      onRest={onCentre}
      onPick={(to) => {
        onClose()
        onConnect(from, to)
      }}
      onClose={onClose}
    />
  )
}

function usePicks(nodes: readonly FlowNode[], plugins: readonly Plugin[]): Pick[] {
  const name = useNodeName()
  const text = useText()
  return nodes.map((node) => {
    const Icon = iconOf(node, plugins)
    return {
      key: node.id,
      group: '',
      label: name(node),
      hint: [node.id, node.plugin && `${node.plugin}.${node.action}`, node.flow].filter(Boolean).join(' · '),
      words: `${text(node.doc)} ${node.inputs ? JSON.stringify(node.inputs).slice(0, 2000) : ''}`,
      icon: <Icon size={16} stroke={1.7} aria-hidden />,
    }
  })
}
