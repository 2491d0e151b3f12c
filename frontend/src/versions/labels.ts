import { useTranslation } from 'react-i18next'
import type { FlowNode, Plugin, Schema } from '~/api/types'
import { findAction } from '~/doc/scope'
import { type Lang, useLang } from '~/i18n/text'
import type { Change } from './compare'

/** How a field is called: in the forms, and in the document. */
export interface FieldName {
  title: string
  code: string
  /** The title is somebody's own, in whatever language it was written. */
  own: boolean
}

/** Names fields as the forms do: those of a node's inputs by the schema of its action. */
export function useFieldName(node: FlowNode | undefined, plugins: readonly Plugin[]) {
  const { t, i18n } = useTranslation('versions')
  const lang = useLang()
  const action = node && findAction(plugins, node.plugin, node.action)
  return (_list: Change['list'], path: readonly string[]): FieldName => {
    const [first = '', ...rest] = path
    if (first === 'inputs' && rest.length > 0) {
      const title = titleIn(action?.inputs as Schema | undefined, rest, lang)
      if (title !== undefined) return { title, code: rest.join('.'), own: true }
    }
    const known = i18n.exists(`versions:field.${first}`)
    const title = known ? t(`field.${first}` as 'field.name') : first
    return { title, code: rest.join('.') || (known ? '' : first), own: !known }
  }
}

/** The title of a property that lies this way inside a schema. */
function titleIn(schema: Schema | undefined, way: readonly string[], lang: Lang): string | undefined {
  let at = schema
  for (const step of way) {
    at = (at?.properties as { [name: string]: Schema } | undefined)?.[step]
    if (!at) return undefined
  }
  const texts = at?.['ui:i18n'] as { [lang in Lang]?: { title?: string } } | undefined
  return texts?.[lang]?.title || (at?.title as string | undefined) || undefined
}
