import { ActionIcon, Button, Textarea, TextInput } from '@mantine/core'
import { getDefaultRegistry } from '@rjsf/core'
import type { FieldProps, RegistryFieldsType } from '@rjsf/utils'
import { useEffect, useLayoutEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Json, Schema } from '~/api/types'
import { IconPlus, IconTrash } from '~/app/icons'
import { useText } from '~/i18n/text'
import { type FormInfo, infoOf } from './context'
import { expressionsOf, holdsExpression, isExpression, namesIn, nodesIn } from './expression'
import { Expression } from './lazy-expression'
import { misfits } from './operation'

const DefaultSchemaField = getDefaultRegistry().fields.SchemaField as React.ComponentType<FieldProps>

/** Text without choices or a fixed form: an expression may stand anywhere in it. */
export function isPlainText(schema: Schema): boolean {
  if (schema.type !== 'string' || schema.enum || schema.oneOf || schema.const !== undefined) return false
  if (schema['x-source'] !== undefined || schema['x-operation'] !== undefined) return false
  return schema.format === undefined && schema['ui:widget'] !== 'password' && schema['x-secret'] !== true
}

/** Whether a field is shown as an expression in place of its own widget. */
export function showsExpression(info: FormInfo, id: string, schema: Schema, value: unknown): boolean {
  if (!info.expressions || schema['x-expression'] === 'forbidden') return false
  if (schema['x-expression'] === 'required' || info.switched.has(id)) return true
  // A secret is not written into a drawing: a variable is passed on.
  if (schema['x-secret'] === true || schema.format === 'password') return true
  if (isPlainText(schema)) return false
  return schema.type === 'string' ? holdsExpression(value) : isExpression(value)
}

/** Swaps another field in: the expression editor for an expression, the bare value where it would not be seen. */
function SchemaField(props: FieldProps) {
  const other = insteadOf(props)
  if (other === undefined) return <DefaultSchemaField {...props} />
  return (
    <DefaultSchemaField
      {...props}
      uiSchema={{ ...props.uiSchema, 'ui:field': other, 'ui:fieldReplacesAnyOrOneOf': true }}
    />
  )
}

function insteadOf(props: FieldProps): string | undefined {
  const schema = props.schema as Schema
  if (props.fieldPathId.path.length === 0) return undefined
  if (showsExpression(infoOf(props.registry), props.fieldPathId.$id, schema, props.formData)) return 'ExpressionField'
  const drawn = props.uiSchema?.['ui:field'] !== undefined || schema['x-source'] !== undefined
  return !drawn && misfits(schema, props.formData as Json) ? 'MisfitField' : undefined
}

/** A value that the field cannot show, as it is: it stays until somebody takes it away. */
function MisfitField(props: FieldProps) {
  const { t } = useTranslation()
  const label = String(props.schema.title ?? props.name)
  return (
    <Leftover
      title={t('form.misfit')}
      value={props.formData as Json}
      label={label}
      id={props.fieldPathId.$id}
      onRemove={props.disabled || props.readonly ? undefined : () => props.onChange(undefined, props.fieldPathId.path)}
    />
  )
}

interface LeftoverProps {
  id?: string
  title: string
  label: string
  value: Json | undefined
  onRemove?: () => void
}

/** A value that no field of the form shows. */
export function Leftover({ id, title, label, value, onRemove }: LeftoverProps) {
  const { t } = useTranslation()
  return (
    // biome-ignore lint/a11y/useSemanticElements: a value with its button, styled as one
    <div className="sf-left" id={id} role="group" aria-label={label}>
      <div className="grow">
        <div className="sf-hint">{title}</div>
        <pre className="mono">{JSON.stringify(value, null, 1)}</pre>
      </div>
      {onRemove && (
        <ActionIcon size={24} aria-label={t('form.removeValue', { label })} onClick={onRemove}>
          <IconTrash size={14} aria-hidden />
        </ActionIcon>
      )}
    </div>
  )
}

function ExpressionField(props: FieldProps) {
  const info = infoOf(props.registry)
  const label = String(props.schema.title ?? props.name)
  return (
    <>
      <Expression
        id={props.fieldPathId.$id}
        label={label}
        value={props.formData === undefined ? '' : String(props.formData)}
        scope={info.scope}
        wants={typeof props.schema.type === 'string' ? props.schema.type : undefined}
        placeholder={'${}'}
        invalid={(props.rawErrors?.length ?? 0) > 0}
        readOnly={props.disabled || props.readonly}
        onChange={(value) => props.onChange(value === '' ? undefined : value, props.fieldPathId.path)}
      />
      <UnknownNames info={info} value={props.formData as Json} />
    </>
  )
}

/** Names that nothing stands behind: a hint, the server decides. */
export function UnknownNames({ info, value }: { info: FormInfo; value: Json | undefined }) {
  const { t } = useTranslation()
  const unknown = useMemo(() => unknownNames(info, value), [info, value])
  if (unknown.length === 0) return null
  return <div className="sf-hint">{t('form.unknownNames', { names: unknown.join(', ') })}</div>
}

