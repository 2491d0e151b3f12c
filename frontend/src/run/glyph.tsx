import { __iconNode as warning } from '@tabler/icons-react/dist/esm/icons/IconAlertTriangle.mjs'
import { __iconNode as back } from '@tabler/icons-react/dist/esm/icons/IconArrowBackUp.mjs'
import { __iconNode as ban } from '@tabler/icons-react/dist/esm/icons/IconBan.mjs'
import { __iconNode as check } from '@tabler/icons-react/dist/esm/icons/IconCheck.mjs'
import { __iconNode as dashes } from '@tabler/icons-react/dist/esm/icons/IconCircleDashed.mjs'
import { __iconNode as clock } from '@tabler/icons-react/dist/esm/icons/IconClock.mjs'
import { __iconNode as hourglass } from '@tabler/icons-react/dist/esm/icons/IconHourglass.mjs'
import { __iconNode as loader } from '@tabler/icons-react/dist/esm/icons/IconLoader2.mjs'
import { __iconNode as pause } from '@tabler/icons-react/dist/esm/icons/IconPlayerPause.mjs'
import { __iconNode as skip } from '@tabler/icons-react/dist/esm/icons/IconPlayerSkipForward.mjs'
import { __iconNode as question } from '@tabler/icons-react/dist/esm/icons/IconQuestionMark.mjs'
import { __iconNode as person } from '@tabler/icons-react/dist/esm/icons/IconUser.mjs'
import { __iconNode as cross } from '@tabler/icons-react/dist/esm/icons/IconX.mjs'
import type { TFunction } from 'i18next'
import type { NodeState, NodeView } from '~/api/types'
import type { Lang } from '~/i18n/text'
import { isSpinning } from './states'

/** All strokes of an icon in one. */
const inOne = (icon: typeof check) => icon.map(([, { d }]) => d).join('')

const strokes: Record<NodeState, string> = {
  idle: inOne(dashes),
  ready: inOne(dashes),
  running: inOne(loader),
  waiting: inOne(hourglass),
  suspended: inOne(pause),
  succeeded: inOne(check),
  failed: inOne(cross),
  skipped: inOne(skip),
  cancelled: inOne(ban),
  unknown: inOne(question),
  rolling_back: inOne(loader),
  rolled_back: inOne(back),
  rollback_failed: inOne(warning),
}
const [ofPerson, ofTimer] = [inOne(person), inOne(clock)]

function strokesOf({ state, wait }: Pick<NodeView, 'state' | 'wait'>): string {
  if (state === 'waiting' && wait?.kind === 'human') return ofPerson
  if (state === 'waiting' && wait?.kind === 'timer') return ofTimer
  return strokes[state] ?? strokes.idle
}

/**
 * The icon of a node's state, for nodes and rows that change all the time: of one path, so that another state is another
 * value of it. Another component would be taken out of the page and put into it anew.
 */
export function StateGlyph({ view, stroke }: { view: Pick<NodeView, 'state' | 'wait'>; stroke: number }) {
  return (
    <svg
      width={12}
      height={12}
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
