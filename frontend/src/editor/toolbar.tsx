import { ActionIcon, Tooltip } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconEye,
  IconFileCode,
  IconHistory,
  IconKeyboard,
  IconLayoutDistributeHorizontal,
  IconListCheck,
  IconNote,
  IconSearch,
} from '~/app/icons'
import { useDoc, useDocStore } from '~/doc/store'
import { useUi } from '~/ui/store'
import { useOverlay } from './overlay'
import { usePerspective } from './perspective'

interface Tool {
  label: string
  icon: React.ReactNode
  disabled: boolean
  pressed?: boolean
  /** Shown only on a phone, where the bar has no room for it, or only where there are keys. */
  on?: 'phone' | 'desk'
  run(): void
}

/** The tools above the drawing. */
export function Toolbar({ onLayout, onNote, onHistory }: { onLayout(): void; onNote(): void; onHistory(): void }) {
  const { t } = useTranslation()
  const { t: own } = useTranslation('editor')
  const { t: versions } = useTranslation('versions')
  const store = useDocStore()
  const canUndo = useDoc((s) => s.undoable.length > 0)
  const canRedo = useDoc((s) => s.redoable.length > 0)
  const perspective = usePerspective((s) => s.on)
  const { show } = useOverlay.getState()
  const tools: Tool[] = [
    {
      label: t('action.undo'),
      icon: <IconArrowBackUp size={17} aria-hidden />,
      disabled: !canUndo,
      run: () => store.getState().undo(),
    },
    {
      label: t('action.redo'),
      icon: <IconArrowForwardUp size={17} aria-hidden />,
      disabled: !canRedo,
      run: () => store.getState().redo(),
    },
    {
      label: t('action.layout'),
      icon: <IconLayoutDistributeHorizontal size={17} aria-hidden />,
      disabled: false,
      run: onLayout,
    },
    {
      label: own('find.title'),
      icon: <IconSearch size={16} aria-hidden />,
      disabled: false,
      run: () => show({ kind: 'find' }),
    },
    {
      label: own('notes.add'),
      icon: <IconNote size={17} aria-hidden />,
      disabled: false,
      run: onNote,
    },
    {
      label: own('schemes.open'),
      icon: <IconListCheck size={17} aria-hidden />,
      disabled: false,
      run: () => useUi.getState().openDrawer('schemes'),
    },
    {
      label: own('perspective.title'),
      icon: <IconEye size={17} aria-hidden />,
      disabled: false,
      pressed: perspective,
      run: () => usePerspective.getState().toggle(),
    },
    {
      label: own('file.title'),
      icon: <IconFileCode size={17} aria-hidden />,
      disabled: false,
      run: () => show({ kind: 'file' }),
    },
    {
      label: versions('page.open'),
      icon: <IconHistory size={17} aria-hidden />,
      disabled: false,
      on: 'phone',
      run: onHistory,
    },
    {
      label: own('keys.title'),
      icon: <IconKeyboard size={17} aria-hidden />,
      disabled: false,
      on: 'desk',
      run: () => show({ kind: 'keys' }),
    },
  ]
  return (
    <div className="ed-tools" role="toolbar" aria-label={t('editor.tools')}>
      {tools.map((tool) => (
        <Tooltip key={tool.label} label={tool.label}>
          <ActionIcon
            className={tool.on && `ed-on-${tool.on}`}
            aria-label={tool.label}
            aria-pressed={tool.pressed}
            variant={tool.pressed ? 'light' : 'subtle'}
            disabled={tool.disabled}
            onClick={tool.run}
            size={30}
          >
            {tool.icon}
          </ActionIcon>
        </Tooltip>
      ))}
    </div>
  )
}
