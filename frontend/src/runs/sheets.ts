/** The sheets of the drawer below the canvas, in order. */
export const sheets = ['timeline', 'log', 'operations', 'compare'] as const

export type Sheet = (typeof sheets)[number]

/** The key that opens and closes each. */
export const sheetKeys: Record<Sheet, string> = { timeline: 't', log: 'l', operations: 'o', compare: 'd' }
