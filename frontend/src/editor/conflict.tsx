import { Button, Group, Modal, SegmentedControl } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { FlowDetail } from '~/api/types'
import { useFormat } from '~/app/format'
import { merge } from '~/doc/merge'
import { useDocStore } from '~/doc/store'

interface Props {
  theirs: FlowDetail
  onClose(): void
  /** Saves the merged document, now that it is based on the other's revision. */
  onMerged(): void
  onCopy(): void
}

/**
 * Somebody saved while this person was editing. Nothing is lost: both sets of
 * edits are merged, what clashes is listed and decided, and undo takes the merge back.
 */
export function ConflictDialog({ theirs, onClose, onMerged, onCopy }: Props) {
  const { t } = useTranslation()
  const format = useFormat()
  const store = useDocStore()
  const [prefer, setPrefer] = useState<'mine' | 'theirs'>('mine')
  const merged = useMemo(() => {
    const { saved, doc } = store.getState()
    return merge(saved, doc, theirs.document, prefer)
  }, [store, theirs, prefer])
  const accept = () => {
    const state = store.getState()
    state.rebase(theirs)
    state.commit({ op: 'replace', document: merged.document })
    onMerged()
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('conflict.title')}
      size="md"
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <p>
        {t('conflict.text', {
          who: theirs.updated_by,
          when: format.when(theirs.updated_at),
          revision: theirs.revision,
        })}
      </p>
      <p>{t('conflict.taken', { n: merged.taken })}</p>
      {merged.clashes.length > 0 && (
        <>
          <p>{t('conflict.clashes', { n: merged.clashes.length })}</p>
          <ul className="pn-clashes">
            {merged.clashes.map((c) => (
              <li key={`${c.list}.${c.key}`}>
                {t(`conflict.thing.${c.list}`)} <code className="mono">{c.key}</code>
              </li>
            ))}
          </ul>
          <SegmentedControl
            aria-label={t('conflict.prefer')}
            value={prefer}
            onChange={(v) => setPrefer(v as 'mine' | 'theirs')}
            data={[
              { value: 'mine', label: t('conflict.mine') },
              { value: 'theirs', label: t('conflict.theirs') },
            ]}
          />
        </>
      )}
      <Group justify="flex-end" mt="md" gap="xs">
        <Button variant="subtle" color="gray" onClick={onClose}>
          {t('conflict.later')}
        </Button>
        <Button variant="default" onClick={onCopy}>
          {t('conflict.copy')}
        </Button>
        <Button onClick={accept}>{t('conflict.merge')}</Button>
      </Group>
    </Modal>
  )
}
