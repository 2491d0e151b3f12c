import { Button, FileButton, Group, Modal, Textarea, TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import { useCreateFlow } from '~/api/queries'
import type { Flow } from '~/api/types'
import { IconFileCode } from '~/app/icons'
import { useCodes } from '~/i18n/codes'
import { useLang, useText, withText } from '~/i18n/text'
import { Findings } from './findings'
import { bytesMax, checked, type Incoming, incoming, textOf } from './incoming'
import './files.css'

/** Makes a flow of a file that Culm wrote, here or elsewhere, or that a person wrote by hand. */
export function ImportDialog({ project, onClose }: { project: string; onClose(): void }) {
  const { t } = useTranslation(['files', 'translation'])
  const [text, setText] = useState('')
  const [file, setFile] = useState('')
  const [unreadable, setUnreadable] = useState('')
  const found = useMemo(() => (text.trim() === '' ? undefined : incoming(text)), [text])
  const take = async (chosen: File | null | undefined) => {
    if (!chosen) return
    const content = await textOf(chosen)
    setFile(chosen.name)
    setText(content ?? '')
    setUnreadable(content === null ? t('source.unreadable', { name: chosen.name, mib: bytesMax >> 20 }) : '')
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('import.title')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('translation:action.close') }}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a file can be dropped here, or chosen by the button inside */}
      <div
        className="fl-drop"
        onDragOver={(e) => e.preventDefault()}
        onDrop={(e) => {
          e.preventDefault()
          void take(e.dataTransfer.files[0])
        }}
      >
        <IconFileCode size={22} aria-hidden />
        <span className="grow">{file || t('import.hint')}</span>
        <FileButton accept=".yaml,.yml,.json,.txt" onChange={(f) => void take(f)}>
          {(props) => (
            <Button {...props} variant={file ? 'default' : 'filled'} data-autofocus>
              {t(file ? 'import.other' : 'import.choose')}
            </Button>
          )}
        </FileButton>
      </div>
      {unreadable && (
        <div className="notice" data-s="failed" role="alert">
          {unreadable}
        </div>
      )}
      {!file && (
        <Textarea
          mt="sm"
          label={t('import.paste')}
          autosize
          minRows={4}
          maxRows={10}
          value={text}
          onChange={(e) => setText(e.currentTarget.value)}
          classNames={{ input: 'mono' }}
        />
      )}
      {found && <Found key={text} project={project} found={found} onClose={onClose} />}
    </Modal>
  )
}

/** What was found in the file, and under which name it comes in. */
function Found({ project, found, onClose }: { project: string; found: Incoming; onClose(): void }) {
  const { t } = useTranslation(['files', 'translation'])
  const flow = found.flow
  const problems = useProblems(project, found)
  return (
    <div className="fl-found">
      <Findings findings={found.findings} />
      {flow && (
        <>
          <p className="quiet num" role="status">
            {t('import.contents', {
              nodes: flow.nodes.length,
              edges: flow.edges.length,
              variables: (flow.variables ?? []).length,
            })}
          </p>
          {problems > 0 && (
            <div className="notice" data-s="waiting">
              {t('import.problems', { n: problems })}
            </div>
          )}
          <ImportForm project={project} flow={flow} onClose={onClose} />
        </>
      )}
    </div>
  )
}

function useProblems(project: string, found: Incoming): number {
  const [n, setN] = useState(0)
  useEffect(() => {
    const asking = new AbortController()
    void checked(project, found, asking.signal).then((all) => {
      if (!asking.signal.aborted) setN(all.filter((f) => f.level === 'error').length)
    })
    return () => asking.abort()
  }, [project, found])
  return n
}

function ImportForm({ project, flow, onClose }: { project: string; flow: Flow; onClose(): void }) {
  const { t } = useTranslation(['files', 'translation'])
  const text = useText()
  const lang = useLang()
  const codes = useCodes()
  const navigate = useNavigate()
  const create = useCreateFlow(project)
  const [name, setName] = useState(text(flow.name))
  const [id, setId] = useState(flow.id ?? '')
  const taken = create.error instanceof ApiError && create.error.code === 'EXISTS'
  const submit = () => {
    const { id: _old, ...rest } = flow
    const document: Flow = {
      ...rest,
      ...(id.trim() === '' ? {} : { id: id.trim() }),
      name: withText(flow.name, lang, name.trim()) ?? name.trim(),
    }
    create.mutate(document, {
      onSuccess: (made) => void navigate({ to: '/p/$project/flows/$flow', params: { project, flow: made.id } }),
    })
  }
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault()
        if (name.trim()) submit()
      }}
    >
      <Group grow gap="xs" align="flex-start">
        <TextInput
          label={t('import.name')}
          value={name}
          maxLength={128}
          required
          onChange={(e) => setName(e.currentTarget.value)}
        />
        <TextInput
          label={t('import.id')}
          description={t('import.idHelp')}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          value={id}
          maxLength={64}
          onChange={(e) => setId(e.currentTarget.value)}
          error={taken ? t('import.taken') : undefined}
          classNames={{ input: 'mono' }}
        />
      </Group>
      {create.error && !taken && (
        <div className="notice" data-s="failed" role="alert">
          {codes.error(create.error)}
        </div>
      )}
      <Group justify="flex-end" mt="md" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t('translation:action.cancel')}
        </Button>
        <Button type="submit" loading={create.isPending} disabled={!name.trim()}>
          {t('import.confirm')}
        </Button>
      </Group>
    </form>
  )
}
