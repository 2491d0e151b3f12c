import { Button, Group, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '~/api/client'
import { IconLock } from '~/app/icons'
import { EmptyState, say } from '~/app/notices'
import { useCodes } from '~/i18n/codes'
import { type CredentialInput, useSetCredential } from './api'
import { CredentialMark, HiddenInput } from './parts'
import type { System } from './types'

/** The fields of each kind of credential, in the order in which they are asked for. */
const fieldsOf: { [kind: string]: readonly (keyof CredentialInput)[] } = {
  basic: ['username', 'password'],
  bearer: ['token'],
  api_key: ['token'],
}

/** How the gateway logs in to a system. What is set here is never shown again. */
export function CredentialTab({ project, system }: { project: string; system: System }) {
  const { t, i18n } = useTranslation('systems')
  const kind = system.auth.type
  const [done, setDone] = useState(0)
  if (kind === 'none') return <EmptyState title={t('credential.none')}>{t('credential.noneHint')}</EmptyState>
  const known = i18n.exists(`systems:credential.kind.${kind}`)
  return (
    <div className="sys-credential">
      <section className="cat-panel" aria-label={t('credential.title')}>
        <div className="cat-action-head">
          <h2>{known ? t(`credential.kind.${kind as 'basic'}`) : kind}</h2>
          <CredentialMark system={system} />
        </div>
        <p className="cat-prose">{t('credential.hint', { url: system.base_url })}</p>
        <CredentialForm key={done} project={project} system={system} onDone={() => setDone(done + 1)} />
      </section>
    </div>
  )
}

function CredentialForm({ project, system, onDone }: { project: string; system: System; onDone(): void }) {
  const { t } = useTranslation('systems')
  const codes = useCodes()
  const set = useSetCredential(project, system.id)
  const fields = fieldsOf[system.auth.type] ?? []
  const [input, setInput] = useState<CredentialInput>({})
  const missing = fields.some((f) => !input[f])
  const submit = (e: FormEvent) => {
    e.preventDefault()
    set.mutate(input, {
      onSuccess: () => {
        say(t('credential.saved'))
        onDone()
      },
    })
  }
  const wrong = set.error instanceof ApiError ? set.error.body.field?.slice(1) : undefined
  return (
    <form className="sys-form" onSubmit={submit} autoComplete="off">
      {fields.map((f) => {
        const Input = f === 'username' ? TextInput : HiddenInput
        return (
          <Input
            key={f}
            label={t(`credential.field.${f}`)}
            value={input[f] ?? ''}
            error={wrong === f ? set.error?.message : undefined}
            autoComplete={f === 'username' ? 'off' : undefined}
            onChange={(e) => setInput({ ...input, [f]: e.currentTarget.value })}
            required
          />
        )
      })}
      {set.error && !wrong && (
        <div className="sf-error" role="alert">
          {codes.error(set.error)}
        </div>
      )}
      <Group gap="sm">
        <Button type="submit" disabled={missing} loading={set.isPending}>
          {t(system.credential_set ? 'credential.replace' : 'credential.set')}
        </Button>
        <span className="quiet sys-lock">
          <IconLock size={13} aria-hidden /> {t('credential.writeOnly')}
        </span>
      </Group>
    </form>
  )
}
