import { Modal } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import './overlays.css'

/** A line of the sheet: the keys, and the text that says what they do. */
const sheet = {
  draw: [
    ['A', 'add'],
    ['C', 'connect'],
    ['N', 'note'],
    ['Delete', 'remove'],
    ['Shift Delete', 'bridge'],
    ['Ctrl C / X / V', 'clipboard'],
    ['Ctrl D', 'duplicate'],
    ['Ctrl Z', 'undo'],
    ['Ctrl Shift Z', 'redo'],
    ['← ↑ → ↓', 'nudge'],
    ['Shift L', 'layout'],
  ],
  look: [
    ['Ctrl F', 'find'],
    ['/', 'palette'],
    ['1', 'fit'],
    ['0', 'actual'],
    ['V', 'variables'],
    ['E', 'problems'],
    ['S', 'schemes'],
    ['P', 'perspective'],
    ['[', 'panels'],
    ['Tab', 'walk'],
  ],
  select: [
    ['Enter', 'select'],
    ['Ctrl', 'more'],
    ['Shift', 'box'],
    ['Ctrl A', 'all'],
    ['Esc', 'nothing'],
  ],
  whole: [
    ['Ctrl S', 'save'],
    ['Ctrl Enter', 'start'],
    ['Y', 'file'],
    ['?', 'sheet'],
  ],
} as const

/** Every key of the editor. */
export function KeysSheet({ onClose }: { onClose(): void }) {
  const { t } = useTranslation('editor')
  const { t: common } = useTranslation()
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('keys.title')}
      size="lg"
      closeButtonProps={{ 'aria-label': common('action.close') }}
    >
      <div className="ks">
        {(Object.keys(sheet) as (keyof typeof sheet)[]).map((group) => (
          <section key={group} aria-label={t(`keys.${group}.title`)}>
            <h3>{t(`keys.${group}.title`)}</h3>
            <dl>
              {sheet[group].map(([keys, what]) => (
                <div key={what}>
                  <dt>
                    {keys
                      .split(' ')
                      .map((key) => (key === '/' && keys.length > 1 ? <i key={key}>/</i> : <kbd key={key}>{key}</kbd>))}
                  </dt>
                  <dd>{t(`keys.${group}.${what}` as 'keys.draw.add')}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  )
}
