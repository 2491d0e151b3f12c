import { Skeleton } from '@mantine/core'
import { useTranslation } from 'react-i18next'

/** Grey rows while a list is on its way. */
export function Rows() {
  const { t } = useTranslation()
  return (
    <div role="status" aria-label={t('state.loading')}>
      {[0, 1, 2, 3].map((i) => (
        <Skeleton key={i} height={38} mb={6} radius="md" />
      ))}
    </div>
  )
}
