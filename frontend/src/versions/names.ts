import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Flow, FlowNode, Plugin, Text } from '~/api/types'
import { nameIn } from '~/canvas/nodes'
import { textIn, useLang } from '~/i18n/text'
import type { Change } from './compare'

/** How the things of two documents are called. */
export interface Names {
  node(id: string): FlowNode | undefined
  thing(list: Change['list'], key: string): string
  /** The name of what differs, though neither document may have it any more. */
  of(change: Change): string
}

/** Names things as the drawing and the forms do; the document holds those of both sides. */
export function useNames(doc: Flow, plugins: readonly Plugin[]): Names {
  const { t, i18n } = useTranslation('versions')
  const { t: common } = useTranslation()
  const { t: notes } = useTranslation('notes')
  const lang = useLang()
  return useMemo(() => {
    const text = (said: Text | undefined) => textIn(said, lang)
    const nodes = new Map(doc.nodes.map((n) => [n.id, n]))
    const nodeName = (id: string) => {
      const node = nodes.get(id)
      return node ? nameIn(lang, common, node, plugins) : id
    }
    const named: { [list in Change['list']]: (key: string) => string | undefined } = {
      nodes: nodeName,
      edges: (id) => {
        const edge = doc.edges.find((e) => e.id === id)
        return edge && `${nodeName(edge.from)} → ${nodeName(edge.to)}`
      },
      variables: (key) => text(doc.variables?.find((v) => v.name === key)?.title),
      schemes: (id) => text(doc.schemes?.find((s) => s.id === id)?.name),
      notes: (id) =>
        doc.notes
          ?.find((n) => n.id === id)
          ?.text?.trim()
          .split('\n', 1)[0] || notes('empty'),
      flow: (key) => (i18n.exists(`versions:field.${key}`) ? t(`field.${key}` as 'field.name') : key),
    }
    const thing: Names['thing'] = (list, key) => named[list](key) || key
    return {
      node: (id) => nodes.get(id),
      thing,
      of: (change) => {
        if (change.key === '') return t(`order.${change.list as 'edges'}`)
        const name = thing(change.list, change.key)
        if (name !== change.key || (change.list !== 'variables' && change.list !== 'schemes')) return name
        const own = change.fields.find(({ path }) => path[0] === 'title' || path[0] === 'name')
        return text((own?.after ?? own?.before) as Text | undefined) || name
      },
    }
  }, [doc, plugins, lang, t, common, notes, i18n])
}
