import { useCallback, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Plugin, Position } from '~/api/types'
import { iconOf } from '~/canvas/icons'
import { fitsOnEdge } from '~/doc/insert'
import { useDoc } from '~/doc/store'
import type { AddTarget } from './overlay'
import { type Blueprint, usePaletteGroups } from './palette'
import { type Pick, PickList } from './pick-list'

interface Props {
  plugins: readonly Plugin[]
  target: AddTarget
  screen: Position
  onAdd(blueprint: Blueprint, target: AddTarget): void
  onClose(): void
}

/** Everything that can stand at a place, to be put there with one choice. */
export function QuickAdd({ plugins, target, screen, onAdd, onClose }: Props) {
  const { t } = useTranslation('editor')
  const hasStart = useDoc((s) => s.doc.nodes.some((n) => n.type === 'start'))
  const groups = usePaletteGroups(plugins, '')
  const entries = useMemo(() => {
    const fits = (b: Blueprint) =>
      target.edge ? fitsOnEdge(b) : b.type !== 'start' || (!hasStart && target.after === undefined)
    return groups.flatMap((g) => g.entries.filter((e) => fits(e.blueprint)).map((e) => ({ ...e, group: g.title })))
  }, [groups, target, hasStart])
  // Actions first: structure is what a person adds less often.
  const picks = useMemo<Pick[]>(
    () =>
      [
        ...entries.filter((e) => e.blueprint.type === 'task'),
        ...entries.filter((e) => e.blueprint.type !== 'task'),
      ].map((e) => {
        const Icon = iconOf(e.blueprint, plugins)
        return {
          key: e.key,
          group: e.group,
          label: e.label,
          hint: e.hint,
          words: e.key,
          icon: <Icon size={16} stroke={1.7} aria-hidden />,
        }
      }),
    [entries, plugins],
  )
  const pick = useCallback(
    (key: string) => {
      const entry = entries.find((e) => e.key === key)
      onClose()
      if (entry) onAdd(entry.blueprint, target)
    },
    [entries, onAdd, onClose, target],
  )
  return (
    <PickList
      label={t(target.edge ? 'add.onEdge' : target.after ? 'add.after' : 'add.here')}
      placeholder={t('add.search')}
      none={t('add.none')}
      picks={picks}
      at={screen}
      onPick={pick}
      onClose={onClose}
    />
  )
}
