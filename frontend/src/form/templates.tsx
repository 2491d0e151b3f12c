import { ActionIcon, Button, Collapse, Tooltip } from '@mantine/core'
import { getDefaultRegistry } from '@rjsf/core'
import type {
  ArrayFieldItemTemplateProps,
  ArrayFieldTemplateProps,
  FieldTemplateProps,
  ObjectFieldTemplateProps,
  TemplatesType,
} from '@rjsf/utils'
import { type ReactElement, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Json, JsonObject, Schema } from '~/api/types'
import { IconArrowDown, IconArrowUp, IconChevronRight, IconMathFunction, IconPlus, IconTrash } from '~/app/icons'
import { infoOf, pointerOf } from './context'
import { holdsExpression } from './expression'
import { isPlainText, Leftover, showsExpression } from './fields'
import { leftOver } from './operation'

/** The row of a field: label, expression switch, widget, help, and what is wrong. */
function FieldTemplate(props: FieldTemplateProps) {
  const { id, label, required, children, rawErrors, hidden, registry, fieldPathId, formData } = props
  const { t } = useTranslation()
  const info = infoOf(registry)
  const schema = props.schema as Schema
  const path = fieldPathId.path
  const pointer = pointerOf(path)
  const holder = useFocus(info.focus, pointer)
  if (hidden) return <div hidden>{children}</div>
  if (path.length === 0)
    return (
      <div className="sf">
        {children}
        <Leftovers props={props} />
      </div>
    )
  const expression = showsExpression(info, id, schema, formData)
  const error = info.problems.get(pointer) ?? rawErrors?.[0]
  const inRow = typeof path.at(-1) === 'number'
  const group = schema.type === 'object' && !expression && schema.properties !== undefined
  const literal =
    path.length === 1 &&
    isPlainText(schema) &&
    info.setLiteral &&
    (info.literal.has(String(path[0])) || holdsExpression(formData))
  return (
    <div className="sf-field" ref={holder} data-group={group}>
      {!inRow && (
        <div className="sf-label">
          {group ? <span className="sf-legend">{label}</span> : <label htmlFor={id}>{label}</label>}
          {required && (
            <span className="sf-required" title={t('form.required')} aria-hidden="true">
              *
            </span>
          )}
          <span className="grow" />
          {literal && <LiteralSwitch props={props} />}
          <ExpressionSwitch props={props} on={expression} />
        </div>
      )}
      {children}
      {group && <Leftovers props={props} />}
      <div id={`${id}__note`}>
        {schema.description && !group ? <div className="sf-help">{String(schema.description)}</div> : null}
        {schema['ui:help'] ? <div className="sf-help">{String(schema['ui:help'])}</div> : null}
        {error && !group && (
          <div className="sf-error" role="alert">
            {error}
          </div>
        )}
      </div>
    </div>
  )
}

/** What an object holds beside its fields: shown, so that nothing is lost or sent unseen. */
function Leftovers({ props }: { props: FieldTemplateProps }) {
  const { t } = useTranslation()
  const { formData, fieldPathId, onChange, readonly, disabled } = props
  const { names, forbidden } = leftOver(props.schema as Schema, formData as Json)
  const remove = (name: string) => {
    const { [name]: _gone, ...rest } = formData as JsonObject
    onChange(rest, fieldPathId.path)
  }
  return names.map((name) => (
    <div key={name} className="sf-field">
      <div className="sf-label">
        <span className="sf-legend">{name}</span>
      </div>
      <Leftover
        title={t(forbidden ? 'form.leftOver' : 'form.beside')}
        label={name}
        value={(formData as JsonObject)[name]}
        onRemove={readonly || disabled ? undefined : () => remove(name)}
      />
    </div>
  ))
}

