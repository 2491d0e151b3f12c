import { Modal } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { sheetKeys, sheets } from './sheets'

/** The keys that act on what is shown, and the text that says what each does. */
const keys = [
  ['F8', 'next'],
  ['R', 'retry'],
  ['S', 'skip'],
  ['/', 'find'],
  ['H', 'quiet'],
  ['Alt ↓', 'inside'],
  ['Alt ↑', 'outside'],
] as const

/** Every key of the run console. */
export function KeysSheet({ onClose }: { onClose(): void }) {
  const { t } = useTranslation('console')
  const { t: common } = useTranslation()
  const rows = [
    ...keys.map(([key, what]) => [key, t(`keys.${what}`)] as const),
    ...sheets.map((s) => [sheetKeys[s].toUpperCase(), t('keys.sheet', { name: t(`sheet.${s}`) })] as const),
    ['?', t('keys.title')] as const,
  ]
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('keys.title')}
      size="sm"
      closeButtonProps={{ 'aria-label': common('action.close') }}
    >
      <dl className="rn-keys">
        {rows.map(([key, what]) => (
          <div key={key}>
            <dt>
              {key.split(' ').map((k) => (
                <kbd key={k}>{k}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  )
}
