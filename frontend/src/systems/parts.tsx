import { PasswordInput, type PasswordInputProps } from '@mantine/core'
import { Fragment } from 'react'
import { useTranslation } from 'react-i18next'
import { IconAlertTriangle, IconCheck, IconEye, IconMinus, IconPencil, IconServer, IconTrash } from '~/app/icons'
import { pathParts } from './model'
import type { Operation, Risk, System } from './types'

/** The tile of a system. */
export function SystemTile({ large = false }: { large?: boolean }) {
  return (
    <span className="cat-tile" data-large={large} aria-hidden="true">
      <IconServer size={large ? 22 : 17} stroke={1.7} aria-hidden />
    </span>
  )
}

/** Whether the gateway has what it needs to log in. */
export function CredentialMark({ system, alone }: { system: System; alone?: boolean }) {
  const { t } = useTranslation('systems')
  const state = system.auth.type === 'none' ? 'none' : system.credential_set ? 'set' : 'missing'
  const Icon = { none: IconMinus, set: IconCheck, missing: IconAlertTriangle }[state]
  const colour = { none: undefined, set: 'succeeded', missing: 'waiting' }[state]
  return (
    <span className="cat-mark" data-s={colour}>
      <Icon size={14} stroke={2} aria-hidden />
      {t(alone ? `credential.alone.${state}` : `credential.state.${state}`)}
    </span>
  )
}

const riskColours = { read: 'revoked', write: 'waiting', destructive: 'failed' } as const
const riskIcons = { read: IconEye, write: IconPencil, destructive: IconTrash } as const

/** What an operation can do to the system. */
export function RiskPill({ risk }: { risk: Risk }) {
  const { t } = useTranslation('systems')
  const Icon = riskIcons[risk]
  return (
    <span className="pill" data-s={riskColours[risk]}>
      <Icon size={12} stroke={2} aria-hidden />
      {t(`risk.${risk}`)}
    </span>
  )
}

/** Method and path, with the parameters of the path apart. */
export function Endpoint({ op, base }: { op: Operation; base?: string }) {
  return (
    <code className="sys-endpoint">
      <b>{op.method}</b>{' '}
      <span>
        {base && <span className="quiet">{base.replace(/\/$/, '')}</span>}
        {pathParts(op.path).map((p, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a path do not move
          <Fragment key={i}>{p.parameter ? <em>{p.text}</em> : p.text}</Fragment>
        ))}
      </span>
    </code>
  )
}

/** A field for something that is not shown, unless one asks to see what was typed. */
export function HiddenInput(props: PasswordInputProps) {
  const { t } = useTranslation('systems')
  return (
    <PasswordInput
      autoComplete="new-password"
      spellCheck={false}
      visibilityToggleButtonProps={{ 'aria-label': t('credential.reveal'), tabIndex: 0 }}
      {...props}
    />
  )
}