/** Brings a field into view and focuses it when a problem that points at it is picked. */
function useFocus(focus: string | undefined, pointer: string) {
  const holder = useRef<HTMLDivElement>(null)
  const wanted = focus !== undefined && pointer !== '' && focus === pointer
  useEffect(() => {
    const element = holder.current
    if (!wanted || !element) return
    element.scrollIntoView({ block: 'center' })
    const enter = () => {
      const input = element.querySelector<HTMLElement>('input, textarea, [contenteditable=true]')
      input?.focus()
      return input !== null
    }
    if (enter()) return
    // The expression editor may still be on its way.
    const observer = new MutationObserver(() => enter() && observer.disconnect())
    observer.observe(element, { childList: true, subtree: true })
    return () => observer.disconnect()
  }, [wanted])
  return holder
}

function ExpressionSwitch({ props, on }: { props: FieldTemplateProps; on: boolean }) {
  const { t } = useTranslation()
  const info = infoOf(props.registry)
  const schema = props.schema as Schema
  if (!info.expressions || props.readonly || props.disabled) return null
  if (schema['x-expression'] !== undefined && schema['x-expression'] !== 'optional') return null
  if (isPlainText(schema)) return null
  const flip = () => {
    info.setSwitched(props.fieldPathId.$id, !on)
    // Leaving the expression takes its text away: it is no value of this type.
    if (on) props.onChange(schema.default as never, props.fieldPathId.path)
  }
  const label = on ? t('form.toValue') : t('form.toExpression')
  return (
    <Tooltip label={label}>
      <ActionIcon
        size={24}
        variant={on ? 'filled' : 'subtle'}
        color={on ? 'accent' : 'gray'}
        aria-pressed={on}
        aria-label={t('form.expressionOf', { label: props.label })}
        onClick={flip}
      >
        <IconMathFunction size={15} aria-hidden />
      </ActionIcon>
    </Tooltip>
  )
}

function LiteralSwitch({ props }: { props: FieldTemplateProps }) {
  const { t } = useTranslation()
  const info = infoOf(props.registry)
  const name = String(props.fieldPathId.path[0])
  const on = info.literal.has(name)
  return (
    <Tooltip label={t('form.literalHelp')} multiline w={240}>
      <Button
        size="compact-xs"
        variant={on ? 'light' : 'subtle'}
        color={on ? 'accent' : 'gray'}
        aria-pressed={on}
        aria-label={t('form.literalOf', { label: props.label })}
        onClick={() => info.setLiteral?.(name, !on)}
      >
        {t('form.literal')}
      </Button>
    </Tooltip>
  )
}

function ObjectFieldTemplate(props: ObjectFieldTemplateProps) {
  const name = props.fieldPathId.path.at(-1)
  const folds = infoOf(props.registry).folds && typeof name === 'string' // and no row of a list
  return (
    <div className={name === undefined ? undefined : 'sf-object'}>
      {folds ? <Folding {...props} /> : <Properties {...props} />}
    </div>
  )
}

/** A group of a form with so many fields: closed until it is wanted, or holds what a person should see. */
function Folding(props: ObjectFieldTemplateProps) {
  const { t } = useTranslation()
  const { registry, fieldPathId, formData, errorSchema } = props
  const info = infoOf(registry)
  // What a person chose holds until a problem leads here again.
  const [chosen, setChosen] = useState<{ open: boolean; focus: string | undefined }>()
  const pointer = pointerOf(fieldPathId.path)
  const within = (place: string) => place === pointer || place.startsWith(`${pointer}/`)
  const told = () => [...info.problems.keys()].some(within)
  const wanted = info.focus !== undefined && info.focus !== chosen?.focus && within(info.focus)
  const open = wanted || (chosen?.open ?? (holds(formData) || holds(errorSchema) || told()))
  return (
    <>
      <button
        type="button"
        className="sf-fold"
        aria-expanded={open}
        onClick={() => setChosen({ open: !open, focus: info.focus })}
      >
        <IconChevronRight size={14} aria-hidden />
        {t('form.fields', { count: props.properties.length })}
      </button>
      {open && <Properties {...props} />}
    </>
  )
}

function holds(value: object | undefined): boolean {
  return value !== undefined && value !== null && Object.keys(value).length > 0
}

