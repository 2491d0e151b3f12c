import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import type { NodeState, NodeView } from '~/api/types'
import type { Lang } from '~/i18n/text'
import { isSpinning } from './states'

const dashed =
  'M8.56 3.69a9 9 0 0 0 -2.92 1.95M3.69 8.56a9 9 0 0 0 -.69 3.44M3.69 15.44a9 9 0 0 0 1.95 2.92M8.56 20.31a9 9 0 0 0 3.44 .69M15.44 20.31a9 9 0 0 0 2.92 -1.95M20.31 15.44a9 9 0 0 0 .69 -3.44M20.31 8.56a9 9 0 0 0 -1.95 -2.92M15.44 3.69a9 9 0 0 0 -3.44 -.69'
const arc = 'M12 3a9 9 0 1 0 9 9'

/** The strokes of the icons of states.tsx, those of each in one path. */
const strokes: Record<NodeState, string> = {
  idle: dashed,
  ready: dashed,
  running: arc,
  waiting:
    'M6.5 7h11M6.5 17h11M6 20v-2a6 6 0 1 1 12 0v2a1 1 0 0 1 -1 1h-10a1 1 0 0 1 -1 -1M6 4v2a6 6 0 1 0 12 0v-2a1 1 0 0 0 -1 -1h-10a1 1 0 0 0 -1 1',
  suspended:
    'M6 6a1 1 0 0 1 1 -1h2a1 1 0 0 1 1 1v12a1 1 0 0 1 -1 1h-2a1 1 0 0 1 -1 -1l0 -12M14 6a1 1 0 0 1 1 -1h2a1 1 0 0 1 1 1v12a1 1 0 0 1 -1 1h-2a1 1 0 0 1 -1 -1l0 -12',
  succeeded: 'M5 12l5 5l10 -10',
  failed: 'M18 6l-12 12M6 6l12 12',
  skipped: 'M4 5v14l12 -7l-12 -7M20 5l0 14',
  cancelled: 'M3 12a9 9 0 1 0 18 0a9 9 0 1 0 -18 0M5.7 5.7l12.6 12.6',
  unknown: 'M8 8a3.5 3 0 0 1 3.5 -3h1a3.5 3 0 0 1 3.5 3a3 3 0 0 1 -2 3a3 4 0 0 0 -2 4M12 19l0 .01',
  rolling_back: arc,
  rolled_back: 'M9 14l-4 -4l4 -4M5 10h11a4 4 0 1 1 0 8h-1',
  rollback_failed:
    'M12 9v4M10.363 3.591l-8.106 13.534a1.914 1.914 0 0 0 1.636 2.871h16.214a1.914 1.914 0 0 0 1.636 -2.87l-8.106 -13.536a1.914 1.914 0 0 0 -3.274 0M12 16h.01',
}
const [ofPerson, ofTimer] = [
  'M8 7a4 4 0 1 0 8 0a4 4 0 0 0 -8 0M6 21v-2a4 4 0 0 1 4 -4h4a4 4 0 0 1 4 4v2',
  'M3 12a9 9 0 1 0 18 0a9 9 0 0 0 -18 0M12 7v5l3 3',
]

function strokesOf({ state, wait }: Pick<NodeView, 'state' | 'wait'>): string {
  if (state === 'waiting' && wait?.kind === 'human') return ofPerson
  if (state === 'waiting' && wait?.kind === 'timer') return ofTimer
  return strokes[state] ?? strokes.idle
}

/**
 * The icon of a node's state, for nodes and rows that change all the time: of one path, so that another state is another
 * value of it. Another component would be taken out of the page and put into it anew.
 */
export function StateGlyph({
  view,
  stroke,
  size = 12,
}: {
  view: Pick<NodeView, 'state' | 'wait'>
  stroke: number
  size?: number
}) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={stroke}
      strokeLinecap="round"
      strokeLinejoin="round"
      className={isSpinning(view.state) ? 'spin' : undefined}
      aria-hidden
    >
      <path d={strokesOf(view)} />
    </svg>
  )
}

const words = new Map<string, string>()

/** The word for a state of a node: asked for once a language, because a run that changes all the time asks for little else. */
export function stateWord(t: TFunction, lang: Lang, state: NodeState): string {
  const key = `${lang} ${state}`
  const known = words.get(key)
  if (known !== undefined) return known
  const word = t(`node.state.${state}`)
  words.set(key, word)
  return word
}

/** A state of a node as icon and word: colour is never the only sign. */
export function NodePill({ view }: { view: Pick<NodeView, 'state' | 'wait'> }) {
  const { t } = useTranslation()
  return (
    <span className="pill" data-s={view.state}>
      <StateGlyph view={view} size={13} stroke={2.2} />
      {t(`node.state.${view.state}`)}
    </span>
  )
}
