import { useShallow } from 'zustand/react/shallow'
import { IconPencil } from '~/app/icons'
import { useMemberName } from './name'
import { useOthers } from './store'
import './presence.css'

/** More names than this do not fit over a node. */
const namesMax = 2

/** Over a node: who else is at it, and with a pencil who changes it. */
export function Others({ id }: { id: string }) {
  const here = useOthers(useShallow((s) => s.members.filter((m) => m.node === id)))
  const nameOf = useMemberName()
  if (here.length === 0) return null
  return (
    <span className="pr-over" data-editing={here.some((m) => m.editing)}>
      <span className="pr-names">
        {here.slice(0, namesMax).map((m) => (
          <span key={m.id} className="pr-name" data-user-text>
            {m.editing && <IconPencil size={11} stroke={2.2} aria-hidden />}
            {nameOf(m)}
          </span>
        ))}
        {here.length > namesMax && <span className="pr-name num">+{here.length - namesMax}</span>}
      </span>
    </span>
  )
}
