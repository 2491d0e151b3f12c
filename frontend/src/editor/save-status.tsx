import { useTranslation } from 'react-i18next'
import { IconAlertTriangle, IconCheck, IconPencil, IconRefresh, IconWifiOff } from '~/app/icons'
import { useDoc } from '~/doc/store'
import type { SaveState } from './saver'

const looks: Record<SaveState['kind'], { icon: typeof IconCheck; s: string }> = {
  saved: { icon: IconCheck, s: '' },
  edited: { icon: IconPencil, s: '' },
  saving: { icon: IconRefresh, s: '' },
  offline: { icon: IconWifiOff, s: 'waiting' },
  refused: { icon: IconAlertTriangle, s: 'failed' },
  gone: { icon: IconAlertTriangle, s: 'failed' },
  conflict: { icon: IconAlertTriangle, s: 'waiting' },
}

/** Says where the edits are: with the server, on the way, or in this browser only. */
export function SaveStatus({ state }: { state: SaveState }) {
  const { t } = useTranslation('versions')
  const version = useDoc((s) => s.version)
  const { icon: Icon, s } = looks[state.kind]
  const text = t(`save.${state.kind}`)
  return (
    <span className="quiet num ed-saved" role="status" data-s={s || undefined} data-save={state.kind} title={text}>
      <Icon size={13} stroke={2} aria-hidden />
      <span className="ed-saved-text">
        {text}
        {version > 0 && ` · v${version}`}
      </span>
    </span>
  )
}
