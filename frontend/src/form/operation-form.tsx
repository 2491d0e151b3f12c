import { Skeleton } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { Json, JsonObject, Schema } from '~/api/types'
import { gateway } from '~/systems/api'
import { chosen, isHeld, placeholdersOf, withOperation, wordOf } from './operation'
import { PlainForm, type SchemaFormProps } from './schema-form'
import type { Violation } from './validator'

/** A form with the fields of the operation that is chosen in it. */
export function OperationForm(props: SchemaFormProps) {
  const { schema, value, onChange, asks } = props
  const { t } = useTranslation()
  const what = useMemo(() => chosen(schema, value), [schema, value])
  const query = useQuery({
    ...gateway.operation(asks?.project ?? '', what?.system ?? '', what?.operation ?? ''),
    enabled: asks !== undefined && what !== undefined,
    retry: false,
    // The form of the operation before stays until the next is here.
    placeholderData: keepPreviousData,
  })
  const op = what && !query.isError ? query.data : undefined
  const whole = useMemo(() => (op ? withOperation(schema, op) : schema), [schema, op])
  const names = useMemo(() => (op ? paramsOf(schema, whole) : []), [schema, whole, op])
  const placeholders = useMemo(() => placeholdersOf(schema), [schema])
  // What is missing among the parameters is told one by one, also where none is given yet.
  const filled = useMemo(() => {
    const absent = names.filter((n) => value[n] === undefined)
    return absent.length === 0 ? value : { ...value, ...Object.fromEntries(absent.map((n) => [n, {}])) }
  }, [names, value])
  const changed = (next: JsonObject) => {
    const kept = Object.entries(next).filter(([n, v]) => !names.includes(n) || value[n] !== undefined || !isEmpty(v))
    onChange(Object.fromEntries(kept))
  }
  const drawn = useRef(false)
  if (what && query.isPending && !drawn.current) return <Skeleton height={160} radius="md" />
  drawn.current = true
  const skip = (v: Violation) => isHeld(value, v.path, placeholders)
  return (
    <>
      <PlainForm
        {...props}
        schema={whole}
        value={filled}
        onChange={changed}
        skip={placeholders.length > 0 ? skip : undefined}
      />
      {what && query.isError && <p className="sf-hint">{t('form.operation.unknown')}</p>}
    </>
  )
}

/** The fields that hold the parameters of the operation, where it takes any. */
function paramsOf(schema: Schema, whole: Schema): string[] {
  const drawn = (whole.properties ?? {}) as object
  return Object.entries((schema.properties ?? {}) as { [name: string]: Schema })
    .filter(([name, field]) => name in drawn && wordOf(field)?.part === 'params')
    .map(([name]) => name)
}

function isEmpty(value: Json | undefined): boolean {
  return value !== null && typeof value === 'object' && Object.keys(value).length === 0
}
