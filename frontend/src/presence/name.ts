import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import type { Member } from './room'

const storageKey = 'culm.name'

/** More than this no member may be called, in bytes; a character takes up to 4. */
export const nameMaxChars = 30

/** What the person of this browser wants to be called; empty for nothing. */
export function ownName(): string {
  return localStorage.getItem(storageKey)?.slice(0, nameMaxChars) ?? ''
}

export function setOwnName(name: string): void {
  localStorage.setItem(storageKey, name.trim().slice(0, nameMaxChars))
}

/** How a member is called: by the name it gave itself, or by its number. */
export function useMemberName(): (member: Member) => string {
  const { t } = useTranslation('versions')
  return useCallback((m) => m.name || t('presence.nobody', { n: m.number }), [t])
}
