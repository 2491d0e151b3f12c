import { ActionIcon, Popover, Switch, Tooltip } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { IconBell, IconBellOff } from '~/app/icons'
import { useNodeName } from '~/canvas/nodes'
import type { PathNode } from '~/doc/paths'
import { useRunStore } from '~/run/store'
import { type News, newsOf } from './signals'

interface Wishes {
  desktop: boolean
  sound: boolean
}

interface Props {
  name: string
  nodes: readonly PathNode[]
  onGo(path: string): void
}

/** Tells a person who looks elsewhere what happened; off until it is wanted. */
export function Alerts({ name, nodes, onGo }: Props) {
  const { t } = useTranslation('console')
  const [wishes, setWishes] = useLocalStorage<Wishes>({
    key: 'culm.alerts',
    defaultValue: { desktop: false, sound: false },
  })
  const [refused, setRefused] = useState(() => 'Notification' in window && Notification.permission === 'denied')
  const able = 'Notification' in window
  useNews(name, nodes, wishes, onGo)
  const wantDesktop = async (on: boolean) => {
    if (!on) return setWishes({ ...wishes, desktop: false })
    const answer = await Notification.requestPermission()
    setRefused(answer === 'denied')
    setWishes({ ...wishes, desktop: answer === 'granted' })
  }
  const wantSound = (on: boolean) => {
    setWishes({ ...wishes, sound: on })
    if (on) chime('asking')
  }
  const on = (wishes.desktop && able && !refused) || wishes.sound
  return (
    <Popover position="bottom-end" width={300} trapFocus>
      <Popover.Target>
        <Tooltip label={t('alerts.title')}>
          <ActionIcon variant="subtle" color="gray" size={26} aria-label={t(on ? 'alerts.on' : 'alerts.off')}>
            {on ? <IconBell size={15} aria-hidden /> : <IconBellOff size={15} aria-hidden />}
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown className="rn-alerts" aria-label={t('alerts.title')}>
        <Switch
          label={t('alerts.desktop')}
          aria-label={t('alerts.desktop')}
          description={t(able ? (refused ? 'alerts.denied' : 'alerts.desktopHelp') : 'alerts.missing')}
          disabled={!able || refused}
          checked={wishes.desktop && able && !refused}
          onChange={(e) => void wantDesktop(e.currentTarget.checked)}
        />
        <Switch
          label={t('alerts.sound')}
          aria-label={t('alerts.sound')}
          description={t('alerts.soundHelp')}
          checked={wishes.sound}
          onChange={(e) => wantSound(e.currentTarget.checked)}
        />
      </Popover.Dropdown>
    </Popover>
  )
}

/** Watches the shown run and tells what is new. */
function useNews(name: string, nodes: readonly PathNode[], wishes: Wishes, onGo: (path: string) => void): void {
  const { t } = useTranslation('console')
  const store = useRunStore()
  const nameOf = useNodeName()
  const latest = useRef({ name, nodes, wishes, onGo, t, nameOf })
  latest.current = { name, nodes, wishes, onGo, t, nameOf }
  useEffect(() => {
    let seen = store.summary
    return store.onRun(() => {
      const news = newsOf(seen, store.summary)
      seen = store.summary
      if (!news) return
      const now = latest.current
      if (now.wishes.sound) chime(news.what)
      if (!now.wishes.desktop || document.hasFocus()) return
      const entry = now.nodes.find((n) => n.path === news.node)
      const body = now.t(`alerts.is.${news.what}`, { node: entry ? now.nameOf(entry.node) : (news.node ?? '') })
      show(now.name, body, () => news.node !== undefined && now.onGo(news.node))
    })
  }, [store])
}

function show(title: string, body: string, onClick: () => void): void {
  try {
    // The same tag: what is told later takes the place of what was told before.
    const shown = new Notification(title, { body, tag: `culm ${title}` })
    shown.onclick = () => {
      window.focus()
      onClick()
      shown.close()
    }
  } catch {
    // Phones know the interface but only let workers use it: the page itself still shows everything.
  }
}

/** The pitch of the tone in hertz: high for what is well, low for what is not, between them for a question. */
const pitch: Record<News['what'], number> = { succeeded: 784, asking: 587, failed: 392, ended: 392 }
const toneSeconds = 0.6

/** One soft tone that swells and fades away; nothing at all where the browser does not let a page sound. */
function chime(what: News['what']): void {
  // A page that nobody has touched yet may not sound: its tone would come later, out of the blue.
  if (!('AudioContext' in window) || navigator.userActivation?.hasBeenActive === false) return
  const audio = new AudioContext()
  const [tone, volume] = [audio.createOscillator(), audio.createGain()]
  const from = audio.currentTime
  tone.frequency.value = pitch[what]
  volume.gain.setValueAtTime(0.0001, from)
  volume.gain.exponentialRampToValueAtTime(0.12, from + 0.05)
  volume.gain.exponentialRampToValueAtTime(0.0001, from + toneSeconds)
  tone.connect(volume).connect(audio.destination)
  tone.onended = () => void audio.close()
  tone.start(from)
  tone.stop(from + toneSeconds)
}
