import { useLayoutEffect, useMemo, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { type Line, linesOf } from './line-diff'

const signs = { same: ' ', removed: '−', added: '+' } as const

/** A text of several lines as it was and as it is, line by line. */
export function Lines({ before, after }: { before: string; after: string }) {
  const lines = useMemo(() => linesOf(before, after), [before, after])
  const box = useRef<HTMLPreElement>(null)
  // What differs is what is looked for: a long text begins there.
  // biome-ignore lint/correctness/useExhaustiveDependencies: other lines begin elsewhere
  useLayoutEffect(() => {
    const first = box.current?.querySelector<HTMLElement>('[data-line="added"], [data-line="removed"]')
    if (box.current && first) box.current.scrollTop = first.offsetTop - 40
  }, [lines])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <pre ref={box} className="vs-lines mono" tabIndex={0}>
      {lines.map((line, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines of two texts that do not change have no other key
        <span key={i} data-line={line.kind}>
          <Sign kind={line.kind} /> {line.text}
          {'\n'}
        </span>
      ))}
    </pre>
  )
}

function Sign({ kind }: { kind: Line['kind'] }) {
  const { t } = useTranslation('versions')
  if (kind === 'same') return signs.same
  return (
    <span role="img" aria-label={t(`kind.${kind}`)}>
      {signs[kind]}
    </span>
  )
}
