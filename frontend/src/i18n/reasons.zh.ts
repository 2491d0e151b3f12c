import { codesZh } from './codes.zh'
import texts from './reasons.zh.json'

/**
 * Why exactly the server refused something, by its reasons; {{a}} is the first thing that its message names,
 * {{wa}} the same as a word of `words`. English needs no such texts: there the message itself is shown.
 */
export const whyZh = texts.why

/** What messages name: kinds of things, states, types. */
export const wordsZh = texts.word

export const reasonsZh = { why: whyZh, word: wordsZh }

/** The codes with their reasons: one load. */
export const codesAndReasonsZh = { ...codesZh, ...reasonsZh }
