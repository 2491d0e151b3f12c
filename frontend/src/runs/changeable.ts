import type { Flow, Variable } from '~/api/types'

/** The variables of a flow that an operator may change while it runs. */
export function changeable(flow: Flow): Variable[] {
  return (flow.variables ?? []).filter(
    (v) => !v.secret && v.source !== 'computed' && !(v.source === 'constant' && hasExpression(v)),
  )
}

function hasExpression(v: Variable): boolean {
  return JSON.stringify(v.value ?? null).includes('${')
}
