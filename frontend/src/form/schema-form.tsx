import { Skeleton } from '@mantine/core'
import Form, { type IChangeEvent } from '@rjsf/core'
import { type FormContextType, type RJSFSchema, toErrorSchema } from '@rjsf/utils'
import { Suspense, useCallback, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { JsonObject, Schema } from '~/api/types'
import { lazy } from '~/app/lazy'
import type { ScopeName } from '~/doc/scope'
import { useLang } from '~/i18n/text'
import { isWide } from './breadth'
import type { Asks, FormInfo } from './context'
import { fields } from './fields'
import './form.css'
import { hasOperation } from './operation'
import { formOf } from './profile'
import { templates } from './templates'
import { branches, check, present, type Violation } from './validator'
import { widgets } from './widgets'

export interface SchemaFormProps {
  /** Tells fields of two forms on one page apart. */
  name: string
  schema: Schema
  value: JsonObject
  onChange(value: JsonObject): void
  expressions?: boolean
  scope?: readonly ScopeName[]
  literal?: readonly string[]
  onLiteral?(name: string, on: boolean): void
  problems?: ReadonlyMap<string, string>
  focus?: string
  readOnly?: boolean
  /** The action whose inputs these are; without it no field offers choices from a source. */
  asks?: Asks
  /** Shows what is wrong before anything was typed. */
  strict?: boolean
  /** What is not told of what is wrong. */
  skip?(violation: Violation): boolean
}

const none: readonly never[] = []
const noProblems: ReadonlyMap<string, string> = new Map()

/** How a violation reads in the language that is shown. */
function useSay(): (v: Violation) => string {
  const { t, i18n } = useTranslation()
  return useCallback(
    (v) => {
      const key = `form.rule.${v.keyword}`
      const say = t as unknown as (k: string, args: object) => string
      return i18n.exists(key) ? say(key, { limit: v.limit }) : t('form.rule.other')
    },
    [t, i18n],
  )
}

const WithOperation = lazy(() => import('./operation-form').then((m) => ({ default: m.OperationForm })))

/** A form made from a JSON Schema, in our own look; one that calls an operation has the operation's fields. */
export function SchemaForm(props: SchemaFormProps) {
  if (!props.asks || !hasOperation(props.schema)) return <PlainForm {...props} />
  return (
    <Suspense fallback={<Skeleton height={160} radius="md" />}>
      <WithOperation {...props} />
    </Suspense>
  )
}

/** A form made from a JSON Schema as it stands. */
export function PlainForm(props: SchemaFormProps) {
  const {
    name,
    schema,
    value,
    onChange,
    expressions = false,
    scope = none,
    literal = none,
    onLiteral,
    problems = noProblems,
    focus,
    readOnly = false,
    asks,
    strict = false,
    skip,
  } = props
  const lang = useLang()
  const say = useSay()
  const { schema: shown, ui } = useMemo(() => formOf(schema, lang), [schema, lang])
  const folds = useMemo(() => isWide(shown), [shown])
  const [switched, setSwitchedState] = useState<ReadonlySet<string>>(new Set())
  const [touched, setTouched] = useState(strict)
  const setSwitched = useCallback((id: string, on: boolean) => {
    setSwitchedState((old) => {
      const next = new Set(old)
      if (on) next.add(id)
      else next.delete(id)
      return next
    })
  }, [])
  const literals = useMemo(() => new Set(literal), [literal])
  const info = useMemo<FormInfo>(
    () => ({
      expressions,
      scope,
      switched,
      setSwitched,
      literal: literals,
      setLiteral: onLiteral,
      problems,
      focus,
      folds,
      data: value,
      asks,
    }),
    [expressions, scope, switched, setSwitched, literals, onLiteral, problems, focus, folds, value, asks],
  )
  // What is missing is told once the form was touched; what is wrong, at once.
  const errors = useMemo(() => {
    const told = check(shown, value, expressions, literal).filter(
      (v) => (touched || v.keyword !== 'required') && !skip?.(v),
    )
    return toErrorSchema(
      told.map((v) => ({ property: v.path.map((s) => `.${s}`).join(''), message: say(v), stack: v.keyword })),
    )
  }, [shown, value, expressions, literal, touched, say, skip])
  const changed = (event: IChangeEvent) => {
    setTouched(true)
    onChange(present((event.formData ?? {}) as JsonObject) as JsonObject)
  }
  return (
    <Form
      tagName="div"
      idPrefix={name}
      idSeparator="-"
      schema={shown as RJSFSchema}
      uiSchema={{ ...ui, 'ui:submitButtonOptions': { norender: true } }}
      formData={value}
      formContext={info as unknown as FormContextType}
      validator={branches}
      noValidate
      extraErrors={errors}
      showErrorList={false}
      noHtml5Validate
      readonly={readOnly}
      fields={fields}
      widgets={widgets}
      templates={templates}
      onChange={changed}
      experimental_defaultFormStateBehavior={{ emptyObjectFields: 'skipDefaults' }}
    />
  )
}
