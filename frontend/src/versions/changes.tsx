import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { FlowEdge, FlowNode, Plugin, Text, Variable } from '~/api/types'
import { findAction } from '~/doc/scope'
import { useText } from '~/i18n/text'
import type { Change, Field } from './compare'
import { KindIcon } from './counts'
import { useFieldName } from './labels'
import { Lines } from './lines'
import { Value } from './value'

interface Props {
  changes: readonly Change[]
  nodes: readonly FlowNode[]
  edges: readonly FlowEdge[]
  plugins: readonly Plugin[]
  chosen: string | null
  onChoose(id: string | null): void
}

/** Everything that differs, a thing a row; the row that is open shows its fields as forms name them. */
export function ChangeList({ changes, nodes, edges, plugins, chosen, onChoose }: Props) {
  const { t } = useTranslation('versions')
  const nameOf = useThingName(nodes, edges, plugins)
  return (
    <ol className="vs-rows">
      {changes.map((change) => (
        <Row
          key={change.id}
          change={change}
          kind={t(`kind.${change.kind}`)}
          name={nameOf(change)}
          node={change.list === 'nodes' ? nodes.find((n) => n.id === change.key) : undefined}
          plugins={plugins}
          open={change.id === chosen}
          onOpen={() => onChoose(change.id === chosen ? null : change.id)}
        />
      ))}
    </ol>
  )
}

interface RowProps {
  change: Change
  kind: string
  name: string
  node: FlowNode | undefined
  plugins: readonly Plugin[]
  open: boolean
  onOpen(): void
}

function Row({ change, kind, name, node, plugins, open, onOpen }: RowProps) {
  const { t } = useTranslation('versions')
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (open) button.current?.scrollIntoView({ block: 'nearest' })
  }, [open])
  return (
    <li>
      <button ref={button} type="button" className="vs-row" aria-expanded={open} onClick={onOpen}>
        <span role="img" aria-label={kind} title={kind}>
          <KindIcon kind={change.kind} />
        </span>
        <span className="quiet">{t(`thing.${change.list}`)}</span>
        <span className="grow clip" data-user-text>
          {name}
        </span>
        {change.kind === 'changed' && change.fields.length > 1 && (
          <span className="quiet num">{t('page.fields', { n: change.fields.length })}</span>
        )}
      </button>
      {open && <Fields change={change} node={node} plugins={plugins} />}
    </li>
  )
}

/** The fields of a thing that differ: what each held before, and what it holds now. */
function Fields({ change, node, plugins }: { change: Change; node: FlowNode | undefined; plugins: readonly Plugin[] }) {
  const { t } = useTranslation('versions')
  const fieldName = useFieldName(node, plugins)
  return (
    <dl className="vs-fields">
      {change.fields.map((field) => {
        const name = fieldName(change.list, field.path)
        return (
          <div key={field.path.join('\n')}>
            <dt>
              <span data-user-text={name.own}>{name.title}</span>
              {name.code && <code className="mono quiet"> {name.code}</code>}
            </dt>
            <FieldValues field={field} kind={change.kind} absent={t('conflict.absent')} />
          </div>
        )
      })}
    </dl>
  )
}

function FieldValues({ field, kind, absent }: { field: Field; kind: Change['kind']; absent: string }) {
  const { t } = useTranslation('versions')
  const { before, after } = field
  if (typeof before === 'string' && typeof after === 'string' && (before + after).includes('\n'))
    return (
      <dd>
        <Lines before={before} after={after} />
      </dd>
    )
  return (
    <>
      {kind !== 'added' && (
        <dd data-side="before">
          <span className="vs-sign" role="img" aria-label={t('page.was')}>
            −
          </span>
          <Value value={before} absent={absent} />
        </dd>
      )}
      {kind !== 'removed' && (
        <dd data-side="after">
          <span className="vs-sign" role="img" aria-label={t('page.is')}>
            +
          </span>
          <Value value={after} absent={absent} />
        </dd>
      )}
    </>
  )
}

/** How the thing that differs is called: as its node, line or variable is. */
function useThingName(nodes: readonly FlowNode[], edges: readonly FlowEdge[], plugins: readonly Plugin[]) {
  const { t } = useTranslation('versions')
  const { t: common } = useTranslation()
  const text = useText()
  const fieldName = useFieldName(undefined, plugins)
  const byId = new Map(nodes.map((n) => [n.id, n]))
  const nodeName = (id: string) => {
    const node = byId.get(id)
    if (!node) return id
    const action = findAction(plugins, node.plugin, node.action)
    return text(node.name) || text(action?.title) || common(`node.type.${node.type}`)
  }
  return (change: Change): string => {
    if (change.list === 'nodes') return nodeName(change.key)
    if (change.list === 'flow') return fieldName('flow', [change.key]).title
    if (change.list === 'variables') {
      const title = change.fields.find((f) => f.path[0] === 'title')
      const now = (title?.after ?? title?.before) as Variable['title'] | undefined
      return text(now as Text | undefined) || change.key
    }
    if (change.key === '') return t('page.order')
    const edge = edges.find((e) => e.id === change.key)
    return edge ? `${nodeName(edge.from)} → ${nodeName(edge.to)}` : change.key
  }
}
