import { ActionIcon, Menu, Tooltip, useMantineColorScheme } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useParams } from '@tanstack/react-router'
import { createContext, type ReactNode, Suspense, useContext, useEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { useTranslation } from 'react-i18next'
import { queries } from '~/api/queries'
import { lazy } from '~/app/lazy'
import { needsQuery } from '~/home/queries'
import { loadTexts, switchLanguage } from '~/i18n'
import { useLang } from '~/i18n/text'
import {
  IconActivity,
  IconCheck,
  IconDeviceDesktop,
  IconFileText,
  IconHome,
  IconLock,
  IconMoon,
  IconPlug,
  IconSearch,
  IconServer,
  IconSitemap,
  IconSun,
} from './icons'
import './shell.css'

const Palette = lazy(async () => {
  const [module] = await Promise.all([import('~/home/palette'), loadTexts('palette')])
  return { default: module.Palette }
})

const Away = lazy(() => import('~/home/away').then((m) => ({ default: m.Away })))

const SlotContext = createContext<{ crumbs: HTMLElement | null; actions: HTMLElement | null }>({
  crumbs: null,
  actions: null,
})

/** Puts the page's own part into the breadcrumb of the top bar. */
export function Crumbs({ children }: { children: ReactNode }) {
  const { crumbs } = useContext(SlotContext)
  return crumbs ? createPortal(children, crumbs) : null
}

/** Puts the page's own actions at the right end of the top bar. */
export function BarActions({ children }: { children: ReactNode }) {
  const { actions } = useContext(SlotContext)
  return actions ? createPortal(children, actions) : null
}

/** The frame around every page of a project: top bar and rail. */
export function Shell() {
  const { t } = useTranslation()
  const { project } = useParams({ strict: false })
  const client = useQueryClient()
  const [crumbs, setCrumbs] = useState<HTMLElement | null>(null)
  const [actions, setActions] = useState<HTMLElement | null>(null)
  return (
    <SlotContext value={{ crumbs, actions }}>
      <div className="shell">
        <header className="shell-bar">
          <a className="shell-skip" href="#main">
            {t('shell.skip')}
          </a>
          <Link to="/" className="shell-mark" aria-label="Culm">
            <Mark />
            <span>Culm</span>
          </Link>
          <nav className="shell-crumbs" aria-label={t('shell.breadcrumb')}>
            {project && <span className="sep shell-wide">/</span>}
            {project && <ProjectCrumb project={project} />}
            <span ref={setCrumbs} className="shell-slot" />
          </nav>
          <div ref={setActions} className="shell-slot" />
          <Finder />
          <LanguageSwitch />
          <SchemeSwitch />
        </header>
        {project ? <Rail project={project} /> : <div className="shell-rail" />}
        <main className="shell-main" id="main" tabIndex={-1}>
          <Outlet />
        </main>
        {project && (
          <Suspense>
            <Away project={project} client={client} />
          </Suspense>
        )}
      </div>
    </SlotContext>
  )
}

/** The button of the command palette, and its keys. */
function Finder() {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  // What is typed before the palette's field has the focus is meant for it, and for no key of the page.
  const early = useRef<string | null>(null)
  useEffect(() => {
    const pressed = (e: KeyboardEvent) => {
      const control = e.ctrlKey || e.metaKey
      if (control ? e.key.toLowerCase() !== 'k' || e.altKey || e.shiftKey : early.current === null || e.key[1]) return
      e.preventDefault()
      e.stopPropagation()
      if (control) setOpen((old) => !old)
      else early.current += e.key
    }
    document.addEventListener('keydown', pressed, true)
    return () => document.removeEventListener('keydown', pressed, true)
  }, [])
  useEffect(() => {
    early.current = open ? '' : null
  }, [open])
  return (
    <>
      <Tooltip label={`${t('shell.find')} (${mac() ? '⌘' : 'Ctrl '}K)`}>
        <ActionIcon aria-label={t('shell.find')} aria-keyshortcuts="Control+K Meta+K" onClick={() => setOpen(true)}>
          <IconSearch size={17} stroke={1.7} aria-hidden />
        </ActionIcon>
      </Tooltip>
      {open && (
        <Suspense fallback={null}>
          <Palette early={early} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}

function mac(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.userAgent)
}

function Mark() {
  return (
    <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#4f46e5" />
      <path d="M13 5h6v6.2h-6zM13 13h6v6.2h-6zM13 21h6v6h-6z" fill="#fff" />
      <path
        d="M19 12.1c3.4-.2 5.6-1.7 6.6-4.6-3.6-.3-5.8 1.1-6.6 4.6zM13 20.1c-3.4-.2-5.6-1.7-6.6-4.6 3.6-.3 5.8 1.1 6.6 4.6z"
        fill="#c3c7ff"
      />
    </svg>
  )
}

function ProjectCrumb({ project }: { project: string }) {
  const { data } = useQuery(queries.projects())
  const name = data?.items.find((p) => p.id === project)?.name ?? project
  const others = data?.items.filter((p) => p.id !== project) ?? []
  if (others.length === 0) {
    return (
      <Link to="/p/$project" params={{ project }} className="shell-wide">
        {name}
      </Link>
    )
  }
  return (
    <Menu>
      <Menu.Target>
        <button type="button" className="shell-project">
          {name}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {data?.items.map((p) => (
          <Menu.Item key={p.id} component={Link} {...({ to: '/p/$project', params: { project: p.id } } as object)}>
            {p.name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function Rail({ project }: { project: string }) {
  const { t } = useTranslation()
  const needs = useQuery(needsQuery(project)).data ?? 0
  const entries = [
    { to: '/p/$project', label: t('nav.home'), Icon: IconHome, n: needs },
    { to: '/p/$project/flows', label: t('nav.flows'), Icon: IconSitemap },
    { to: '/p/$project/runs', label: t('nav.runs'), Icon: IconActivity },
    { to: '/p/$project/plugins', label: t('nav.plugins'), Icon: IconPlug },
    { to: '/p/$project/systems', label: t('nav.systems'), Icon: IconServer },
    { to: '/p/$project/audit', label: t('nav.audit'), Icon: IconFileText },
    { to: '/p/$project/secrets', label: t('nav.secrets'), Icon: IconLock },
  ] as const
  return (
    <nav className="shell-rail" aria-label={t('shell.nav')}>
      {entries.map(({ to, label, Icon, ...more }) => {
        const n = 'n' in more ? more.n : 0
        const name = n > 0 ? `${label}, ${t('shell.needs', { n })}` : label
        return (
          <Tooltip key={to} label={name} position="right">
            <Link
              to={to}
              params={{ project }}
              aria-label={name}
              activeProps={{ 'aria-current': 'page' }}
              activeOptions={{ exact: to === '/p/$project' }}
            >
              <Icon size={20} stroke={1.7} aria-hidden />
              {n > 0 && <span className="shell-badge num">{n > 99 ? '99+' : n}</span>}
            </Link>
          </Tooltip>
        )
      })}
    </nav>
  )
}

function LanguageSwitch() {
  const lang = useLang()
  const next = lang === 'zh' ? 'en' : 'zh'
  // The button is named in the language it leads to, for those who cannot read this one.
  const label = next === 'en' ? 'Switch to English' : '切换到中文'
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} lang={next} onClick={() => void switchLanguage(next)} w={34} fz={12} fw={600}>
        {next === 'en' ? 'EN' : '中'}
      </ActionIcon>
    </Tooltip>
  )
}

const schemes = { light: IconSun, dark: IconMoon, auto: IconDeviceDesktop } as const

function SchemeSwitch() {
  const { t } = useTranslation()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const Current = schemes[colorScheme]
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label={t('scheme.label')}>
          <Current size={17} stroke={1.7} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {(['light', 'dark', 'auto'] as const).map((scheme) => {
          const Icon = schemes[scheme]
          return (
            <Menu.Item
              key={scheme}
              leftSection={<Icon size={15} aria-hidden />}
              rightSection={scheme === colorScheme ? <IconCheck size={14} aria-hidden /> : null}
              onClick={() => setColorScheme(scheme)}
            >
              {t(`scheme.${scheme}`)}
            </Menu.Item>
          )
        })}
      </Menu.Dropdown>
    </Menu>
  )
}