function unknownNames(info: FormInfo, value: Json | undefined): string[] {
  if (!info.expressions) return []
  const known = new Set(info.scope.map((s) => s.name.split('.')[0]))
  const nodes = new Set(info.scope.filter((s) => s.name.startsWith('nodes.')).map((s) => s.name.split('.')[1]))
  const found = expressionsOf(value).flatMap((cel) => [
    ...namesIn(cel).filter((name) => !known.has(name)),
    ...nodesIn(cel)
      .filter((id) => !nodes.has(id))
      .map((id) => `nodes.${id}`),
  ])
  return [...new Set(found)]
}

/** Any value at all, written as JSON; what cannot be read is kept until it can. */
function JsonField(props: FieldProps) {
  const { t } = useTranslation()
  const written = props.formData === undefined ? '' : JSON.stringify(props.formData, null, 2)
  const [text, setText] = useState(written)
  const [bad, setBad] = useState(false)
  // While it is drawn, not after: what is typed in between may not be JSON yet, and would be taken back.
  useLayoutEffect(() => {
    setText((old) => (sameJson(old, written) ? old : written))
  }, [written])
  const change = (value: string) => {
    setText(value)
    const parsed = parse(value)
    setBad(parsed === undefined && value.trim() !== '')
    if (parsed !== undefined || value.trim() === '') props.onChange(parsed, props.fieldPathId.path)
  }
  return (
    <Textarea
      id={props.fieldPathId.$id}
      aria-label={String(props.schema.title ?? props.name)}
      value={text}
      autosize
      minRows={2}
      maxRows={14}
      spellCheck={false}
      disabled={props.disabled || props.readonly}
      error={bad ? t('form.badJson') : undefined}
      onChange={(e) => change(e.currentTarget.value)}
      classNames={{ input: 'mono' }}
    />
  )
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

function sameJson(a: string, b: string): boolean {
  const [x, y] = [parse(a), parse(b)]
  return x !== undefined && JSON.stringify(x) === JSON.stringify(y)
}

interface Pair {
  key: string
  value: string
}

/** Names and values: what a value looks like as JSON decides its type. */
function KeyValueField(props: FieldProps) {
  const { t } = useTranslation()
  const text = useText()
  const info = infoOf(props.registry)
  const [pairs, setPairs] = useState<Pair[]>(() => pairsOf(props.formData as Json))
  const rest = props.schema.additionalProperties as Schema | boolean | undefined
  const strings = typeof rest === 'object' && rest.type === 'string'
  const outside = JSON.stringify(props.formData ?? {})
  useEffect(() => {
    setPairs((old) => (JSON.stringify(objectOf(old, strings)) === outside ? old : pairsOf(JSON.parse(outside) as Json)))
  }, [outside, strings])
  const change = (next: Pair[]) => {
    setPairs(next)
    props.onChange(objectOf(next, strings), props.fieldPathId.path)
  }
  const set = (i: number, patch: Partial<Pair>) => change(pairs.map((p, j) => (i === j ? { ...p, ...patch } : p)))
  const label = text(String(props.schema.title ?? props.name))
  return (
    // biome-ignore lint/a11y/useSemanticElements: rows of a small table, styled as one
    <div className="sf-pairs" role="group" aria-label={label}>
      {pairs.map((pair, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows are known by their place while a name is typed
        <div className="sf-pair" key={i}>
          <TextInput
            aria-label={t('form.pairName', { n: i + 1 })}
            value={pair.key}
            onChange={(e) => set(i, { key: e.currentTarget.value })}
          />
          <Expression
            label={t('form.pairValue', { n: i + 1 })}
            value={pair.value}
            scope={info.scope}
            onChange={(value) => set(i, { value })}
          />
          <ActionIcon
            aria-label={t('form.removeRow', { n: i + 1 })}
            onClick={() => change(pairs.filter((_, j) => j !== i))}
          >
            <IconTrash size={14} aria-hidden />
          </ActionIcon>
        </div>
      ))}
      <Button
        variant="subtle"
        size="compact-xs"
        leftSection={<IconPlus size={13} />}
        onClick={() => change([...pairs, { key: '', value: '' }])}
      >
        {t('form.addRow')}
      </Button>
      <UnknownNames info={info} value={props.formData as Json} />
    </div>
  )
}

function pairsOf(value: Json | undefined): Pair[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return []
  return Object.entries(value).map(([key, v]) => ({
    key,
    value: typeof v === 'string' && parse(v) === undefined ? v : JSON.stringify(v),
  }))
}

function objectOf(pairs: Pair[], strings: boolean): { [key: string]: Json } {
  const named = pairs.filter((p) => p.key !== '')
  return Object.fromEntries(named.map(({ key, value }) => [key, strings ? value : (parse(value) ?? value)]))
}

/** The fields of our own theme. */
export const fields = {
  SchemaField,
  ExpressionField,
  MisfitField,
  JsonField,
  KeyValueField,
} as unknown as RegistryFieldsType
