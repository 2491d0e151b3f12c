import { Button, Group, Modal, Skeleton } from '@mantine/core'
import { useQueries, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import type { Flow, FlowNode } from '~/api/types'
import { ErrorNotice, say } from '~/app/notices'
import { useDocStore } from '~/doc/store'
import { useEdited, useFlows } from '~/editor/subflows'
import { useText } from '~/i18n/text'
import { compare } from '~/versions/compare'
import { Counts, KindIcon } from '~/versions/counts'
import { type Difference, differences, droppedBy, type Fact, type Update, updateTo } from './interface'
import { useUpdates } from './use-updates'
import './subflows.css'

/** The subflows with newer versions, what these change, and the way to them. */
export function UpdatesDialog({ onClose }: { onClose(): void }) {
  const { t } = useTranslation(['files', 'translation'])
  const store = useDocStore()
  const { project } = useEdited()
  const updates = useUpdates()
  const news = useQueries({ queries: updates.map((u) => queries.version(project, u.flow, u.to)) })
  const ready = updates.length > 0 && news.every((q) => q.data)
  const apply = (chosen: readonly Update[]) => {
    const commands = chosen.flatMap((u) => {
      const after = news[updates.indexOf(u)]?.data?.document
      return after ? u.nodes.map((n) => updateTo(n, u.to, after)) : []
    })
    store.getState().seal()
    store.getState().commit({ op: 'batch', commands })
    say(t('updates.done', { count: commands.length }))
    if (chosen.length === updates.length) onClose()
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('updates.title')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('translation:action.close') }}
    >
      {updates.length === 0 && <p className="quiet">{t('updates.none')}</p>}
      <ul className="sw-list">
        {updates.map((u, i) => (
          <UpdateItem
            key={`${u.flow}@${u.from}`}
            project={project}
            update={u}
            after={news[i]?.data?.document}
            error={news[i]?.error}
            onUpdate={() => apply([u])}
          />
        ))}
      </ul>
      <Group justify="flex-end" mt="md" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t('translation:action.cancel')}
        </Button>
        <Button disabled={!ready} onClick={() => apply(updates)} data-autofocus>
          {t('updates.all')}
        </Button>
      </Group>
    </Modal>
  )
}

interface ItemProps {
  project: string
  update: Update
  after: Flow | undefined
  error: unknown
  onUpdate(): void
}

function UpdateItem({ project, update, after, error, onUpdate }: ItemProps) {
  const { t } = useTranslation('files')
  const text = useText()
  const flows = useFlows(true)
  const before = useQuery(queries.version(project, update.flow, update.from))
  const name = text(flows.find((f) => f.id === update.flow)?.name) || update.flow
  return (
    <li aria-label={name}>
      <div className="sw-head">
        <div className="grow">
          <strong data-user-text>{name}</strong> <span className="num">{`v${update.from} → v${update.to}`}</span>
          <div className="quiet" data-user-text>
            {update.nodes.map((n) => text(n.name) || n.id).join(' · ')}
          </div>
        </div>
        <Button
          variant="default"
          disabled={!after}
          onClick={onUpdate}
          aria-label={t('updates.updateNamed', { name, to: update.to })}
        >
          {t('updates.update')}
        </Button>
      </div>
      <Notes project={project} update={update} />
      {error ? (
        <ErrorNotice error={error} />
      ) : before.error ? (
        <p className="quiet">{t('updates.missing')}</p>
      ) : before.data && after ? (
        <Differences before={before.data.document} after={after} nodes={update.nodes} />
      ) : (
        <Skeleton height={40} />
      )}
    </li>
  )
}

/** What was written when the newer versions were published. */
function Notes({ project, update }: { project: string; update: Update }) {
  const versions = useQuery(queries.versions(project, update.flow))
  const newer = (versions.data?.items ?? []).filter((v) => v.version > update.from && v.note)
  if (newer.length === 0) return null
  return (
    <ul className="sw-notes" data-user-text>
      {newer.slice(0, 5).map((v) => (
        <li key={v.version}>
          <span className="num">{`v${v.version}`}</span> {v.note} <span className="quiet">{v.created_by}</span>
        </li>
      ))}
    </ul>
  )
}

function Differences({ before, after, nodes }: { before: Flow; after: Flow; nodes: readonly FlowNode[] }) {
  const { t } = useTranslation('files')
  const text = useText()
  const all = useMemo(() => differences(before, after), [before, after])
  // Variables are told above, and no run looks at notes.
  const inside = useMemo(
    () => compare(before, after).filter((c) => c.list !== 'variables' && c.list !== 'notes'),
    [before, after],
  )
  const schemes = [...new Set(nodes.flatMap((n) => droppedBy(n, after).schemes))]
  return (
    <>
      {all.length === 0 && <p className="quiet">{t('updates.noInterface')}</p>}
      {(['inputs', 'outputs'] as const).map((side) => {
        const own = all.filter((d) => d.side === side)
        if (own.length === 0) return null
        return (
          <section key={side} className="sw-side" aria-label={t(`updates.${side}`)}>
            <h3>{t(`updates.${side}`)}</h3>
            <ul>
              {own.map((d) => (
                <li key={d.name}>
                  <KindIcon kind={d.kind} /> <span className="mono">{d.name}</span>{' '}
                  <span className="quiet" data-user-text>
                    {text(d.variable.title)}
                  </span>{' '}
                  <span>{t(`updates.kind.${d.kind}`)}</span>
                  <Facts difference={d} nodes={nodes} after={after} />
                </li>
              ))}
            </ul>
          </section>
        )
      })}
      {schemes.map((name) => (
        <p key={name} className="sw-fact">
          {t('updates.scheme', { name })}
        </p>
      ))}
      <p className="sw-inside">
        <span className="quiet">{t('updates.inside')}</span> <Counts changes={inside} />
      </p>
    </>
  )
}

/** What a difference means for the nodes: what has to be filled in, and what goes. */
function Facts({ difference, nodes, after }: { difference: Difference; nodes: readonly FlowNode[]; after: Flow }) {
  const { t } = useTranslation('files')
  const said = useFact()
  const { inputs, variables } = goneWith(difference, nodes, after)
  const lines = [
    ...difference.facts.map(said),
    ...inputs.map((value) => t('updates.dropped', { value: short(value) })),
    ...variables.map((name) => t('updates.dropVariable', { name })),
  ]
  return [...new Set(lines)].map((line) => (
    <div key={line} className="sw-fact">
      {line}
    </div>
  ))
}

/** What the nodes lose when an input or an output is not there any more. */
function goneWith({ kind, side, name }: Difference, nodes: readonly FlowNode[], after: Flow) {
  const removed = kind === 'removed' ? nodes : []
  return {
    inputs:
      side === 'outputs'
        ? []
        : removed.flatMap((n) =>
            droppedBy(n, after)
              .inputs.filter((i) => i.name === name)
              .map((i) => i.value),
          ),
    variables:
      side === 'inputs'
        ? []
        : removed.flatMap((n) => droppedBy(n, after).variables.filter((v) => n.outputs?.[v] === name)),
  }
}

function useFact(): (fact: Fact) => string {
  const { t } = useTranslation('files')
  return (fact) => {
    if (fact.what === 'type') return t('updates.type', { from: fact.from, to: fact.to })
    if (fact.what === 'default') return t('updates.default', { from: short(fact.from), to: short(fact.to) })
    return t(`updates.${fact.what}`)
  }
}

function short(value: unknown): string {
  const text = value === undefined ? '—' : typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
