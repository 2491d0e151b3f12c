import {
  MultiSelect,
  NumberInput,
  PasswordInput,
  SegmentedControl,
  Select,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
} from '@mantine/core'
import type { RegistryWidgetsType, WidgetProps } from '@rjsf/utils'
import i18next from 'i18next'
import { useLayoutEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Schema } from '~/api/types'
import { infoOf } from './context'
import { isPlainText, UnknownNames } from './fields'
import { Expression } from './lazy-expression'
import { SourceField } from './lazy-source'

/** How many choices are drawn at once; the others are found by typing. */
export const shownMax = 200

/** From how many choices on they are found by typing. */
const searchFrom = 12

/** What every widget tells its input. */
export function common(props: WidgetProps) {
  return {
    id: props.id,
    'aria-label': props.label,
    'aria-invalid': (props.rawErrors?.length ?? 0) > 0 || undefined,
    'aria-describedby': `${props.id}__note`,
    placeholder: props.placeholder || defaultHint(props),
    disabled: props.disabled || props.readonly,
  }
}

/** What the plugin takes where the field is left empty. */
function defaultHint(props: WidgetProps): string | undefined {
  const value = props.schema.default
  if (value === undefined || value === null || value === '' || typeof value === 'object') return undefined
  const label = props.options.enumOptions?.find((o) => o.value === value)?.label ?? String(value)
  return i18next.t('form.defaultIs', { value: label })
}

