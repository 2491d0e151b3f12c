import { ActionIcon, Switch, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { FlowEdge, Plugin } from '~/api/types'
import { IconArrowDown, IconArrowUp, IconTrash } from '~/app/icons'
import { useNodeName } from '~/canvas/nodes'
import { hasConditions, removeAll, setDefault } from '~/doc/graph'
import { useDoc, useDocStore } from '~/doc/store'
import { useCodes } from '~/i18n/codes'
import { useLang, useText, withText } from '~/i18n/text'
import { useUi } from '~/ui/store'
import { ConditionField } from './lazy-panels'
import { PanelHead, ProblemLines } from './panel'
import { useScope } from './subflows'

/** Everything about the selected edge. */
export function EdgePanel({ id, plugins }: { id: string; plugins: readonly Plugin[] }) {
  const { t } = useTranslation()
  const store = useDocStore()
  const doc = useDoc((s) => s.doc)
  const all = useDoc((s) => s.problems)
  const name = useNodeName()
  const edge = doc.edges.find((e) => e.id === id)
  if (!edge) return null
  const [from, to] = [edge.from, edge.to].map((n) => doc.nodes.find((x) => x.id === n))
  const remove = () => {
    store.getState().commit(removeAll(store.getState().doc, new Set(), new Set([id])))
    useUi.getState().select([])
  }
  const conditional = from !== undefined && hasConditions(from.type)
  return (
    <>
      <PanelHead
        title={t('edge.title')}
        sub={t('edge.fromTo', { from: from ? name(from) : edge.from, to: to ? name(to) : edge.to })}
        action={{ label: t('edge.remove'), icon: <IconTrash size={16} aria-hidden />, onClick: remove }}
      />
      <div className="pn-body">
        {!conditional && <ProblemLines problems={all.filter((p) => p.edge === id)} />}
        {conditional ? (
          <EdgeFields
            edge={edge}
            plugins={plugins}
            heading=""
            onDefault={(on) => store.getState().commit(setDefault(doc, edge, on))}
          />
        ) : (
          <p className="quiet">{t('edge.noCondition')}</p>
        )}
      </div>
    </>
  )
}

interface FieldsProps {
  edge: FlowEdge
  plugins: readonly Plugin[]
  heading: string
  onUp?(): void
  onDown?(): void
  onDefault(on: boolean): void
}

/** Name, condition and default of an edge that leaves a deciding gateway. */
export function EdgeFields({ edge, plugins, heading, onUp, onDown, onDefault }: FieldsProps) {
  const { t } = useTranslation()
  const store = useDocStore()
  const all = useDoc((s) => s.problems)
  const text = useText()
  const lang = useLang()
  const codes = useCodes()
  const scope = useScope(plugins, edge.from)
  const problems = all.filter((p) => p.edge === edge.id)
  // A problem that leads here puts the cursor where it is mended.
  const focus = useUi((s) => (s.selection.edges.has(edge.id) && s.focus?.field === '/condition' ? s.focus.turn : 0))
  const set = (patch: Partial<FlowEdge>, tag: string) =>
    store.getState().commit({ op: 'set', list: 'edges', key: edge.id, patch }, `${edge.id}:${tag}`)
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: leaving the fields ends the running gesture
    <div onBlur={() => store.getState().seal()}>
      {heading && (
        <div className="pn-branch-head">
          <strong className="clip">{heading}</strong>
          {onUp && (
            <ActionIcon size={24} aria-label={t('gateway.earlier')} onClick={onUp}>
              <IconArrowUp size={14} aria-hidden />
            </ActionIcon>
          )}
          {onDown && (
            <ActionIcon size={24} aria-label={t('gateway.later')} onClick={onDown}>
              <IconArrowDown size={14} aria-hidden />
            </ActionIcon>
          )}
        </div>
      )}
      <Switch
        mb={8}
        label={t('edge.isDefault')}
        checked={edge.default === true}
        onChange={(e) => onDefault(e.currentTarget.checked)}
      />
      {!edge.default && (
        <div className="sf-field">
          <ConditionField
            key={`${edge.id}${focus}`}
            autoFocus={focus > 0}
            id={`cond-${edge.id}`}
            label={t('edge.condition')}
            placeholder={t('edge.conditionExample')}
            value={edge.condition ?? ''}
            scope={scope}
            invalid={problems.length > 0}
            onChange={(v) => set({ condition: v === '' ? undefined : v }, 'condition')}
          />
        </div>
      )}
      {problems.map((p) => (
        <div key={`${p.code}${p.field}`} className="sf-error" role="alert">
          {codes.problem(p)}
        </div>
      ))}
      <TextInput
        label={t('edge.name')}
        value={text(edge.name)}
        maxLength={128}
        onChange={(e) => set({ name: withText(edge.name, lang, e.currentTarget.value) }, 'name')}
      />
    </div>
  )
}
