import { ActionIcon, Button, FileButton, SegmentedControl, Tooltip } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Flow } from '~/api/types'
import { IconCheck, IconCopy, IconDownload, IconUpload } from '~/app/icons'
import { say, sayError } from '~/app/notices'
import { placed } from '~/doc/arrange'
import { merge } from '~/doc/merge'
import { useDocStore } from '~/doc/store'
import { useText } from '~/i18n/text'
import { compare } from '~/versions/compare'
import { Counts } from '~/versions/counts'
import { Findings, useSaid } from './findings'
import type { Mark } from './highlight'
import { bytesMax, checked, type Finding, incoming, textOf } from './incoming'
import { download, fileName, type Notation, written } from './save'
import { TextEditor, type TextHandle } from './text-editor'

interface Props {
  project: string
  /** Tells whether the text holds what the canvas does not. */
  onDirty(dirty: boolean): void
  onClose(): void
}

/** How long the text rests before it is read. */
const restMs = 300

/** The flow as a text that can be changed, copied, saved, or taken from a file. */
export function SourcePanel({ project, onDirty, onClose }: Props) {
  const { t } = useTranslation('files')
  const store = useDocStore()
  // What the text is about: who else saves meanwhile changes the document below it.
  const [base] = useState<Flow>(() => store.getState().doc)
  const [notation, setNotation] = useState<Notation>('yaml')
  const [text, setText] = useState(() => written(base, 'yaml'))
  const [note, setNote] = useState('')
  const [busy, setBusy] = useState(false)
  const handle = useRef<TextHandle>(null)
  const { flow, findings, checking } = useRead(project, text)
  const changes = useMemo(() => (flow ? compare(base, { ...flow, id: base.id }) : undefined), [flow, base])
  const marks = useMarks(findings)
  const dirty = !changes || changes.length > 0
  useEffect(() => onDirty(dirty), [dirty, onDirty])
  const apply = async () => {
    if (!flow) return
    setBusy(true)
    const mine = await placed({ ...flow, ...(base.id === undefined ? {} : { id: base.id }) })
    const { doc, commit, seal } = store.getState()
    seal()
    commit({ op: 'replace', document: doc === base ? mine : merge(base, mine, doc, 'mine').document })
    say(t('source.applied'))
    onClose()
  }
  return (
    <div className="fl-source">
      <SourceTools
        notation={notation}
        text={text}
        flow={flow ?? base}
        settled={flow !== undefined}
        onNotation={(next) => {
          if (!flow) return
          setNotation(next)
          setText(written(flow, next))
        }}
        onOpened={(name, content) => {
          setNotation(/^\s*\{/.test(content) ? 'json' : 'yaml')
          setText(content)
          setNote(t('source.opened', { name }))
        }}
      />
      {note && (
        <div className="notice" data-s="waiting" role="status">
          {note}
        </div>
      )}
      <TextEditor label={t('source.label')} value={text} marks={marks} handle={handle} onChange={setText} />
      <Findings findings={findings} onGo={(at) => handle.current?.goTo(at)} />
      <div className="fl-foot">
        <Verdict findings={findings} checking={checking} dirty={dirty} />
        {changes && changes.length > 0 && (
          <span className="fl-changes">
            <span className="quiet">{t('source.changes')}</span> <Counts changes={changes} />
          </span>
        )}
        <span className="grow" />
        <Button loading={busy} disabled={!flow || !dirty} onClick={() => void apply()}>
          {t('source.apply')}
        </Button>
      </div>
    </div>
  )
}

/** What the text says: at once whether it is a flow, a moment later what the server thinks of it. */
function useRead(project: string, text: string) {
  const [settled] = useDebouncedValue(text, restMs)
  const found = useMemo(() => incoming(settled), [settled])
  const [answer, setAnswer] = useState<{ of: unknown; findings: Finding[] }>()
  useEffect(() => {
    const asking = new AbortController()
    void checked(project, found, asking.signal).then((findings) => {
      if (!asking.signal.aborted) setAnswer({ of: found, findings })
    })
    return () => asking.abort()
  }, [project, found])
  const known = answer?.of === found ? answer.findings : none
  const refused = known.some((f) => f.error)
  const findings = useMemo(() => [...found.findings, ...known], [found, known])
  const current = settled === text
  return {
    flow: current && !refused ? found.flow : undefined,
    findings,
    checking: !current || (found.flow !== undefined && answer?.of !== found),
  }
}

const none: Finding[] = []

function useMarks(findings: readonly Finding[]): Mark[] {
  const said = useSaid()
  const say = useRef(said)
  say.current = said
  return useMemo(
    () => findings.map((f) => ({ from: f.from, to: f.to, level: f.level, title: say.current(f) })),
    [findings],
  )
}

interface ToolsProps {
  notation: Notation
  text: string
  flow: Flow
  /** Whether the text is a flow that can be written another way. */
  settled: boolean
  onNotation(next: Notation): void
  onOpened(name: string, content: string): void
}

function SourceTools({ notation, text, flow, settled, onNotation, onOpened }: ToolsProps) {
  const { t } = useTranslation('files')
  const textOfName = useText()
  const open = async (file: File | null) => {
    if (!file) return
    const content = await textOf(file)
    if (content === null) sayError(t('source.unreadable', { name: file.name, mib: bytesMax >> 20 }))
    else onOpened(file.name, content)
  }
  const copy = () => void navigator.clipboard.writeText(text).then(() => say(t('source.copied')), sayError)
  const keep = () => {
    const type = notation === 'yaml' ? 'application/yaml' : 'application/json'
    download(new Blob([text], { type }), fileName(flow, textOfName(flow.name), notation))
  }
  return (
    <div className="fl-tools">
      <span title={settled ? undefined : t('source.notNow')}>
        <SegmentedControl
          aria-label={t('source.notation')}
          value={notation}
          disabled={!settled}
          onChange={(v) => onNotation(v as Notation)}
          data={[
            { value: 'yaml', label: 'YAML' },
            { value: 'json', label: 'JSON' },
          ]}
        />
      </span>
      <span className="quiet shell-wide">{t('source.keys')}</span>
      <span className="grow" />
      <FileButton accept=".yaml,.yml,.json,.txt" onChange={(file) => void open(file)}>
        {(props) => (
          <Button {...props} variant="default" leftSection={<IconUpload size={14} aria-hidden />}>
            {t('source.open')}
          </Button>
        )}
      </FileButton>
      <Tooltip label={t('source.copy')}>
        <ActionIcon variant="default" size={30} aria-label={t('source.copy')} onClick={copy}>
          <IconCopy size={15} aria-hidden />
        </ActionIcon>
      </Tooltip>
      <Button variant="default" leftSection={<IconDownload size={14} aria-hidden />} onClick={keep}>
        {t('source.download')}
      </Button>
    </div>
  )
}

/** Whether the text can be applied, in words and by a sign. */
function Verdict({ findings, checking, dirty }: { findings: readonly Finding[]; checking: boolean; dirty: boolean }) {
  const { t } = useTranslation('files')
  const broken = findings.filter((f) => f.level === 'error' && !f.problem).length
  const remarks = findings.length - broken
  const state = broken > 0 ? 'failed' : remarks > 0 ? 'waiting' : 'succeeded'
  return (
    <span className="fl-verdict" data-s={checking ? 'idle' : state} role="status">
      {checking ? (
        t('source.checking')
      ) : broken > 0 ? (
        t('source.errors', { n: broken })
      ) : remarks > 0 ? (
        t('source.warnings', { n: remarks })
      ) : (
        <>
          <IconCheck size={14} aria-hidden /> {t(dirty ? 'source.fine' : 'source.same')}
        </>
      )}
    </span>
  )
}
