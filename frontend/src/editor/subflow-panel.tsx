import { Button, MultiSelect, Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import type { Flow, FlowNode } from '~/api/types'
import { IconRefresh } from '~/app/icons'
import { useDoc, useDocStore } from '~/doc/store'
import { useText } from '~/i18n/text'
import { useOverlay } from './overlay'
import { useEdited, useFlows } from './subflows'

/** Which flow a subflow node runs, which version of it, and how. */
export function SubflowFields({ node, flow }: { node: FlowNode; flow: Flow | undefined }) {
  const { t } = useTranslation()
  const text = useText()
  const store = useDocStore()
  const { project, flow: edited } = useEdited()
  const own = useDoc((s) => s.doc.subflows)
  const ownFlows = [...new Set(Object.keys(own ?? {}).map((key) => key.split('@', 1)[0] as string))]
  const isOwn = node.flow !== undefined && ownFlows.includes(node.flow)
  const flows = useFlows(true).filter((f) => f.id !== edited && !ownFlows.includes(f.id))
  const set = (patch: Partial<FlowNode>) =>
    store.getState().commit({ op: 'set', list: 'nodes', key: node.id, patch: patch as object })
  const known = isOwn || flows.some((f) => f.id === node.flow)
  return (
    <>
      <Select
        label={t('subflow.flow')}
        placeholder={t('subflow.pick')}
        searchable
        data={[
          ...ownFlows.map((id) => ({ value: id, label: t('subflow.own', { id }) })),
          ...flows.map((f) => ({
            value: f.id,
            label: f.version > 0 ? text(f.name) : `${text(f.name)} · ${t('subflow.unpublished')}`,
          })),
          ...(node.flow && !known ? [{ value: node.flow, label: node.flow }] : []),
        ]}
        value={node.flow ?? null}
        onChange={(flow) => flow && set({ flow, version: undefined, schemes: undefined })}
      />
      {node.flow && !isOwn && (
        <>
          <Link className="pn-link" to="/p/$project/flows/$flow" params={{ project, flow: node.flow }} target="_blank">
            {t('subflow.open')}
          </Link>
          <VersionPicker node={node} onChange={(version) => set({ version })} />
          <NewerVersion node={node} latest={flows.find((f) => f.id === node.flow)?.version ?? 0} />
        </>
      )}
      <Select
        mt="sm"
        label={t('subflow.mode')}
        description={t(node.mode === 'independent' ? 'subflow.independentHelp' : 'subflow.inlineHelp')}
        data={[
          { value: 'inline', label: t('subflow.inline') },
          { value: 'independent', label: t('subflow.independent') },
        ]}
        value={node.mode === 'independent' ? 'independent' : 'inline'}
        allowDeselect={false}
        onChange={(mode) => set({ mode: mode === 'independent' ? 'independent' : undefined })}
      />
      {flow && (flow.schemes ?? []).length > 0 && (
        <MultiSelect
          mt="sm"
          label={t('subflow.schemes')}
          description={t('subflow.schemesHelp')}
          data={(flow.schemes ?? []).map((s) => ({ value: s.id, label: text(s.name) || s.id }))}
          value={node.schemes ?? []}
          onChange={(schemes) => set({ schemes: schemes.length > 0 ? schemes : undefined })}
        />
      )}
    </>
  )
}

/** The way to what a later version changes, where the node stays at an earlier one. */
function NewerVersion({ node, latest }: { node: FlowNode; latest: number }) {
  const { t } = useTranslation('editor')
  if (!node.version || node.version >= latest) return null
  return (
    <Button
      mt={6}
      variant="light"
      fullWidth
      leftSection={<IconRefresh size={14} aria-hidden />}
      onClick={() => useOverlay.getState().show({ kind: 'updates' })}
    >
      {t('newer', { version: latest })}
    </Button>
  )
}

/** The latest version, or one that stays. */
function VersionPicker({ node, onChange }: { node: FlowNode; onChange(version: number | undefined): void }) {
  const { t } = useTranslation()
  const { project } = useEdited()
  const { data } = useQuery(queries.versions(project, node.flow ?? ''))
  const numbers = (data?.items ?? []).map((v) => v.version)
  const listed = node.version && !numbers.includes(node.version) ? [...numbers, node.version] : numbers
  return (
    <Select
      mt="sm"
      label={t('subflow.version')}
      data={[{ value: '0', label: t('subflow.latest') }, ...listed.map((n) => ({ value: String(n), label: `v${n}` }))]}
      value={String(node.version ?? 0)}
      allowDeselect={false}
      onChange={(v) => onChange(Number(v) || undefined)}
    />
  )
}