/** A text that is kept here while it is typed, so that a long form stays quick. */
function useBuffer(value: string, write: (value: string) => void, delayMs = 150) {
  const [text, setText] = useState(value)
  const known = useRef(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  // While it is drawn, not after: by then something else may have been written, and this would take it back.
  useLayoutEffect(() => {
    if (value !== known.current) {
      known.current = value
      setText(value)
    }
  }, [value])
  const flush = (next: string) => {
    clearTimeout(timer.current)
    if (next === known.current) return
    known.current = next
    write(next)
  }
  return {
    value: text,
    onChange: (e: { currentTarget: { value: string } }) => {
      const next = e.currentTarget.value
      setText(next)
      clearTimeout(timer.current)
      timer.current = setTimeout(() => flush(next), delayMs)
    },
    onBlur: () => flush(text),
  }
}

function Text(props: WidgetProps) {
  const info = infoOf(props.registry)
  const schema = props.schema as Schema
  if (schema.type === 'integer' || schema.type === 'number') return <NumberWidget {...props} />
  if (info.expressions && isPlainText(schema) && schema['x-expression'] !== 'forbidden') return <Template {...props} />
  return <PlainText {...props} />
}

function PlainText(props: WidgetProps) {
  const buffer = useBuffer(String(props.value ?? ''), (v) => props.onChange(v === '' ? props.options.emptyValue : v))
  return <TextInput {...common(props)} {...buffer} />
}

/** A text in which expressions may stand. */
function Template(props: WidgetProps) {
  const info = infoOf(props.registry)
  const multiline = props.options.widget === 'textarea' || Number(props.options.rows ?? 1) > 1
  const literal = info.literal.has(String(props.name))
  return (
    <>
      <Expression
        id={props.id}
        label={props.label}
        value={String(props.value ?? '')}
        scope={literal ? [] : info.scope}
        wants="string"
        multiline={multiline}
        placeholder={props.placeholder || defaultHint(props)}
        invalid={(props.rawErrors?.length ?? 0) > 0}
        readOnly={props.disabled || props.readonly}
        onChange={(v) => props.onChange(v === '' ? props.options.emptyValue : v)}
      />
      {!literal && <UnknownNames info={info} value={props.value} />}
    </>
  )
}

function TextareaWidget(props: WidgetProps) {
  const info = infoOf(props.registry)
  const buffer = useBuffer(String(props.value ?? ''), (v) => props.onChange(v === '' ? props.options.emptyValue : v))
  if (info.expressions && isPlainText(props.schema as Schema))
    return <Template {...props} options={{ ...props.options, widget: 'textarea' }} />
  return <Textarea {...common(props)} {...buffer} autosize minRows={3} maxRows={16} />
}

function NumberWidget(props: WidgetProps) {
  const { minimum, maximum, multipleOf, type } = props.schema
  return (
    <NumberInput
      {...common(props)}
      value={typeof props.value === 'number' ? props.value : ''}
      min={minimum}
      max={maximum}
      step={multipleOf ?? 1}
      clampBehavior="none"
      allowDecimal={type === 'number'}
      onChange={(v) => props.onChange(v === '' ? undefined : Number(v))}
    />
  )
}

function Password(props: WidgetProps) {
  return (
    <PasswordInput
      {...common(props)}
      value={String(props.value ?? '')}
      autoComplete="new-password"
      onChange={(e) => props.onChange(e.currentTarget.value || undefined)}
    />
  )
}

function choices(props: WidgetProps) {
  return (props.options.enumOptions ?? []).map((o) => ({ value: String(o.value), label: String(o.label) }))
}

function choiceOf(props: WidgetProps, text: string | null): unknown {
  return props.options.enumOptions?.find((o) => String(o.value) === text)?.value
}

function SelectWidget(props: WidgetProps) {
  const { t } = useTranslation()
  if (props.multiple) {
    const values = Array.isArray(props.value) ? props.value.map(String) : []
    return (
      <MultiSelect
        {...common(props)}
        size="xs"
        data={choices(props)}
        searchable
        limit={shownMax}
        value={values}
        onChange={(v) => props.onChange(v.map((x) => choiceOf(props, x)))}
      />
    )
  }
  return (
    <Select
      {...common(props)}
      data={choices(props)}
      value={props.value === undefined ? null : String(props.value)}
      onChange={(v) => props.onChange(choiceOf(props, v))}
      clearable={!props.required}
      clearButtonProps={{ 'aria-label': t('action.clear') }}
      allowDeselect={!props.required}
      searchable={choices(props).length > searchFrom}
      limit={shownMax}
    />
  )
}

function Radio(props: WidgetProps) {
  if (choices(props).length > searchFrom) return <SelectWidget {...props} />
  return (
    <SegmentedControl
      aria-label={props.label}
      data={choices(props)}
      value={props.value === undefined ? '' : String(props.value)}
      disabled={props.disabled || props.readonly}
      onChange={(v) => props.onChange(choiceOf(props, v))}
    />
  )
}

function Checkbox(props: WidgetProps) {
  const { placeholder: _none, ...rest } = common(props)
  return <Switch {...rest} checked={props.value === true} onChange={(e) => props.onChange(e.currentTarget.checked)} />
}

/** Instants are written in the reader's zone and kept in UTC. */
function DateTime(props: WidgetProps) {
  return (
    <TextInput
      {...common(props)}
      type="datetime-local"
      step={1}
      value={localTime(props.value)}
      onChange={(e) =>
        props.onChange(e.currentTarget.value ? new Date(e.currentTarget.value).toISOString() : undefined)
      }
    />
  )
}

function localTime(value: unknown): string {
  const date = new Date(typeof value === 'string' ? value : Number.NaN)
  if (Number.isNaN(date.getTime())) return ''
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
  return shifted.toISOString().slice(0, 19)
}

function Day(props: WidgetProps) {
  return (
    <TextInput
      {...common(props)}
      type="date"
      value={String(props.value ?? '')}
      onChange={(e) => props.onChange(e.currentTarget.value || undefined)}
    />
  )
}

function Tags(props: WidgetProps) {
  return (
    <TagsInput
      {...common(props)}
      size="xs"
      value={Array.isArray(props.value) ? props.value.map(String) : []}
      onChange={props.onChange}
    />
  )
}

/** Several of a list of choices. */
function Choices(props: WidgetProps) {
  const items = props.schema.items as Schema
  const named = Array.isArray(items.oneOf) ? (items.oneOf as { const: unknown; title?: string }[]) : []
  const plain = Array.isArray(items.enum)
    ? items.enum.map((value) => ({ const: value as unknown, title: String(value) }))
    : []
  const all = [...named, ...plain]
  const values: unknown[] = Array.isArray(props.value) ? props.value : []
  const expressions = values
    .filter((v) => !all.some((c) => c.const === v))
    .map((v) => ({ value: String(v), label: String(v) }))
  return (
    <MultiSelect
      {...common(props)}
      size="xs"
      data={[...all.map((c) => ({ value: String(c.const), label: c.title ?? String(c.const) })), ...expressions]}
      searchable
      limit={shownMax}
      value={values.map(String)}
      onChange={(picked) =>
        props.onChange(picked.map((text) => all.find((c) => String(c.const) === text)?.const ?? text))
      }
    />
  )
}

/** A value, or several, out of the choices that the plugin offers. */
function Source(props: WidgetProps) {
  const info = infoOf(props.registry)
  if (info.asks) return <SourceField {...props} />
  return props.schema.type === 'array' ? <Tags {...props} /> : <Text {...props} />
}

/** The widgets of our own theme, by the names that the library and the profile use. */
export const widgets: RegistryWidgetsType = {
  TextWidget: Text,
  TextareaWidget,
  UpDownWidget: NumberWidget,
  RangeWidget: NumberWidget,
  PasswordWidget: Password,
  SelectWidget,
  CheckboxesWidget: SelectWidget,
  RadioWidget: Radio,
  CheckboxWidget: Checkbox,
  DateTimeWidget: DateTime,
  DateWidget: Day,
  EmailWidget: Text,
  URLWidget: Text,
  tags: Tags,
  choices: Choices,
  source: Source,
}
