import { ActionIcon, Tooltip } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import {
  IconCopy,
  IconLayoutAlignBottom,
  IconLayoutAlignCenter,
  IconLayoutAlignLeft,
  IconLayoutAlignMiddle,
  IconLayoutAlignRight,
  IconLayoutAlignTop,
  IconLayoutDistributeHorizontal,
  IconLayoutDistributeVertical,
  IconTrash,
} from '~/app/icons'
import { type Alignment, aligned, type Direction, distributed } from '~/doc/align'
import { useDocStore } from '~/doc/store'
import { useUi } from '~/ui/store'
import './overlays.css'
import { commitMove, duplicate, removeSelected } from './keys'

const alignments: { how: Alignment; Icon: typeof IconLayoutAlignLeft }[] = [
  { how: 'left', Icon: IconLayoutAlignLeft },
  { how: 'centre', Icon: IconLayoutAlignCenter },
  { how: 'right', Icon: IconLayoutAlignRight },
  { how: 'top', Icon: IconLayoutAlignTop },
  { how: 'middle', Icon: IconLayoutAlignMiddle },
  { how: 'bottom', Icon: IconLayoutAlignBottom },
]

const directions: { how: Direction; Icon: typeof IconLayoutAlignLeft }[] = [
  // The icon set names them by the direction of its bars.
  { how: 'across', Icon: IconLayoutDistributeVertical },
  { how: 'down', Icon: IconLayoutDistributeHorizontal },
]

/** What can be done with several selected nodes at once. */
export function SelectionBar() {
  const { t } = useTranslation('editor')
  const store = useDocStore()
  const selected = useUi((s) => s.selection.nodes)
  const nodes = () => store.getState().doc.nodes.filter((n) => selected.has(n.id))
  const few = selected.size < 3
  return (
    <div className="ed-tools" role="toolbar" aria-label={t('many.label')}>
      <span className="ed-tools-count num">{t('many.count', { n: selected.size })}</span>
      {alignments.map(({ how, Icon }) => (
        <Tool
          key={how}
          label={t(`many.${how}`)}
          icon={<Icon size={17} stroke={1.7} aria-hidden />}
          onClick={() => commitMove(store, aligned(nodes(), how), 'drag')}
        />
      ))}
      <i className="ed-tools-gap" />
      {directions.map(({ how, Icon }) => (
        <Tool
          key={how}
          label={t(few ? 'many.three' : `many.${how}`)}
          disabled={few}
          icon={<Icon size={17} stroke={1.7} aria-hidden />}
          onClick={() => commitMove(store, distributed(nodes(), how), 'drag')}
        />
      ))}
      <i className="ed-tools-gap" />
      <Tool
        label={t('many.duplicate')}
        icon={<IconCopy size={17} stroke={1.7} aria-hidden />}
        onClick={() => duplicate(store)}
      />
      <Tool
        label={t('many.remove')}
        icon={<IconTrash size={17} stroke={1.7} aria-hidden />}
        onClick={() => removeSelected(store)}
      />
    </div>
  )
}

function Tool({
  label,
  icon,
  disabled = false,
  onClick,
}: {
  label: string
  icon: React.ReactNode
  disabled?: boolean
  onClick(): void
}) {
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} disabled={disabled} onClick={onClick} size={30}>
        {icon}
      </ActionIcon>
    </Tooltip>
  )
}
