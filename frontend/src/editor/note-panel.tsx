import { Input, Textarea } from '@mantine/core'
import { useId } from 'react'
import { useTranslation } from 'react-i18next'
import type { NoteColour } from '~/api/types'
import { IconCheck, IconTrash } from '~/app/icons'
import { noteColours, noteGesture, noteTextMax, setNoteText } from '~/doc/notes'
import { useDoc, useDocStore } from '~/doc/store'
import { removeSelected } from './keys'
import { PanelHead } from './panel'
import '~/canvas/notes.css'

/** Everything about the selected notes. */
export function NotePanel({ ids }: { ids: ReadonlySet<string> }) {
  const { t } = useTranslation('notes')
  const store = useDocStore()
  const notes = useDoc((s) => s.doc.notes)?.filter((n) => ids.has(n.id)) ?? []
  const label = useId()
  const [first, more] = notes
  if (!first) return null
  const colour = notes.every((n) => (n.colour ?? '') === (first.colour ?? '')) ? (first.colour ?? '') : undefined
  const paint = (next: NoteColour) =>
    store.getState().commit({
      op: 'batch',
      commands: notes.map((n) => ({ op: 'set', list: 'notes', key: n.id, patch: { colour: next || undefined } })),
    })
  return (
    <>
      <PanelHead
        title={more ? t('many', { n: notes.length }) : t('title')}
        sub={t('help')}
        action={{
          label: t('remove'),
          icon: <IconTrash size={16} stroke={1.7} aria-hidden />,
          onClick: () => removeSelected(store),
        }}
      />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: leaving the fields ends the running gesture */}
      <div className="pn-body" onBlur={() => store.getState().seal()}>
        {!more && (
          <Textarea
            label={t('text')}
            description={t('plain')}
            placeholder={t('placeholder')}
            autosize
            minRows={4}
            maxRows={16}
            maxLength={noteTextMax}
            value={first.text ?? ''}
            onChange={(e) =>
              store.getState().commit(setNoteText(first.id, e.currentTarget.value), noteGesture(first.id))
            }
          />
        )}
        <Input.Label mt="sm" id={label} component="div">
          {t('colour')}
        </Input.Label>
        {/* biome-ignore lint/a11y/useSemanticElements: the label above is that of the group */}
        <div className="nt-swatches" role="group" aria-labelledby={label}>
          {noteColours.map((c) => (
            <button
              key={c}
              type="button"
              className="nt nt-swatch"
              data-colour={c || undefined}
              aria-pressed={colour === c}
              aria-label={t(`colours.${c || 'yellow'}`)}
              title={t(`colours.${c || 'yellow'}`)}
              onClick={() => paint(c)}
            >
              {colour === c && <IconCheck size={16} stroke={2.4} aria-hidden />}
            </button>
          ))}
        </div>
        <p className="pn-note quiet" style={{ marginTop: 16 }}>
          {t('keys')}
        </p>
      </div>
    </>
  )
}
