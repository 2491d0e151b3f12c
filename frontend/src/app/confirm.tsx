import { Button, Group, Modal, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'

interface Props {
  opened: boolean
  title: string
  children?: React.ReactNode
  confirm: string
  danger?: boolean
  busy?: boolean
  /** False while what the question asks for is not filled in. */
  ready?: boolean
  onConfirm(): void
  onClose(): void
}

/** Asks before something that cannot be taken back. */
export function Confirm({
  opened,
  title,
  children,
  confirm,
  danger = false,
  busy = false,
  ready = true,
  onConfirm,
  onClose,
}: Props) {
  const { t } = useTranslation()
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      size="sm"
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <Text size="sm" component="div">
        {children}
      </Text>
      <Group justify="flex-end" mt="md" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t('action.cancel')}
        </Button>
        <Button
          color={danger ? 'red' : undefined}
          loading={busy}
          disabled={!ready}
          onClick={onConfirm}
          data-autofocus={ready || undefined}
        >
          {confirm}
        </Button>
      </Group>
    </Modal>
  )
}
