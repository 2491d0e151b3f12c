import { ActionIcon, Button, Checkbox, Group, TextInput, Tooltip } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { FlowNode, Scheme } from '~/api/types'
import { IconCheck, IconCopy, IconPencil, IconPlus, IconTrash } from '~/app/icons'
import { useNodeName } from '~/canvas/nodes'
import { addScheme, optionalNodes, setLeftOut } from '~/doc/schemes'
import { useDoc, useDocStore } from '~/doc/store'
import { useLang, useText, withText } from '~/i18n/text'
import { toggleChosen, useChoosing } from './choosing'
import { PanelHead } from './panel'
import './schemes.css'

/** How long the name of a scheme may be, as in BK-SOPS. */
const nameMax = 30

/** The schemes of the flow: which of its optional nodes run. */
export function SchemesPanel() {
  const { t } = useTranslation('schemes')
  const store = useDocStore()
  const doc = useDoc((s) => s.doc)
  const open = useChoosing((s) => s.scheme)
  const choose = useChoosing((s) => s.choose)
  useEffect(() => () => choose(null), [choose])
  const nodes = optionalNodes(doc)
  const schemes = doc.schemes ?? []
  const add = (name: string, like?: Scheme) => {
    const made = addScheme(doc, name, like)
    store.getState().commit(made.command)
    choose(made.id)
  }
  const addNew = () => add(t('newName', { n: schemes.length + 1 }))
  return (
    <>
      <PanelHead
        title={t('title')}
        sub={t('help')}
        {...(nodes.length > 0 && {
          action: { label: t('add'), icon: <IconPlus size={17} aria-hidden />, onClick: addNew },
        })}
      />
      <div className="pn-body">
        {nodes.length === 0 && <p className="pn-note quiet">{t('noOptional')}</p>}
        {nodes.length > 0 && schemes.length === 0 && (
          <div className="sch-none">
            <p className="quiet">{t('none', { n: nodes.length })}</p>
            <Button variant="default" leftSection={<IconPlus size={14} aria-hidden />} onClick={addNew}>
              {t('add')}
            </Button>
          </div>
        )}
        <ul className="sch-list" aria-label={t('title')}>
          {schemes.map((scheme) => (
            <SchemeRow
              key={scheme.id}
              scheme={scheme}
              nodes={nodes}
              open={open === scheme.id}
              onOpen={() => choose(open === scheme.id ? null : scheme.id)}
              onCopy={(name) => add(name, scheme)}
            />
          ))}
        </ul>
      </div>
    </>
  )
}

interface RowProps {
  scheme: Scheme
  nodes: readonly FlowNode[]
  open: boolean
  onOpen(): void
  onCopy(name: string): void
}

function SchemeRow({ scheme, nodes, open, onOpen, onCopy }: RowProps) {
  const { t } = useTranslation('schemes')
  const store = useDocStore()
  const text = useText()
  const name = text(scheme.name) || scheme.id
  const [naming, setNaming] = useState(false)
  const runs = nodes.length - (scheme.without?.length ?? 0)
  const tools = [
    { label: t('rename', { name }), icon: <IconPencil size={15} aria-hidden />, run: () => setNaming(true) },
    {
      label: t('copy', { name }),
      icon: <IconCopy size={15} aria-hidden />,
      run: () => onCopy(t('copyName', { name }).slice(0, nameMax)),
    },
    {
      label: t('remove', { name }),
      icon: <IconTrash size={15} aria-hidden />,
      run: () => {
        if (open) onOpen()
        store.getState().commit({ op: 'remove', list: 'schemes', keys: [scheme.id] })
      },
    },
  ]
  return (
    <li className="sch" data-open={open}>
      <div className="sch-head">
        {naming ? (
          <NameField scheme={scheme} onDone={() => setNaming(false)} />
        ) : (
          <button type="button" className="sch-name" aria-expanded={open} onClick={onOpen}>
            <strong className="clip">{name}</strong>
            <span className="quiet num">{t('runs', { n: runs, of: nodes.length })}</span>
          </button>
        )}
        {tools.map((tool) => (
          <Tooltip key={tool.label} label={tool.label}>
            <ActionIcon aria-label={tool.label} onClick={tool.run}>
              {tool.icon}
            </ActionIcon>
          </Tooltip>
        ))}
      </div>
      {open && <Choice scheme={scheme} nodes={nodes} onDone={onOpen} />}
    </li>
  )
}

/** The name of a scheme while it is written; Escape leaves it as it was. */
function NameField({ scheme, onDone }: { scheme: Scheme; onDone(): void }) {
  const { t } = useTranslation('schemes')
  const store = useDocStore()
  const text = useText()
  const lang = useLang()
  const [name, setName] = useState(text(scheme.name) || scheme.id)
  const keep = () => {
    const next = name.trim()
    if (next !== '' && next !== text(scheme.name)) {
      const patch = { name: withText(scheme.name, lang, next) }
      store.getState().commit({ op: 'set', list: 'schemes', key: scheme.id, patch })
    }
    onDone()
  }
  return (
    <TextInput
      className="grow"
      size="xs"
      autoFocus
      aria-label={t('name')}
      value={name}
      maxLength={nameMax}
      onFocus={(e) => e.currentTarget.select()}
      onChange={(e) => setName(e.currentTarget.value)}
      onBlur={keep}
      onKeyDown={(e) => {
        if (e.key === 'Enter') keep()
        if (e.key === 'Escape') onDone()
      }}
    />
  )
}

/** The optional nodes as a list, beside the drawing on which they can be clicked. */
function Choice({ scheme, nodes, onDone }: { scheme: Scheme; nodes: readonly FlowNode[]; onDone(): void }) {
  const { t } = useTranslation('schemes')
  const store = useDocStore()
  const nameOf = useNodeName()
  const out = new Set(scheme.without)
  const leaveOut = (ids: Iterable<string>) =>
    store.getState().commit(setLeftOut(store.getState().doc, scheme.id, new Set(ids)))
  const all = nodes.map((n) => n.id)
  const quick = [
    { label: t('all'), disabled: out.size === 0, out: [] },
    { label: t('nothing'), disabled: out.size === nodes.length, out: all },
    { label: t('invert'), disabled: false, out: all.filter((id) => !out.has(id)) },
  ]
  return (
    <div className="sch-body">
      <p className="quiet">{t('choose', { id: scheme.id })}</p>
      <Group gap={6} mb={8}>
        {quick.map((q) => (
          <Button
            key={q.label}
            size="compact-xs"
            variant="default"
            disabled={q.disabled}
            onClick={() => leaveOut(q.out)}
          >
            {q.label}
          </Button>
        ))}
      </Group>
      {/* biome-ignore lint/a11y/useSemanticElements: the head of the row says what the group is about */}
      <div className="sch-nodes" role="group" aria-label={t('nodes')}>
        {nodes.map((node) => (
          <Checkbox
            key={node.id}
            label={nameOf(node)}
            description={node.id}
            checked={!out.has(node.id)}
            onChange={() => toggleChosen(store, node.id)}
          />
        ))}
      </div>
      <Button mt="sm" size="xs" leftSection={<IconCheck size={14} aria-hidden />} onClick={onDone}>
        {t('done')}
      </Button>
    </div>
  )
}
