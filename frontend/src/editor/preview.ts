import { useMemo } from 'react'
import { call, path } from '~/api/client'
import type { ExpressionValues } from '~/api/types'
import { useDocStore } from '~/doc/store'
import type { Previewer } from '~/form/preview-context'

/** Asks what expressions of the edited document are worth in the last run of the flow. */
export function usePreviewer(project: string, flow: string): Previewer {
  const store = useDocStore()
  return useMemo(
    () => (items, signal) =>
      call<ExpressionValues>(path('projects', project, 'flows', flow, 'expressions', 'preview'), {
        method: 'POST',
        body: { variables: store.getState().doc.variables ?? [], items },
        signal,
      }),
    [project, flow, store],
  )
}
