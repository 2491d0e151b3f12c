import { Suspense, useContext, useState } from 'react'
import { lazy } from '~/app/lazy'
import { loadTexts } from '~/i18n'
import { holdsExpression } from './expression'
import type { ExpressionInputProps } from './expression-input'
import { PreviewContext } from './preview-context'

const load = async () => {
  const [m] = await Promise.all([import('./expression-input'), loadTexts('functions')])
  return { default: m.ExpressionInput }
}
const Loaded = lazy(load)
const Preview = lazy(() => import('./preview').then((m) => ({ default: m.ExpressionPreview })))

/** Fetches the editor's code before the first field needs it. */
export function preloadExpression(): void {
  // A failed fetch is tried again, and told, when a field is shown.
  load().catch(() => undefined)
}

/**
 * The expression editor; below it what the expression is worth, from the first time that it is written in. The line
 * stays when the field is left: what a person clicks on next must not move away.
 */
export function Expression(props: ExpressionInputProps) {
  const ask = useContext(PreviewContext)
  const [touched, setTouched] = useState(false)
  const worth = props.bare ? props.value.trim() !== '' : holdsExpression(props.value)
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only notices that the field inside is used
    <div onFocus={ask && !touched ? () => setTouched(true) : undefined}>
      <Editor {...props} />
      {ask && touched && worth && (
        <Suspense>
          <Preview ask={ask} value={props.value} bare={props.bare ?? false} />
        </Suspense>
      )}
    </div>
  )
}

/** What stands in until the editor's code is here takes no focus, so that none is lost. */
function Editor(props: ExpressionInputProps) {
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
