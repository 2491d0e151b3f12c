import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { Flow, Plugin } from '~/api/types'
import type { Change, Field } from './compare'
import { KindIcon } from './counts'
import { useFieldName } from './labels'
import { Lines } from './lines'
import { type Names, useNames } from './names'
import { Value } from './value'
import { type Said, useWords } from './words'

interface Props {
  changes: readonly Change[]
  /** What is drawn: the things of both sides. */
  doc: Flow
  plugins: readonly Plugin[]
  chosen: string | null
  onChoose(id: string | null): void
}

/** Everything that differs, a thing a row; the row that is open shows its fields as forms name them. */
export function ChangeList({ changes, doc, plugins, chosen, onChoose }: Props) {
  const { t } = useTranslation('versions')
  const names = useNames(doc, plugins)
  return (
    <ol className="vs-rows">
      {changes.map((change) => (
        <Row
          key={change.id}
          change={change}
          kind={t(`kind.${change.kind}`)}
          names={names}
          plugins={plugins}
          open={change.id === chosen}
          onOpen={() => onChoose(change.id === chosen ? null : change.id)}
        />
      ))}
    </ol>
  )
}

interface RowProps {
  change: Change
  kind: string
  names: Names
  plugins: readonly Plugin[]
  open: boolean
  onOpen(): void
}

function Row({ change, kind, names, plugins, open, onOpen }: RowProps) {
  const { t } = useTranslation('versions')
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (open) button.current?.scrollIntoView({ block: 'nearest' })
  }, [open])
  return (
    <li>
      <button ref={button} type="button" className="vs-row" aria-expanded={open} onClick={onOpen}>
        <span role="img" aria-label={kind} title={kind}>
          <KindIcon kind={change.kind} />
        </span>
        <span className="quiet">{t(`thing.${change.list}`)}</span>
        <span className="grow clip" data-user-text>
          {names.of(change)}
        </span>
        {change.kind === 'changed' && change.fields.length > 1 && (
          <span className="quiet num">{t('page.fields', { n: change.fields.length })}</span>
        )}
      </button>
      {open && <Fields change={change} names={names} plugins={plugins} />}
    </li>
  )
}

/** The fields of a thing that differ: what each held before, and what it holds now. */
function Fields({ change, names, plugins }: { change: Change; names: Names; plugins: readonly Plugin[] }) {
  const { t } = useTranslation('versions')
  const node = change.list === 'nodes' ? names.node(change.key) : undefined
  const fieldName = useFieldName(node, plugins, names)
  const say = useWords(plugins, names)
  return (
    <dl className="vs-fields">
      {change.fields.map((field) => {
        const name = fieldName(change.list, field.path)
        return (
          <div key={field.path.join('\n')}>
            <dt>
              <span data-user-text={name.own}>{name.title}</span>
              {name.code && <code className="mono quiet"> {name.code}</code>}
            </dt>
            <FieldValues field={field} said={say(change, field)} kind={change.kind} absent={t('conflict.absent')} />
          </div>
        )
      })}
    </dl>
  )
}

interface ValuesProps {
  field: Field
  said: Said
  kind: Change['kind']
  absent: string
}

function FieldValues({ field, said, kind, absent }: ValuesProps) {
  const { t } = useTranslation('versions')
  const [before, after] = [said.before ?? field.before, said.after ?? field.after]
  if (typeof before === 'string' && typeof after === 'string' && (before + after).includes('\n'))
    return (
      <dd>
        <Lines before={before} after={after} />
      </dd>
    )
  return (
    <>
      {kind !== 'added' && (
        <dd data-side="before">
          <span className="vs-sign" role="img" aria-label={t('page.was')}>
            −
          </span>
          <Value value={field.before} said={said.before} absent={absent} />
        </dd>
      )}
      {kind !== 'removed' && (
        <dd data-side="after">
          <span className="vs-sign" role="img" aria-label={t('page.is')}>
            +
          </span>
          <Value value={field.after} said={said.after} absent={absent} />
        </dd>
      )}
    </>
  )
}
