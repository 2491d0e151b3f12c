import { TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'

interface Props {
  /** What must be typed: the id of the thing that the operation is about. */
  phrase: string
  value: string
  onChange(value: string): void
}

/** Asks to type an id before something that cannot be taken back: a slip of the hand does not get past it. */
export function TypedConfirm({ phrase, value, onChange }: Props) {
  const { t } = useTranslation('console')
  return (
    <TextInput
      mt="sm"
      label={t('typed', { phrase })}
      description={t('typedHelp')}
      placeholder={phrase}
      value={value}
      autoComplete="off"
      autoCapitalize="off"
      spellCheck={false}
      data-autofocus
      onChange={(e) => onChange(e.currentTarget.value)}
    />
  )
}

/** Whether what was typed is the phrase; blanks around it do not matter. */
export function isTyped(phrase: string, value: string): boolean {
  return value.trim() === phrase
}
