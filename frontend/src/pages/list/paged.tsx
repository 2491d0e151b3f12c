import { Button } from '@mantine/core'
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import { type ComponentProps, type ReactNode, useCallback, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Page } from '~/api/types'
import { EmptyState, ErrorNotice } from '~/app/notices'
import { Rows } from '~/app/rows'
import { List } from './list'
import { ListFoot } from './toolbar'

type Query<T> = UseInfiniteQueryResult<InfiniteData<Page<T>>>

interface Props<T>
  extends Pick<ComponentProps<typeof List<T>>, 'label' | 'columns' | 'keyOf' | 'nameOf' | 'selected' | 'onSelect'> {
  query: Query<T>
  /** Whether the list is narrowed: then nothing found means to look for something else. */
  narrowed: boolean
  /** What is said when nothing is found although the list is narrowed; a general sentence without it. */
  noMatch?: string
  onClear(): void
  /** What is said, and can be done, while there is nothing at all. */
  empty: { title: string; hint: string; action?: ReactNode }
}

/** The items of the pages that were read so far. */
export function useItems<T>(query: Query<T>): readonly T[] {
  return useMemo(() => query.data?.pages.flatMap((p) => p.items) ?? [], [query.data])
}

/** A list that is read page by page, whatever state it is in: loading, failed, empty, or there. */
export function PagedList<T>({ query, narrowed, noMatch, onClear, empty, ...list }: Props<T>) {
  const { t } = useTranslation('home')
  const items = useItems(query)
  const { fetchNextPage } = query
  const onMore = useCallback(() => void fetchNextPage(), [fetchNextPage])
  if (items.length > 0)
    return (
      <>
        {query.error && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
        <List {...list} items={items} more={query.hasNextPage} loading={query.isFetchingNextPage} onMore={onMore} />
        <ListFoot count={items.length} more={query.hasNextPage} />
      </>
    )
  if (query.error) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  if (query.isPending) return <Rows />
  if (!narrowed)
    return (
      <EmptyState title={empty.title} action={empty.action}>
        {empty.hint}
      </EmptyState>
    )
  return (
    <EmptyState
      title={noMatch ?? t('list.noMatch')}
      action={
        <Button variant="default" onClick={onClear}>
          {t('list.clear')}
        </Button>
      }
    />
  )
}
