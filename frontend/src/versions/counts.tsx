import { useTranslation } from 'react-i18next'
import { IconArrowsMove, IconMinus, IconPencil, IconPlus } from '~/app/icons'
import { type Change, counted, type Kind } from './compare'
import './versions.css'

export const kinds: readonly Kind[] = ['added', 'changed', 'removed', 'moved']

const icons = { added: IconPlus, removed: IconMinus, changed: IconPencil, moved: IconArrowsMove }

/** The sign of a kind of change: a shape, beside the colour. */
export function KindIcon({ kind }: { kind: Kind }) {
  const Icon = icons[kind]
  return (
    <span className="vs-kind" data-kind={kind} aria-hidden="true">
      <Icon size={12} stroke={2.6} />
    </span>
  )
}

/** How much differs, in numbers. */
export function Counts({ changes }: { changes: readonly Change[] }) {
  const { t } = useTranslation('versions')
  const counts = counted(changes)
  const some = kinds.filter((kind) => counts[kind] > 0)
  if (some.length === 0) return <span className="quiet">{t('count.none')}</span>
  return (
    <span className="vs-counts">
      {some.map((kind) => (
        <span key={kind} className="num">
          <KindIcon kind={kind} /> {t(`count.${kind}`, { n: counts[kind] })}
        </span>
      ))}
    </span>
  )
}
