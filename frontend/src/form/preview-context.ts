import { createContext } from 'react'
import type { ExpressionItem, ExpressionValues } from '~/api/types'

/** Asks the server, which alone evaluates expressions, what they are worth. */
export type Previewer = (items: ExpressionItem[], signal: AbortSignal) => Promise<ExpressionValues>

/** Who answers for the forms below; null where nothing can be asked. */
export const PreviewContext = createContext<Previewer | null>(null)
