import { useNavigate } from '@tanstack/react-router'
import { useCallback, useEffect, useRef } from 'react'

/**
 * Changes parts of the address of a list. Two changes at the same moment both count: each is made to
 * what was last asked for, which the page may not show yet.
 */
export function useNarrow<S extends { [key: string]: string | undefined }>(
  search: S,
  clean: (search: { [key: string]: unknown }) => S,
) {
  const navigate = useNavigate()
  const wanted = useRef(search)
  const sent = useRef<string>(undefined)
  useEffect(() => {
    const now = JSON.stringify(clean({ ...search }))
    if (sent.current !== undefined && sent.current !== now) return
    sent.current = undefined
    wanted.current = search
  }, [search, clean])
  return useCallback(
    (next: S) => {
      wanted.current = clean({ ...wanted.current, ...next })
      sent.current = JSON.stringify(wanted.current)
      void navigate({ to: '.', search: wanted.current, replace: true })
    },
    [navigate, clean],
  )
}
