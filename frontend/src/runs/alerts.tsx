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
          description={t(able ? (refused ? 'alerts.denied' : 'alerts.desktopHelp') : 'alerts.missing')}
          disabled={!able || refused}
          checked={wishes.desktop && able && !refused}
          onChange={(e) => void wantDesktop(e.currentTarget.checked)}
        />
        <Switch
          label={t('alerts.sound')}
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

/** Two short tones: up for what is well, down for what is not, level for a question. */
const tones: Record<News['what'], [number, number]> = {
  succeeded: [523, 784],
  failed: [440, 294],
  ended: [440, 294],
  asking: [587, 587],
}
const toneSeconds = 0.14

function chime(what: News['what']): void {
  if (!('AudioContext' in window)) return
  const audio = new AudioContext()
  const last = tones[what].map((hertz, i) => {
    const [tone, volume] = [audio.createOscillator(), audio.createGain()]
    const from = audio.currentTime + i * (toneSeconds + 0.03)
    tone.frequency.value = hertz
    volume.gain.setValueAtTime(0.0001, from)
    volume.gain.exponentialRampToValueAtTime(0.15, from + 0.02)
    volume.gain.exponentialRampToValueAtTime(0.0001, from + toneSeconds)
    tone.connect(volume).connect(audio.destination)
    tone.start(from)
    tone.stop(from + toneSeconds)
    return tone
  })[1]
  if (last) last.onended = () => void audio.close()
}
