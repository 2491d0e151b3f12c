import { Button, Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import type { FlowDetail, Plugin } from '~/api/types'
import { useFormat } from '~/app/format'
import { IconInfoCircle } from '~/app/icons'
import { ErrorNotice } from '~/app/notices'
import { placed } from '~/doc/arrange'
import { type Backup, clearBackup, readBackup } from '~/doc/backup'
import { createDocStore, DocContext, type DocStore, sameFlow } from '~/doc/store'
import { preloadExpression } from '~/form/lazy-expression'
import { preloadForm } from '~/form/lazy-form'
import { useUi } from '~/ui/store'
import { Editor } from './editor'
import './editor.css'

const route = getRouteApi('/p/$project/flows/$flow')

/** Loads a flow and opens it in the editor. */
export function EditorPage() {
  const { project, flow } = route.useParams()
  const detail = useQuery(queries.flow(project, flow))
  const plugins = useQuery(queries.plugins(project))
  const error = detail.error ?? plugins.error
  if (error) {
    return (
      <div className="page">
        <ErrorNotice error={error} onRetry={() => void Promise.all([detail.refetch(), plugins.refetch()])} />
      </div>
    )
  }
  if (!detail.data || !plugins.data) return <Loading />
  return <Opened key={`${project}/${flow}`} project={project} detail={detail.data} plugins={plugins.data} />
}

function Loading() {
  const { t } = useTranslation()
  return (
    <div className="page" role="status" aria-label={t('state.loading')}>
      <Skeleton height={360} radius="md" />
    </div>
  )
}

/** Makes the store once: from then on the editor, not the cache, holds the flow. */
function Opened({ project, detail, plugins }: { project: string; detail: FlowDetail; plugins: readonly Plugin[] }) {
  const [store, setStore] = useState<DocStore | null>(null)
  const [backup, setBackup] = useState<Backup | null>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a later answer of the server must not replace what is being edited
  useEffect(() => {
    let gone = false
    preloadForm()
    preloadExpression()
    void placed(detail.document).then((document) => {
      if (gone) return
      const kept = readBackup(project, detail.id)
      if (kept && !sameFlow(kept.document, document) && !sameFlow(kept.document, detail.document)) setBackup(kept)
      else clearBackup(project, detail.id)
      setStore(createDocStore({ ...detail, document }))
    })
    return () => {
      gone = true
      useUi.getState().reset()
    }
  }, [])
  if (!store) return <Loading />
  return (
    <DocContext value={store}>
      <Editor
        project={project}
        flow={detail.id}
        plugins={plugins}
        notice={
          backup && (
            <BackupNotice
              project={project}
              flow={detail.id}
              backup={backup}
              store={store}
              onDone={() => setBackup(null)}
            />
          )
        }
        holdBackup={backup !== null}
      />
    </DocContext>
  )
}

function BackupNotice({
  project,
  flow,
  backup,
  store,
  onDone,
}: {
  project: string
  flow: string
  backup: Backup
  store: DocStore
  onDone(): void
}) {
  const { t } = useTranslation()
  const format = useFormat()
  const restore = () => {
    void placed(backup.document).then((document) => {
      store.getState().commit({ op: 'replace', document })
      onDone()
    })
  }
  const discard = () => {
    clearBackup(project, flow)
    onDone()
  }
  return (
    <div className="notice" data-s="waiting" role="status">
      <IconInfoCircle size={18} aria-hidden />
      <div className="grow">{t('editor.backup', { when: format.when(backup.at) })}</div>
      <Button variant="default" size="compact-xs" onClick={discard}>
        {t('editor.discard')}
      </Button>
      <Button size="compact-xs" onClick={restore}>
        {t('editor.restore')}
      </Button>
    </div>
  )
}
