import { Button, Menu, Select, Tabs, Textarea, TextInput } from '@mantine/core'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { FlowNode, JsonObject, Plugin, Problem, Schema } from '~/api/types'
import { IconPlus, IconTrash } from '~/app/icons'
import { useNodeName } from '~/canvas/nodes'
import { connect, hasConditions, refusal, removeAll, reorderEdge, setDefault } from '~/doc/graph'
import { optionsOf } from '~/doc/options'
import { referenceOf } from '~/doc/paths'
import { findAction, outputsOf, typeName } from '~/doc/scope'
import { useDoc, useDocStore } from '~/doc/store'
import { SchemaForm } from '~/form/lazy-form'
import { useCodes } from '~/i18n/codes'
import { useLang, useText, withText } from '~/i18n/text'
import { useUi } from '~/ui/store'
import { EdgeFields } from './edge-panel'
import { NodeOptions, SubflowFields } from './lazy-panels'
import { PanelHead, ProblemLines } from './panel'
import { useEdited, useInputSchema, useScope, useSubflows } from './subflows'

/** Everything about the selected node. */
export function NodePanel({ id, plugins }: { id: string; plugins: readonly Plugin[] }) {
  const store = useDocStore()
  const { t } = useTranslation()
  const node = useDoc((s) => s.doc.nodes.find((n) => n.id === id))
  const all = useDoc((s) => s.problems)
  const problems = useMemo(() => all.filter((p) => p.node === id), [all, id])
  const text = useText()
  const name = useNodeName()
  const subflows = useSubflows()
  const child = node?.type === 'subflow' ? subflows.get(referenceOf(node)) : undefined
  const childInputs = useInputSchema(child)
  if (!node) return null
  const action = findAction(plugins, node.plugin, node.action)
  const isSubflow = node.type === 'subflow'
  const inputs = isSubflow ? childInputs : action?.inputs
  const runs = node.type === 'task' || isSubflow
  const remove = () => {
    store.getState().commit(removeAll(store.getState().doc, new Set([id]), new Set()))
    useUi.getState().select([])
  }
  return (
    <>
      <PanelHead
        title={name(node)}
        sub={action ? `${text(action.title)} · ${node.plugin}.${node.action}` : t(`node.type.${node.type}`)}
        action={{ label: t('node.remove'), icon: <IconTrash size={16} aria-hidden />, onClick: remove }}
      />
      <ProblemLines problems={problems.filter((p) => !p.field?.startsWith('/inputs/') || !inputs)} />
      <Tabs
        defaultValue={
          isSubflow ? 'subflow' : node.type === 'task' ? 'inputs' : hasConditions(node.type) ? 'branches' : 'basic'
        }
        key={id}
        className="pn-tabs"
      >
        <Tabs.List>
          {isSubflow && <Tabs.Tab value="subflow">{t('subflow.tab')}</Tabs.Tab>}
          {runs && <Tabs.Tab value="inputs">{t('node.inputs')}</Tabs.Tab>}
          {runs && <Tabs.Tab value="outputs">{t('node.outputs')}</Tabs.Tab>}
          {hasConditions(node.type) && <Tabs.Tab value="branches">{t('node.branches')}</Tabs.Tab>}
          {optionsOf(node).length > 0 && <Tabs.Tab value="options">{t('options.tab')}</Tabs.Tab>}
          <Tabs.Tab value="basic">{t('node.basic')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="subflow">
          <SubflowFields node={node} flow={child} />
        </Tabs.Panel>
        <Tabs.Panel value="inputs">
          <Inputs node={node} schema={inputs} plugins={plugins} problems={problems} />
        </Tabs.Panel>
        <Tabs.Panel value="outputs">
          {(action || child) && (
            <Outputs
              node={node}
              outputs={outputsOf(node, plugins, subflows)}
              none={t(isSubflow ? 'subflow.noOutputs' : 'node.noOutputs')}
            />
          )}
        </Tabs.Panel>
        <Tabs.Panel value="options">
          <NodeOptions node={node} />
        </Tabs.Panel>
        <Tabs.Panel value="branches">
          <Branches node={node} plugins={plugins} />
        </Tabs.Panel>
        <Tabs.Panel value="basic">
          <Basics node={node} />
          <ConnectTo node={node} />
        </Tabs.Panel>
      </Tabs>
    </>
  )
}

/** What the node is called, and where it leads. */
function Basics({ node }: { node: FlowNode }) {
  const { t } = useTranslation()
  const store = useDocStore()
  const text = useText()
  const lang = useLang()
  const name = useNodeName()
  const set = (patch: Partial<FlowNode>, tag: string) =>
    store.getState().commit({ op: 'set', list: 'nodes', key: node.id, patch }, `${node.id}:${tag}`)
  return (
    <>
      <TextInput
        label={t('node.name')}
        placeholder={name({ ...node, name: undefined })}
        value={text(node.name)}
        maxLength={128}
        onChange={(e) => set({ name: withText(node.name, lang, e.currentTarget.value) }, 'name')}
        onBlur={() => store.getState().seal()}
      />
      <Textarea
        label={t('node.doc')}
        mt="sm"
        autosize
        minRows={2}
        value={text(node.doc)}
        onChange={(e) => set({ doc: withText(node.doc, lang, e.currentTarget.value) }, 'doc')}
        onBlur={() => store.getState().seal()}
      />
      <div className="pn-fact">
        <span>{t('node.id')}</span>
        <code className="mono">{node.id}</code>
      </div>
    </>
  )
}

interface InputsProps {
  node: FlowNode
  /** Undefined while what the node runs is not known. */
  schema: Schema | undefined
  plugins: readonly Plugin[]
  problems: Problem[]
}

/** What the node is given. */
function Inputs({ schema, ...props }: InputsProps) {
  const { t } = useTranslation()
  const { node } = props
  if (schema && !(node.type === 'subflow' && Object.keys((schema.properties ?? {}) as object).length === 0))
    return <InputForm schema={schema} {...props} />
  const why = node.type !== 'subflow' ? 'node.unknownAction' : schema ? 'subflow.noInputs' : 'subflow.missing'
  return <p className="quiet">{t(why, { action: `${node.plugin}.${node.action}` })}</p>
}

function InputForm({ node, schema, plugins, problems }: InputsProps & { schema: Schema }) {
  const store = useDocStore()
  const focus = useUi((s) => s.focus)
  const codes = useCodes()
  const scope = useScope(plugins, node.id)
  const { project } = useEdited()
  const { plugin, action } = node
  const asks = useMemo(() => (plugin && action ? { project, plugin, action } : undefined), [project, plugin, action])
  const marks = new Map(
    problems
      .filter((p) => p.field?.startsWith('/inputs/'))
      .map((p) => [(p.field as string).slice('/inputs'.length), codes.problem(p)]),
  )
  const commit = (patch: Partial<FlowNode>, tag?: string) =>
    store.getState().commit({ op: 'set', list: 'nodes', key: node.id, patch }, tag)
  const change = (value: JsonObject) => {
    const field = changedKey(node.inputs ?? {}, value)
    if (field === null) return
    commit({ inputs: Object.keys(value).length > 0 ? value : undefined }, `${node.id}:inputs/${field}`)
  }
  const setLiteral = (name: string, on: boolean) => {
    const rest = (node.literal ?? []).filter((n) => n !== name)
    const next = on ? [...rest, name] : rest
    commit({ literal: next.length > 0 ? next : undefined })
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: leaving the form ends the running gesture
    <div onBlur={() => store.getState().seal()}>
      <SchemaForm
        key={node.id}
        name={`in-${node.id}`}
        schema={schema}
        value={node.inputs ?? {}}
        onChange={change}
        expressions
        scope={scope}
        literal={node.literal}
        onLiteral={setLiteral}
        asks={asks}
        problems={marks}
        focus={focus?.field.startsWith('/inputs') ? focus.field.slice('/inputs'.length) : undefined}
      />
    </div>
  )
}

/** The first input that two values differ in; null when they say the same. */
function changedKey(before: JsonObject, after: JsonObject): string | null {
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (JSON.stringify(before[key]) !== JSON.stringify(after[key])) return key
  }
  return null
}

