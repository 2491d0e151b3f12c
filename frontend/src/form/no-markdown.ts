import type { ReactNode } from 'react'

/** Stands in for the Markdown of the form library: what a schema says is a stranger's, and shown as text. */
export function Markdown({ children }: { children?: ReactNode }): ReactNode {
  return children
}
