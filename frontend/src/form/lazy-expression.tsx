import { lazy, Suspense } from 'react'
import type { ExpressionInputProps } from './expression-input'

const load = () => import('./expression-input').then((m) => ({ default: m.ExpressionInput }))
const Loaded = lazy(load)

/** Fetches the editor's code before the first field needs it. */
export function preloadExpression(): void {
  // A failed fetch is tried again, and told, when a field is shown.
  load().catch(() => undefined)
}

/** The expression editor. What stands in until its code is here takes no focus, so that none is lost. */
export function Expression(props: ExpressionInputProps) {
  return (
    <Suspense
      fallback={
        <div className="ex ex-wait" data-multiline={props.multiline} aria-hidden="true">
          {props.value || props.placeholder}
        </div>
      }
    >
      <Loaded {...props} />
    </Suspense>
  )
}