/** The fields of an object, those that few people need at the end. */
function Properties(props: ObjectFieldTemplateProps) {
  const shown = props.properties.filter((p) => !isAdvanced(p.content))
  const advanced = props.properties.filter((p) => isAdvanced(p.content))
  return (
    <>
      {shown.map((p) => p.content)}
      {advanced.length > 0 && (
        <Advanced
          open={advanced.some((p) => hasValue(props, p.name))}
          focus={infoOf(props.registry).focus}
          names={advanced.map((p) => p.name)}
        >
          {advanced.map((p) => p.content)}
        </Advanced>
      )}
    </>
  )
}

function isAdvanced(content: ReactElement): boolean {
  const { uiSchema, schema } = content.props as { uiSchema?: Record<string, unknown>; schema?: Schema }
  return uiSchema?.['ui:advanced'] === true || schema?.['ui:advanced'] === true
}

function hasValue(props: ObjectFieldTemplateProps, name: string): boolean {
  const data = props.formData as Record<string, unknown> | undefined
  const schema = (props.schema.properties?.[name] ?? {}) as Schema
  return data?.[name] !== undefined && data[name] !== schema.default
}

/** Fields that few people need, folded. */
function Advanced({
  open,
  focus,
  names,
  children,
}: {
  open: boolean
  focus: string | undefined
  names: string[]
  children: React.ReactNode
}) {
  const { t } = useTranslation()
  const [shown, setShown] = useState(open)
  const wanted = focus !== undefined && names.some((n) => focus.startsWith(`/${n}`))
  return (
    <div className="sf-advanced">
      <button type="button" aria-expanded={shown || wanted} onClick={() => setShown(!shown)}>
        <IconChevronRight size={14} aria-hidden />
        {t('form.advanced')}
      </button>
      <Collapse expanded={shown || wanted}>{children}</Collapse>
    </div>
  )
}

function ArrayFieldTemplate(props: ArrayFieldTemplateProps) {
  const { t } = useTranslation()
  const readOnly = props.disabled || props.readonly
  return (
    // biome-ignore lint/a11y/useSemanticElements: rows of a list, styled as one
    <div className="sf-array" role="group" aria-label={props.title}>
      {props.items}
      {props.canAdd && !readOnly && (
        <Button variant="subtle" size="compact-xs" leftSection={<IconPlus size={13} />} onClick={props.onAddClick}>
          {t('form.addRow')}
        </Button>
      )}
    </div>
  )
}

function ArrayFieldItemTemplate(props: ArrayFieldItemTemplateProps) {
  const { t } = useTranslation()
  const n = props.index + 1
  const { hasMoveUp, hasMoveDown, hasRemove, onMoveUpItem, onMoveDownItem, onRemoveItem, disabled, readonly } =
    props.buttonsProps
  return (
    <div className="sf-item">
      <div className="sf-item-body">{props.children}</div>
      {!disabled && !readonly && (
        <div className="sf-item-actions">
          {hasMoveUp && (
            <ActionIcon size={24} aria-label={t('form.moveUp', { n })} onClick={onMoveUpItem}>
              <IconArrowUp size={13} aria-hidden />
            </ActionIcon>
          )}
          {hasMoveDown && (
            <ActionIcon size={24} aria-label={t('form.moveDown', { n })} onClick={onMoveDownItem}>
              <IconArrowDown size={13} aria-hidden />
            </ActionIcon>
          )}
          {hasRemove && (
            <ActionIcon size={24} aria-label={t('form.removeRow', { n })} onClick={onRemoveItem}>
              <IconTrash size={13} aria-hidden />
            </ActionIcon>
          )}
        </div>
      )}
    </div>
  )
}

const nothing = () => null

/** The templates of our own theme. */
export const templates: Partial<TemplatesType> = {
  FieldTemplate,
  ObjectFieldTemplate,
  ArrayFieldTemplate,
  ArrayFieldItemTemplate,
  ErrorListTemplate: nothing,
  DescriptionFieldTemplate: nothing,
  TitleFieldTemplate: nothing,
  FieldErrorTemplate: nothing,
  ButtonTemplates: { ...getDefaultRegistry().templates.ButtonTemplates, SubmitButton: nothing },
}
