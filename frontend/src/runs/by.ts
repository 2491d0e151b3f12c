import { useTranslation } from 'react-i18next'

/** Says what made a state; what this version does not know is said as it came. */
export function useBy(): (by: string) => string {
  const { t, i18n } = useTranslation()
  // The words come from the server, so the compiler cannot know them.
  return (by) => (i18n.exists(`node.by.${by}`) ? (t as unknown as (k: string) => string)(`node.by.${by}`) : by)
}