/** Which outputs of the node go into which variables. */
function Outputs({ node, outputs, none }: { node: FlowNode; outputs: { [name: string]: Schema }; none: string }) {
  const { t } = useTranslation()
  const store = useDocStore()
  const all = useDoc((s) => s.doc.variables)
  const variables = useMemo(() => (all ?? []).filter((v) => v.source === 'node'), [all])
  const text = useText()
  const properties = Object.entries(outputs)
  const write = (output: string, variable: string | null) => {
    const kept = Object.entries(node.outputs ?? {}).filter(([v, o]) => o !== output && v !== variable)
    const outputs = Object.fromEntries(variable ? [...kept, [variable, output]] : kept)
    store.getState().commit({
      op: 'set',
      list: 'nodes',
      key: node.id,
      patch: { outputs: Object.keys(outputs).length > 0 ? outputs : undefined },
    })
  }
  if (properties.length === 0) return <p className="quiet">{none}</p>
  return (
    <>
      <p className="quiet pn-note">{t('node.outputsHelp', { path: `nodes.${node.id}.outputs` })}</p>
      {properties.map(([output, property]) => (
        <Select
          key={output}
          mb="sm"
          label={`${String(property.title ?? output)} · ${typeName(property)}`}
          description={output}
          placeholder={t('node.noVariable')}
          data={variables.map((v) => ({
            value: v.name,
            label: text(v.title) ? `${text(v.title)} (${v.name})` : v.name,
          }))}
          value={Object.entries(node.outputs ?? {}).find(([, o]) => o === output)?.[0] ?? null}
          onChange={(v) => write(output, v)}
          clearable
          clearButtonProps={{ 'aria-label': t('action.clear') }}
          nothingFoundMessage={t('node.noNodeVariables')}
        />
      ))}
    </>
  )
}

