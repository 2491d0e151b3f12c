import { Button, FileInput, SegmentedControl, Select, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { IconUpload } from '~/app/icons'
import { ErrorNotice, say } from '~/app/notices'
import { Crumbs } from '~/app/shell'
import '~/catalogue/catalogue.css'
import { bytesText } from '~/catalogue/entries'
import { useText } from '~/i18n/text'
import { gateway } from './api'
import { DifferenceView, isEmpty } from './difference'
import { registry, useImport } from './registry-api'
import './registry.css'
import './systems.css'
import type { ImportInput, ImportResult } from './types'
import { useSaid, useWrong } from './wrong'

const route = getRouteApi('/p/$project/system-import')

const sources = ['contract', 'file', 'paste'] as const
type Source = (typeof sources)[number]

/** Imports the operations of a system from an OpenAPI document, after its differences were shown. */
export function ImportPage() {
  const { t } = useTranslation('registry')
  const { t: common } = useTranslation()
  const text = useText()
  const { project } = route.useParams()
  const { system } = route.useSearch()
  const known = useQuery({ ...gateway.system(project, system ?? ''), enabled: system !== undefined })
  const title = system ? t('import.again', { name: known.data ? text(known.data.title) : system }) : t('import.title')
  return (
    <div className="page">
      <Crumbs>
        <span className="sep shell-wide">/</span>
        <Link to="/p/$project/systems" params={{ project }}>
          {common('nav.systems')}
        </Link>
        <span className="sep">/</span>
        <span aria-current="page" className="clip">
          {title}
        </span>
      </Crumbs>
      <div className="page-head">
        <h1>{title}</h1>
      </div>
      <Importer project={project} system={system} />
    </div>
  )
}

interface Draft {
  source: Source
  contract: string
  file: File | null
  text: string
  id: string
  base: string
  enable: NonNullable<ImportInput['enable']>
  removed: NonNullable<ImportInput['removed']>
}

function Importer({ project, system }: { project: string; system: string | undefined }) {
  const { t } = useTranslation('registry')
  const navigate = useNavigate()
  const text = useText()
  const [draft, setDraft] = useState<Draft>({
    source: 'contract',
    contract: '',
    file: null,
    text: '',
    id: system ?? '',
    base: '',
    enable: 'none',
    removed: 'disable',
  })
  const send = useImport(project)
  // What was shown belongs to what was asked; a change of it asks for another look.
  const [shown, setShown] = useState<{ input: ImportInput; result: ImportResult }>()
  const set = (patch: Partial<Draft>) => {
    setDraft({ ...draft, ...patch })
    setShown(undefined)
    send.reset()
  }
  const preview = async (e: FormEvent) => {
    e.preventDefault()
    const input = await inputOf(draft)
    send.mutate(input, { onSuccess: (result) => setShown({ input, result }) })
  }
  const apply = () => {
    if (!shown) return
    send.mutate(
      { ...shown.input, apply: true, version: shown.result.version },
      {
        onSuccess: (result) => {
          say(t('import.applied', { name: result.system }))
          void navigate({ to: '/p/$project/systems/$system', params: { project, system: result.system } })
        },
      },
    )
  }
  const wrong = useWrong(true)(send.error)
  const placed = ['/id', '/base_url', '/document', '/contract'].some((f) => wrong.has(f))
  return (
    <form className="sys-import" onSubmit={(e) => void preview(e)}>
      <div className="sys-import-form">
        <SourceFields draft={draft} wrong={wrong} onChange={set} />
        {!system && (
          <TextInput
            label={t('import.id')}
            description={t('import.idHint')}
            value={draft.id}
            placeholder={draft.source === 'contract' ? draft.contract : undefined}
            error={wrong.get('/id')}
            onChange={(e) => set({ id: e.currentTarget.value.trim() })}
            spellCheck={false}
            required={draft.source !== 'contract'}
          />
        )}
        <TextInput
          label={t('import.baseURL')}
          description={t('import.baseURLHint')}
          value={draft.base}
          error={wrong.get('/base_url')}
          onChange={(e) => set({ base: e.currentTarget.value.trim() })}
          placeholder="https://"
          spellCheck={false}
        />
        <Choice
          label={t('import.enable')}
          value={draft.enable}
          data={(['none', 'read', 'all'] as const).map((value) => ({ value, label: t(`import.enableIs.${value}`) }))}
          onChange={(enable) => set({ enable })}
        />
        {(system || (shown?.result.version ?? 0) > 0) && (
          <Choice
            label={t('import.removed')}
            value={draft.removed}
            data={(['disable', 'delete'] as const).map((value) => ({ value, label: t(`import.removedIs.${value}`) }))}
            onChange={(removed) => set({ removed })}
          />
        )}
        <div>
          <Button
            type="submit"
            variant={shown ? 'default' : 'filled'}
            loading={send.isPending && !shown}
            disabled={!ready(draft)}
          >
            {t('import.preview')}
          </Button>
        </div>
        {send.error && !placed && <ErrorNotice error={send.error} title={wrong.get('')} />}
      </div>
      {shown && (
        <div className="sys-import-result cat-panel" aria-live="polite">
          <h2>{t('diff.title')}</h2>
          <p className="quiet">
            {t('import.read', {
              title: shown.result.document.title || text(shown.result.system),
              version: shown.result.document.version,
              openapi: shown.result.document.openapi,
              n: shown.result.document.operations,
            })}
          </p>
          <Skipped skipped={shown.result.skipped} />
          {isEmpty(shown.result) ? (
            <p>{t('import.none')}</p>
          ) : (
            <>
              <div className="sys-send">
                <Button leftSection={<IconUpload size={14} aria-hidden />} loading={send.isPending} onClick={apply}>
                  {t('import.apply')}
                </Button>
              </div>
              <DifferenceView difference={shown.result} />
            </>
          )}
        </div>
      )}
    </form>
  )
}

interface ChoiceProps<T extends string> {
  label: string
  value: T
  data: { value: T; label: string }[]
  onChange(value: T): void
}

function Choice<T extends string>({ label, value, data, onChange }: ChoiceProps<T>) {
  return (
    <div className="sys-choice">
      <span className="sys-choice-label">{label}</span>
      <SegmentedControl aria-label={label} value={value} data={data} onChange={(v) => onChange(v as T)} />
    </div>
  )
}

interface SourceProps {
  draft: Draft
  wrong: ReadonlyMap<string, string>
  onChange(patch: Partial<Draft>): void
}

function SourceFields({ draft, wrong, onChange }: SourceProps) {
  const { t } = useTranslation('registry')
  const text = useText()
  const contracts = useQuery({ ...registry.contracts(), enabled: draft.source === 'contract' })
  const items = contracts.data?.items ?? []
  const about = items.find((c) => c.id === draft.contract)
  return (
    <>
      <Choice
        label={t('import.from')}
        value={draft.source}
        data={sources.map((value) => ({ value, label: t(`import.source.${value}`) }))}
        onChange={(source) => onChange({ source })}
      />
      {draft.source === 'contract' && (
        <>
          {contracts.error && <ErrorNotice error={contracts.error} onRetry={() => void contracts.refetch()} />}
          <Select
            label={t('import.contract')}
            description={about?.doc ? text(about.doc) : t('import.contractHint')}
            data={items.map((c) => ({ value: c.id, label: `${text(c.title)} (${c.id})` }))}
            value={draft.contract || null}
            error={wrong.get('/contract') ?? wrong.get('/document')}
            onChange={(contract) => onChange({ contract: contract ?? '' })}
            searchable
            required
          />
        </>
      )}
      {draft.source === 'file' && (
        <FileInput
          label={t('import.file')}
          description={
            draft.file
              ? t('import.chosen', { name: draft.file.name, size: bytesText(draft.file.size) })
              : t('import.fileHint')
          }
          accept=".json,.yaml,.yml,application/json"
          value={draft.file}
          error={wrong.get('/document')}
          onChange={(file) => onChange({ file })}
          leftSection={<IconUpload size={14} aria-hidden />}
          placeholder={t('import.file')}
          required
        />
      )}
      {draft.source === 'paste' && (
        <Textarea
          label={t('import.paste')}
          description={t('import.fileHint')}
          value={draft.text}
          error={wrong.get('/document')}
          onChange={(e) => onChange({ text: e.currentTarget.value })}
          autosize
          minRows={8}
          maxRows={20}
          spellCheck={false}
          classNames={{ input: 'mono' }}
          required
        />
      )}
    </>
  )
}

function Skipped({ skipped }: { skipped: ImportResult['skipped'] }) {
  const { t } = useTranslation('registry')
  const { t: systems } = useTranslation('systems')
  const said = useSaid()
  if (skipped.length === 0) return null
  return (
    <details className="sys-fold">
      <summary>{t('import.skipped', { n: skipped.length })}</summary>
      <ul className="sys-skipped">
        {skipped.map((s, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list is shown once, as it came
          <li key={i}>
            <code className="mono">
              {s.method} {s.path}
            </code>{' '}
            {s.part && (
              <span>{t('import.part', { part: s.in === 'body' ? systems('operations.body') : (s.of ?? s.part) })}</span>
            )}{' '}
            <span className="quiet">
              {!s.part && s.of && t('import.ofParameter', { name: s.of })}
              {said(s.code, s.args) ?? s.reason}
            </span>
          </li>
        ))}
      </ul>
    </details>
  )
}

function ready(d: Draft): boolean {
  if (d.source === 'contract') return d.contract !== ''
  return d.id !== '' && (d.source === 'file' ? d.file !== null : d.text.trim() !== '')
}

async function inputOf(d: Draft): Promise<ImportInput> {
  const document = d.source === 'file' ? await d.file?.text() : d.text
  return {
    id: d.id,
    ...(d.source === 'contract' ? { contract: d.contract } : { document }),
    ...(d.base ? { base_url: d.base } : {}),
    enable: d.enable,
    removed: d.removed,
  }
}
