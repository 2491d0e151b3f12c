import { Button, Group, Modal, Radio, Textarea, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { IconLock } from '~/app/icons'
import { say } from '~/app/notices'
import { type CredentialInput, useSetCredential } from './api'
import { fieldsOf, isHidden, isLong } from './credential-model'
import { HiddenInput } from './parts'
import { Refused } from './refused'
import type { Credential, System } from './types'
import { useWrong } from './wrong'

interface Props {
  project: string
  system: System
  credential: Credential
  isDefault: boolean
  onClose(): void
}

/** What becomes of the versions that are there. */
const ways = ['primary', 'standby', 'alone'] as const
type Way = (typeof ways)[number]

/** Takes a new version of a credential, and what becomes of those that are there. */
export function CredentialDialog({ project, system, credential, isDefault, onClose }: Props) {
  const { t } = useTranslation('systems')
  const { t: common } = useTranslation()
  const set = useSetCredential(project, system.id, isDefault)
  const [input, setInput] = useState<CredentialInput>({})
  const [way, setWay] = useState<Way>('primary')
  const fields = fieldsOf(credential)
  const first = credential.versions.length === 0
  const wrong = useWrong()(set.error)
  const elsewhere = ![...wrong.keys()].some((field) => fields.some((f) => `/${f.name}` === field))
  const submit = (e: FormEvent) => {
    e.preventDefault()
    set.mutate(
      { ...input, ...(way === 'standby' ? { standby: true } : {}), ...(way === 'alone' ? { alone: true } : {}) },
      {
        onSuccess: () => {
          say(t('credential.saved'))
          onClose()
        },
      },
    )
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={t(first ? 'credential.set' : 'credential.rotate')}
      closeButtonProps={{ 'aria-label': common('action.close') }}
    >
      <form className="cat-dialog" onSubmit={submit} autoComplete="off">
        {fields.map(({ name, optional }, i) => {
          const props = {
            label: t(`credential.field.${name}`),
            value: input[name] ?? '',
            error: wrong.get(`/${name}`),
            onChange: (e: { currentTarget: { value: string } }) =>
              setInput({ ...input, [name]: e.currentTarget.value }),
            required: !optional,
            'data-autofocus': i === 0 ? true : undefined,
          }
          if (isLong(name)) {
            return (
              <Textarea
                key={name}
                {...props}
                placeholder="-----BEGIN"
                autosize
                minRows={3}
                maxRows={8}
                spellCheck={false}
                classNames={{ input: 'mono' }}
              />
            )
          }
          return isHidden(name) ? (
            <HiddenInput key={name} {...props} />
          ) : (
            <TextInput key={name} {...props} autoComplete="off" spellCheck={false} />
          )
        })}
        {!first && (
          <Radio.Group label={t('credential.way')} value={way} onChange={(value) => setWay(value as Way)}>
            <div className="sys-ways">
              {ways.map((w) => (
                <Radio
                  key={w}
                  size="xs"
                  value={w}
                  label={t(`credential.ways.${w}`)}
                  description={t(`credential.waysHint.${w}`)}
                />
              ))}
            </div>
          </Radio.Group>
        )}
        <p className="quiet sys-lock">
          <IconLock size={13} aria-hidden /> {t('credential.writeOnly')}
        </p>
        {elsewhere && <Refused error={set.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {common('action.cancel')}
          </Button>
          <Button type="submit" disabled={fields.some((f) => !f.optional && !input[f.name])} loading={set.isPending}>
            {common('action.save')}
          </Button>
        </Group>
      </form>
    </Modal>
  )
}
