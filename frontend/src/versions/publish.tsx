import { Button, Group, Modal, Skeleton, Textarea } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import type { Flow } from '~/api/types'
import { ErrorNotice } from '~/app/notices'
import { useDoc } from '~/doc/store'
import { compare } from './compare'
import { Counts } from './counts'

interface Props {
  project: string
  flow: string
  onPublish(note: string): Promise<number | null>
  onClose(): void
}

/** Makes a version, with a note for those who read the history. */
export function PublishDialog({ project, flow, onPublish, onClose }: Props) {
  const { t } = useTranslation(['versions', 'translation'])
  const version = useDoc((s) => s.version)
  const errors = useDoc((s) => s.problems.filter((p) => p.level === 'error').length)
  const [note, setNote] = useState('')
  const [busy, setBusy] = useState(false)
  const publish = async () => {
    setBusy(true)
    const made = await onPublish(note.trim())
    setBusy(false)
    if (made !== null) onClose()
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('publish.title')}
      closeButtonProps={{ 'aria-label': t('translation:action.close') }}
    >
      {version === 0 ? <p>{t('publish.first')}</p> : <Since project={project} flow={flow} version={version} />}
      {errors > 0 && (
        <p className="notice" data-s="failed" role="status">
          {t('publish.errors', { n: errors })}
        </p>
      )}
      <Textarea
        label={t('publish.note')}
        description={t('publish.noteHelp')}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
        maxLength={1000}
        autosize
        minRows={2}
        maxRows={8}
        data-autofocus
      />
      <Group justify="flex-end" mt="md" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t('translation:action.cancel')}
        </Button>
        <Button onClick={() => void publish()} loading={busy} disabled={errors > 0}>
          {t('publish.confirm')}
        </Button>
      </Group>
    </Modal>
  )
}

function Since({ project, flow, version }: { project: string; flow: string; version: number }) {
  const { t } = useTranslation('versions')
  const last = useQuery(queries.version(project, flow, version))
  const doc = useDoc((s) => s.doc)
  const changes = useMemo(() => last.data && compare(last.data.document as Flow, doc), [last.data, doc])
  if (last.error) return <ErrorNotice error={last.error} onRetry={() => void last.refetch()} />
  if (!changes) return <Skeleton height={20} />
  if (changes.length === 0) return <p>{t('publish.none', { version })}</p>
  return (
    <p>
      {t('publish.changes', { version })} <Counts changes={changes} />{' '}
      <Link
        to="/p/$project/flows/$flow/versions"
        params={{ project, flow }}
        search={{ from: `v${version}`, to: 'draft' }}
      >
        {t('publish.compare')}
      </Link>
    </p>
  )
}
