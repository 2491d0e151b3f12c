import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import type { FlowDetail, Plugin } from '~/api/types'
import { useFormat } from '~/app/format'
import { IconInfoCircle } from '~/app/icons'
import { PageLoading } from '~/app/loading'
import { ErrorNotice } from '~/app/notices'
import { placed } from '~/doc/arrange'
import { openBackups } from '~/doc/backup'
import { createDocStore, DocContext, type DocStore } from '~/doc/store'
import { preloadExpression } from '~/form/lazy-expression'
import { preloadForm } from '~/form/lazy-form'
import { useUi } from '~/ui/store'
import { Editor } from './editor'
import { nameEditor, orphaned } from './editors'
import './editor.css'
import { preloadNotes } from './lazy-panels'
import { type Recovered, recover } from './recover'
import type { Keeping } from './save'

const route = getRouteApi('/p/$project/flows/$flow')

/** Loads a flow and opens it in the editor. */
export function EditorPage() {
  const { project, flow } = route.useParams()
  const detail = useQuery(queries.flow(project, flow))
  const plugins = useQuery(queries.plugins(project))
  // Once it is there it is being edited, and stays when asking for it again fails.
  const error = detail.data && plugins.data ? null : (detail.error ?? plugins.error)
  if (error) {
    return (
      <div className="page">
        <ErrorNotice error={error} onRetry={() => void Promise.all([detail.refetch(), plugins.refetch()])} />
      </div>
    )
  }
  if (!detail.data || !plugins.data) return <PageLoading />
  return <Opened key={`${project}/${flow}`} project={project} detail={detail.data} plugins={plugins.data} />
}

interface Held {
  store: DocStore
  keeping: Keeping
  /** What an editor left that went away before the server had it. */
  found: Recovered | null
}

/** Makes the store once: from then on the editor, not the cache, holds the flow. */
function Opened({ project, detail, plugins }: { project: string; detail: FlowDetail; plugins: readonly Plugin[] }) {
  const [held, setHeld] = useState<Held | null>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a later answer of the server must not replace what is being edited
  useEffect(() => {
    let gone = false
    preloadForm()
    preloadExpression()
    preloadNotes()
    const me = nameEditor()
    const open = async (): Promise<Held> => {
      const [document, backups] = await Promise.all([placed(detail.document), openBackups()])
      const left = await orphaned(await backups.read(project, detail.id))
      const at = { ...detail, document }
      const found = recover(at, left)
      const keeping: Keeping = { backups, editor: me.name, instead: found?.editors ?? [] }
      if (!found) for (const { editor } of left) backups.clear(project, detail.id, editor)
      const store = createDocStore(found ? { ...at, document: found.base, revision: found.revision } : at)
      if (found) store.getState().commit({ op: 'replace', document: await placed(found.document) })
      return { store, keeping, found }
    }
    void open().then((opened) => {
      if (!gone) setHeld(opened)
    })
    return () => {
      gone = true
      me.leave()
      useUi.getState().reset()
    }
  }, [])
  if (!held) return <PageLoading />
  return (
    <DocContext value={held.store}>
      <Editor
        project={project}
        flow={detail.id}
        plugins={plugins}
        keeping={held.keeping}
        notice={held.found && <FoundNotice at={held.found.at} store={held.store} />}
      />
    </DocContext>
  )
}

/** Says that edits of another time were taken in, and takes them back if they are not wanted. */
function FoundNotice({ at, store }: { at: string; store: DocStore }) {
  const { t } = useTranslation('versions')
  const format = useFormat()
  const [open, setOpen] = useState(true)
  if (!open) return null
  const undo = () => {
    store.getState().undo()
    setOpen(false)
  }
  return (
    <div className="notice" data-s="waiting" role="status">
      <IconInfoCircle size={18} aria-hidden />
      <div className="grow">{t('found.text', { when: format.when(at) })}</div>
      <Button variant="default" size="compact-xs" onClick={undo}>
        {t('found.undo')}
      </Button>
      <Button size="compact-xs" onClick={() => setOpen(false)}>
        {t('found.keep')}
      </Button>
    </div>
  )
}
