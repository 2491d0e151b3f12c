declare module '@tabler/icons-react/dist/esm/icons/*.mjs' {
  const icon: import('@tabler/icons-react').Icon
  export default icon
  /** What the icon is drawn of. */
  export const __iconNode: readonly [tag: string, attributes: { d: string }][]
}
