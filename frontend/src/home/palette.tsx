import { Modal, useMantineColorScheme } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { call, path } from '~/api/client'
import { queries } from '~/api/queries'
import type { FlowSummary, Page, RunSummary } from '~/api/types'
import { IconSearch } from '~/app/icons'
import { switchLanguage } from '~/i18n'
import { useLang, useText } from '~/i18n/text'
import { switchKeys, useKeysOn } from '~/ui/keys'
import { type Entry, grouped, matching } from './palette-model'
import './palette.css'

/** How many flows and runs are offered at once. */
const offerMax = 6

/** Leads anywhere by a few letters: flows, runs, pages, commands. `early` is what is typed until its field has the focus. */
export function Palette({ early, onClose }: { early: { current: string | null }; onClose(): void }) {
  const { t } = useTranslation('palette')
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const listId = useId()
  const list = useRef<HTMLDivElement>(null)
  const fixed = useFixed()
  const found = useFound(text)
  // What the server found for other letters is not offered for these.
  const offered = found.busy ? matching(found.entries, text) : found.entries
  const groups = grouped([...offered, ...matching(fixed, text)])
  const flat = groups.flatMap((g) => g.entries)
  const current = flat[Math.min(at, flat.length - 1)]
  const currentId = current && `${listId}-${current.id}`
  useEffect(() => {
    if (currentId) document.getElementById(currentId)?.scrollIntoView({ block: 'nearest' })
  }, [currentId])
  const open = (entry: Entry | undefined) => {
    if (!entry) return
    onClose()
    entry.run()
  }
  const keys = (e: KeyboardEvent) => {
    const n = flat.length
    if (e.key === 'ArrowDown' && n > 0) setAt((old) => (Math.min(old, n - 1) + 1) % n)
    else if (e.key === 'ArrowUp' && n > 0) setAt((old) => (Math.min(old, n - 1) + n - 1) % n)
    else if (e.key === 'Enter') open(current)
    else return
    e.preventDefault()
  }
  return (
    <Modal.Root opened onClose={onClose} size={580} yOffset="12vh" transitionProps={{ duration: 90 }} centered={false}>
      <Modal.Overlay backgroundOpacity={0.35} />
      <Modal.Content aria-label={t('label')} radius="md">
        <div className="pl-field">
          <IconSearch size={16} aria-hidden />
          <input
            type="text"
            role="combobox"
            aria-label={t('label')}
            aria-expanded="true"
            aria-controls={listId}
            aria-activedescendant={currentId}
            aria-autocomplete="list"
            placeholder={t('placeholder')}
            value={text}
            spellCheck={false}
            autoComplete="off"
            onChange={(e) => {
              setText(e.currentTarget.value)
              setAt(0)
            }}
            onKeyDown={keys}
            onFocus={() => {
              // What was typed until now; from here on the keys are the field's.
              if (early.current) setText(early.current)
              early.current = null
            }}
            data-autofocus
          />
          <kbd>Esc</kbd>
        </div>
        <div className="pl-list" id={listId} role="listbox" aria-label={t('label')} ref={list}>
          {groups.map(({ group, entries }) => (
            // biome-ignore lint/a11y/useSemanticElements: a group inside a listbox
            <div key={group} role="group" aria-label={t(group)}>
              <div className="pl-group" aria-hidden>
                {t(group)}
              </div>
              {entries.map((e) => (
                // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the field's
                // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus
                <div
                  key={e.id}
                  id={`${listId}-${e.id}`}
                  role="option"
                  aria-selected={e === current}
                  className="pl-entry"
                  onPointerMove={() => setAt(flat.indexOf(e))}
                  onClick={() => open(e)}
                >
                  <span className="clip">{e.label}</span>
                  {e.note && <span className="quiet clip">{e.note}</span>}
                </div>
              ))}
            </div>
          ))}
        </div>
        {flat.length === 0 && !found.busy && <div className="pl-none">{t('none', { q: text.trim() })}</div>}
        <div className="pl-foot">
          <span role="status">{found.busy ? t('searching') : t('results', { n: flat.length })}</span>
          <span className="grow" />
          <span>{t('hint')}</span>
        </div>
      </Modal.Content>
    </Modal.Root>
  )
}

/** The project that commands are about: that of the page, else the first. */
function useProject(): string | undefined {
  const { project } = useParams({ strict: false })
  const projects = useQuery(queries.projects())
  return project ?? projects.data?.items[0]?.id
}

