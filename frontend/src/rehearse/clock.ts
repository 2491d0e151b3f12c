import { useEffect, useRef, useState } from 'react'

/** How long the whole is played at the plain speed, in ms. */
const playMs = 12_000

export interface Playback {
  /** From 0, the begin, to 1, the end. */
  place: number
  playing: boolean
  speed: number
  play(): void
  pause(): void
  seek(place: number): void
  setSpeed(speed: number): void
}

/** A place that moves from 0 to 1 while it is played; another key begins from the start. */
export function usePlayback(key: unknown): Playback {
  const [place, setPlace] = useState(0)
  const [playing, setPlaying] = useState(false)
  const [speed, setSpeed] = useState(1)
  const at = useRef(0)
  useEffect(() => {
    at.current = 0
    setPlace(0)
    setPlaying(key !== undefined)
  }, [key])
  useEffect(() => {
    if (!playing) return
    let last = performance.now()
    let frame = requestAnimationFrame(function step(now) {
      at.current = Math.min(1, at.current + ((now - last) * speed) / playMs)
      last = now
      setPlace(at.current)
      if (at.current >= 1) setPlaying(false)
      else frame = requestAnimationFrame(step)
    })
    return () => cancelAnimationFrame(frame)
  }, [playing, speed])
  return {
    place,
    playing,
    speed,
    setSpeed,
    play: () => {
      if (at.current >= 1) at.current = 0
      setPlaying(true)
    },
    pause: () => setPlaying(false),
    seek: (to) => {
      at.current = to
      setPlace(to)
      setPlaying(false)
    },
  }
}
