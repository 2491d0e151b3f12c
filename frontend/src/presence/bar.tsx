import { Popover, TextInput } from '@mantine/core'
import { type ComponentType, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { fetchFlow } from '~/api/queries'
import { IconPencil, IconUser } from '~/app/icons'
import { Crumbs } from '~/app/shell'
import { useNodeName } from '~/canvas/nodes'
import { type DocStore, useDoc, useDocStore } from '~/doc/store'
import type { Saver } from '~/editor/saver'
import { useUi } from '~/ui/store'
import { nameMaxChars, ownName, setOwnName, useMemberName } from './name'
import { Others } from './over'
import { enter, type Member, type Room } from './room'
import { useOthers } from './store'
import './presence.css'

interface Props {
  project: string
  flow: string
  saver: Saver
  /** What is drawn over the nodes, from a function, as React wants a component that is kept as a state. */
  onOver(over: () => ComponentType<{ id: string }>): void
}

/** This many faces are shown; the others are a number. */
const facesMax = 3

/** Who else has the flow open: faces in the bar, and behind them what each is doing. */
export function PresenceBar({ project, flow, saver, onOver }: Props) {
  const { t } = useTranslation('versions')
  const store = useDocStore()
  const [name, setName] = useState(ownName)
  useEffect(() => onOver(() => Others), [onOver])
  usePresence(project, flow, store, saver, name)
  const { members, link } = useOthers()
  const nameOf = useMemberName()
  return (
    <Crumbs>
      {link === 'full' && <span className="quiet pr-full">{t('presence.full')}</span>}
      <span className="pr-said" role="status">
        {members.length > 0 && t('presence.others', { names: members.map(nameOf).join(t('presence.comma')) })}
      </span>
      {members.length > 0 && <People members={members} name={name} onName={setName} />}
    </Crumbs>
  )
}

function People({ members, name, onName }: { members: readonly Member[]; name: string; onName(n: string): void }) {
  const { t } = useTranslation('versions')
  const nameOf = useMemberName()
  return (
    <Popover position="bottom-start" width={300} trapFocus returnFocus>
      <Popover.Target>
        <button type="button" className="pr-faces" aria-label={t('presence.open', { n: members.length })}>
          {members.slice(0, facesMax).map((m) => (
            <span key={m.id} className="pr-face" data-editing={m.editing} aria-hidden="true">
              {m.name ? [...m.name][0] : <IconUser size={13} stroke={2} />}
            </span>
          ))}
          {members.length > facesMax && (
            <span className="pr-face num" aria-hidden="true">
              +{members.length - facesMax}
            </span>
          )}
        </button>
      </Popover.Target>
      <Popover.Dropdown>
        <h2 className="pr-title">{t('presence.title')}</h2>
        <ul className="pr-list">
          {members.map((m) => (
            <li key={m.id}>
              <strong data-user-text>{nameOf(m)}</strong>
              <Doing member={m} />
            </li>
          ))}
        </ul>
        <TextInput
          size="xs"
          label={t('presence.name')}
          description={t('presence.nameHelp')}
          value={name}
          maxLength={nameMaxChars}
          onChange={(e) => {
            setOwnName(e.currentTarget.value)
            onName(e.currentTarget.value)
          }}
        />
      </Popover.Dropdown>
    </Popover>
  )
}

/** What a member is at; the button leads there. */
function Doing({ member }: { member: Member }) {
  const { t } = useTranslation('versions')
  const node = useDoc((s) => s.doc.nodes.find((n) => n.id === member.node))
  const nodeName = useNodeName()
  if (!node) return <span className="quiet">{t('presence.looking')}</span>
  return (
    <button type="button" className="pr-go" onClick={() => useUi.getState().select([node.id])}>
      {member.editing && <IconPencil size={12} aria-hidden />}
      {t(member.editing ? 'presence.editing' : 'presence.at', { node: nodeName(node) })}
    </button>
  )
}

/** Enters the room of the flow, says what this editor does, and takes in what others saved. */
function usePresence(project: string, flow: string, store: DocStore, saver: Saver, name: string): void {
  const called = useRef(name)
  const say = useRef<() => void>(undefined)
  useEffect(() => {
    called.current = name
    say.current?.()
  }, [name])
  useEffect(() => {
    let asked = 0
    const seen = (room: Room) => {
      useOthers.setState({ members: room.members.filter((m) => m.id !== room.you) })
      const { revision, version } = store.getState()
      if (room.revision > revision) saver.pull(room.revision)
      if (room.version > version && room.version > asked) {
        asked = room.version
        void published(project, flow, store, saver)
      }
    }
    const room = enter({
      project,
      flow,
      onRoom: seen,
      onLink: (link) => useOthers.setState(link === 'in' ? { link } : { link, members: [] }),
    })
    const tell = () => {
      const [node = '', second] = useUi.getState().selection.nodes
      const { revision } = store.getState()
      room.say({
        name: called.current.trim(),
        node: second === undefined ? node : '',
        editing: node !== '' && isTyping(),
        revision,
      })
    }
    say.current = tell
    tell()
    // Where the focus is is known a moment after it leaves.
    const moved = () => requestAnimationFrame(tell)
    const offs = [useUi.subscribe(tell), store.subscribe((s, b) => s.revision !== b.revision && tell())]
    document.addEventListener('focusin', moved)
    document.addEventListener('focusout', moved)
    return () => {
      for (const off of offs) off()
      document.removeEventListener('focusin', moved)
      document.removeEventListener('focusout', moved)
      say.current = undefined
      room.leave()
      useOthers.setState({ members: [], link: 'away' })
    }
  }, [project, flow, store, saver])
}

/** Somebody published: the number of the version is shown here too. */
async function published(project: string, flow: string, store: DocStore, saver: Saver): Promise<void> {
  try {
    const now = await fetchFlow(project, flow)
    if (now.revision > store.getState().revision) saver.pull(now.revision)
    else if (now.version > store.getState().version) store.getState().markPublished(now.version, now.published_revision)
  } catch {
    // The next save brings it.
  }
}

/** Whether the fields of what is selected have the focus. */
function isTyping(): boolean {
  const at = document.activeElement
  return !!at?.closest('.pn') && at.matches('input, textarea, [contenteditable="true"], [role="combobox"]')
}