/** Pages and commands: the same wherever it is opened. */
function useFixed(): Entry[] {
  const { t } = useTranslation('palette')
  const { t: common } = useTranslation()
  const project = useProject()
  const navigate = useNavigate()
  const lang = useLang()
  const keysOn = useKeysOn()
  const { setColorScheme } = useMantineColorScheme()
  return useMemo(() => {
    const go =
      (to: string, search: object = {}) =>
      () =>
        void navigate({ to, params: { project }, search } as unknown as Parameters<typeof navigate>[0])
    const page = (id: string, label: string, to: string): Entry => ({
      id,
      group: 'pages',
      label,
      also: id,
      run: go(to),
    })
    const action = (id: string, label: string, also: string, run: () => void): Entry => ({
      id,
      group: 'actions',
      label,
      also,
      run,
    })
    const inProject = project
      ? [
          page('home', common('nav.home'), '/p/$project'),
          page('flows', common('nav.flows'), '/p/$project/flows'),
          page('runs', common('nav.runs'), '/p/$project/runs'),
          page('plugins', common('nav.plugins'), '/p/$project/plugins'),
          page('systems', common('nav.systems'), '/p/$project/systems'),
          page('audit', common('nav.audit'), '/p/$project/audit'),
          page('secrets', common('nav.secrets'), '/p/$project/secrets'),
          action('create', t('newFlow'), 'new flow create', go('/p/$project/flows', { create: '1' })),
          action('failed', t('failedRuns'), 'failed runs', go('/p/$project/runs', { state: 'failed' })),
          action('blocked', t('waitingRuns'), 'blocked runs', go('/p/$project/runs', { state: 'blocked' })),
        ]
      : []
    return [
      ...inProject,
      action('light', t('light'), 'light theme', () => setColorScheme('light')),
      action('dark', t('dark'), 'dark theme', () => setColorScheme('dark')),
      action('auto', t('system'), 'system theme', () => setColorScheme('auto')),
      action('lang', t('language'), 'language english 中文', () => void switchLanguage(lang === 'zh' ? 'en' : 'zh')),
      action('keys', t(keysOn ? 'keysOff' : 'keysOn'), 'keys shortcuts', () => void switchKeys()),
    ]
  }, [project, navigate, lang, keysOn, setColorScheme, t, common])
}

/** The flows and runs that a text leads to, as the server knows them. */
function useFound(text: string): { entries: Entry[]; busy: boolean } {
  const { t } = useTranslation('palette')
  const { t: common } = useTranslation()
  const project = useProject()
  const navigate = useNavigate()
  const say = useText()
  const [q] = useDebouncedValue(text.trim(), 120)
  const ask = (list: string) => ({
    queryKey: [list, project, 'palette', q],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      call<Page<unknown>>(
        `${path('projects', project ?? '', list)}?limit=${offerMax}${q ? `&q=${encodeURIComponent(q)}` : ''}`,
        { signal },
      ),
    enabled: project !== undefined,
    placeholderData: keepPreviousData,
  })
  const flows = useQuery(ask('flows'))
  const runs = useQuery(ask('runs'))
  const entries = useMemo(() => {
    if (!project) return []
    const out: Entry[] = []
    for (const f of (flows.data?.items ?? []) as FlowSummary[]) {
      const name = say(f.name)
      const to = (page: '/p/$project/flows/$flow' | '/p/$project/flows/$flow/start') => () =>
        void navigate({ to: page, params: { project, flow: f.id } })
      out.push({ id: `flow-${f.id}`, group: 'flows', label: name, note: f.id, run: to('/p/$project/flows/$flow') })
      if (q && f.version > 0) {
        const label = t('startFlow', { name })
        out.push({ id: `start-${f.id}`, group: 'flows', label, run: to('/p/$project/flows/$flow/start') })
      }
    }
    for (const r of (runs.data?.items ?? []) as RunSummary[]) {
      out.push({
        id: `run-${r.id}`,
        group: 'runs',
        label: r.name || say(r.flow_name),
        note: common(`run.state.${r.state}`),
        run: () => void navigate({ to: '/p/$project/runs/$run', params: { project, run: r.id } }),
      })
    }
    return out
  }, [project, flows.data, runs.data, say, navigate, q, t, common])
  return { entries, busy: flows.isFetching || runs.isFetching || q !== text.trim() }
}