/** The edges that leave a gateway, in the order in which they are tried. */
function Branches({ node, plugins }: { node: FlowNode; plugins: readonly Plugin[] }) {
  const { t } = useTranslation()
  const store = useDocStore()
  const doc = useDoc((s) => s.doc)
  const name = useNodeName()
  const edges = doc.edges.filter((e) => e.from === node.id)
  return (
    <>
      {node.type === 'exclusive' && (
        <Select
          mb="md"
          label={t('gateway.strategy')}
          description={t(node.strategy === 'first' ? 'gateway.firstHelp' : 'gateway.onlyHelp')}
          data={[
            { value: 'only', label: t('gateway.only') },
            { value: 'first', label: t('gateway.first') },
          ]}
          value={node.strategy === 'first' ? 'first' : 'only'}
          allowDeselect={false}
          onChange={(v) =>
            store.getState().commit({
              op: 'set',
              list: 'nodes',
              key: node.id,
              patch: { strategy: v === 'first' ? 'first' : undefined },
            })
          }
        />
      )}
      {edges.length === 0 && <p className="quiet">{t('gateway.noBranches')}</p>}
      {edges.map((edge, i) => {
        const target = doc.nodes.find((n) => n.id === edge.to)
        return (
          <section key={edge.id} className="pn-branch" aria-label={t('gateway.branch', { n: i + 1 })}>
            <EdgeFields
              edge={edge}
              plugins={plugins}
              heading={t('gateway.branchTo', { n: i + 1, name: target ? name(target) : edge.to })}
              onUp={i > 0 ? () => reorder(-1) : undefined}
              onDown={i < edges.length - 1 ? () => reorder(1) : undefined}
              onDefault={(on) => store.getState().commit(setDefault(doc, edge, on))}
            />
          </section>
        )
        function reorder(by: -1 | 1) {
          const command = reorderEdge(doc, edge, by)
          if (command) store.getState().commit(command)
        }
      })}
    </>
  )
}

/** Wiring without a mouse: every node that may follow this one. */
function ConnectTo({ node }: { node: FlowNode }) {
  const { t } = useTranslation()
  const store = useDocStore()
  const doc = useDoc((s) => s.doc)
  const name = useNodeName()
  const targets = doc.nodes.filter((n) => refusal(doc, node.id, n.id) === null)
  if (node.type === 'end') return null
  return (
    <Menu width="target" position="bottom-start">
      <Menu.Target>
        <Button
          variant="default"
          fullWidth
          mt="md"
          leftSection={<IconPlus size={14} aria-hidden />}
          disabled={targets.length === 0}
        >
          {t('node.connectTo')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={320} style={{ overflowY: 'auto' }}>
        {targets.map((target) => (
          <Menu.Item
            key={target.id}
            onClick={() => store.getState().commit(connect(store.getState().doc, node.id, target.id))}
          >
            {name(target)} <span className="quiet mono">{target.id}</span>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
