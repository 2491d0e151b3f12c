import { Skeleton } from '@mantine/core'
import { useTranslation } from 'react-i18next'

/** A page whose data is on its way. */
export function PageLoading() {
  const { t } = useTranslation()
  return (
    <div className="page" role="status" aria-label={t('state.loading')}>
      <Skeleton height={360} radius="md" />
    </div>
  )
}
