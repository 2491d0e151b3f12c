import { Combobox, InputBase, Loader, Pill, PillsInput, useCombobox } from '@mantine/core'
import type { WidgetProps } from '@rjsf/utils'
import { type ReactNode, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Json, Schema } from '~/api/types'
import { IconRefresh } from '~/app/icons'
import { useCodes } from '~/i18n/codes'
import { useLang } from '~/i18n/text'
import { type Entry, keyOf, matching, type Offer, typedValue, useChoices } from './choices'
import { common, shownMax } from './widgets'

/** Rows of the list that are no choices. */
const rowRetry = ' retry'
const rowTyped = ' typed'
const rowAll = ' all'

/** What is shown of a value that no choice stands for. */
function plain(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** One value out of the choices of a source; any other can be typed. */
export function SourceOne(props: WidgetProps) {
  const [opened, setOpened] = useState(false)
  const offer = useChoices(props, opened || props.value !== undefined)
  return <PickOne {...props} offer={offer} onOpen={() => setOpened(true)} />
}

/** One value out of some; any other can be typed. */
export function PickOne({ offer, onOpen, ...props }: WidgetProps & { offer: Offer; onOpen(): void }) {
  const { t } = useTranslation()
  const [search, setSearch] = useState<string>()
  const value = props.value as Json | undefined
  const box = useCombobox({
    onDropdownOpen: onOpen,
    onDropdownClose: () => {
      box.resetSelectedOption()
      setSearch(undefined)
    },
  })
  const entry = value === undefined ? undefined : offer.byKey.get(keyOf(value))
  const shown = value === undefined ? '' : (entry?.label ?? plain(value))
  const text = search ?? ''
  const typed = typedValue(text, props.schema as Schema)
  const submit = (row: string) => {
    if (row === rowRetry) {
      offer.reload()
      return
    }
    props.onChange(row === rowTyped ? typed : offer.byKey.get(row)?.value)
    box.closeDropdown()
  }
  const leave = () => {
    // What was typed and fits is kept, as in any other field.
    if (search !== undefined && typed !== undefined && text !== shown) props.onChange(exact(offer, text) ?? typed)
    box.closeDropdown()
  }
  const { placeholder, disabled, ...input } = common(props)
  return (
    <>
      <Combobox store={box} onOptionSubmit={submit} disabled={disabled} keepMounted={false}>
        <Combobox.Target withExpandedAttribute>
          <InputBase
            {...input}
            size="xs"
            disabled={disabled}
            value={search ?? shown}
            placeholder={placeholder ?? t('form.source.pick')}
            onFocus={() => box.openDropdown()}
            onClick={() => box.openDropdown()}
            onBlur={leave}
            onChange={(e) => {
              setSearch(e.currentTarget.value)
              if (e.currentTarget.value === '') props.onChange(undefined)
              box.openDropdown()
              box.updateSelectedOptionIndex()
            }}
            rightSection={
              offer.loading ? (
                <Loader size={14} />
              ) : value !== undefined && !props.required && !disabled ? (
                <Combobox.ClearButton
                  aria-label={t('form.source.clear', { label: props.label })}
                  onClear={() => props.onChange(undefined)}
                />
              ) : (
                <Combobox.Chevron />
              )
            }
            rightSectionPointerEvents={value !== undefined && !props.required && !disabled ? 'all' : 'none'}
          />
        </Combobox.Target>
        <Dropdown
          offer={offer}
          search={text}
          label={props.label}
          taken={value === undefined ? none : new Set([keyOf(value)])}
          typed={typed}
        />
      </Combobox>
      <Notes offer={offer} strange={value !== undefined && !entry ? [plain(value)] : []} />
    </>
  )
}

const none: ReadonlySet<string> = new Set()

/** The choice whose label or value is exactly the text. */
function exact(offer: Offer, text: string): Json | undefined {
  const wanted = text.trim()
  return offer.entries.find((e) => !e.disabled && (e.label === wanted || plain(e.value) === wanted))?.value
}

/** Several of the choices; others can be typed. */
export function SourceMany(props: WidgetProps) {
  const { t } = useTranslation()
  const [search, setSearch] = useState('')
  const [opened, setOpened] = useState(false)
  const values = useMemo(() => (Array.isArray(props.value) ? (props.value as Json[]) : []), [props.value])
  const offer = useChoices(props, opened || values.length > 0)
  const box = useCombobox({
    onDropdownOpen: () => setOpened(true),
    onDropdownClose: () => box.resetSelectedOption(),
  })
  const taken = useMemo(() => new Set(values.map(keyOf)), [values])
  const items = (props.schema.items ?? {}) as Schema
  const typed = typedValue(search, items)
  const write = (next: Json[]) => props.onChange(next.length > 0 ? next : undefined)
  const add = (more: readonly Json[]) => write([...values, ...more.filter((v) => !taken.has(keyOf(v)))])
  const remove = (key: string) => write(values.filter((v) => keyOf(v) !== key))
  const submit = (row: string) => {
    if (row === rowRetry) return offer.reload()
    if (row === rowAll) add(open(matching(offer.entries, search), taken).map((e) => e.value))
    else if (row === rowTyped) add(typed === undefined ? [] : [typed])
    else if (taken.has(row)) return remove(row)
    else add([JSON.parse(row) as Json])
    setSearch('')
    box.updateSelectedOptionIndex()
  }
  const leave = () => {
    if (typed !== undefined) add([exact(offer, search) ?? typed])
    setSearch('')
    box.closeDropdown()
  }
  const { placeholder, disabled, ...input } = common(props)
  return (
    <>
      <Combobox store={box} onOptionSubmit={submit} disabled={disabled} keepMounted={false}>
        <Combobox.DropdownTarget>
          <PillsInput
            size="xs"
            disabled={disabled}
            onClick={() => box.openDropdown()}
            rightSection={offer.loading ? <Loader size={14} /> : <Combobox.Chevron />}
            rightSectionPointerEvents="none"
          >
            <Pill.Group>
              {values.map((v) => {
                const key = keyOf(v)
                const known = offer.byKey.get(key)
                const strange = !known && offer.entries.length > 0
                return (
                  <Pill
                    key={key}
                    className="src-pill"
                    data-strange={strange || undefined}
                    withRemoveButton={!disabled}
                    onRemove={() => remove(key)}
                    removeButtonProps={{
                      'aria-label': t('form.source.remove', { value: known?.label ?? plain(v) }),
                      'aria-hidden': false,
                      tabIndex: 0,
                    }}
                  >
                    {known?.label ?? plain(v)}
                  </Pill>
                )
              })}
              <Combobox.EventsTarget withExpandedAttribute>
                <PillsInput.Field
                  {...input}
                  disabled={disabled}
                  value={search}
                  placeholder={values.length === 0 ? (placeholder ?? t('form.source.pick')) : undefined}
                  onFocus={() => box.openDropdown()}
                  onBlur={leave}
                  onChange={(e) => {
                    setSearch(e.currentTarget.value)
                    box.openDropdown()
                    box.updateSelectedOptionIndex()
                  }}
                  onKeyDown={(e) => {
                    const last = values.at(-1)
                    if (e.key !== 'Backspace' || search !== '' || last === undefined) return
                    e.preventDefault()
                    remove(keyOf(last))
                  }}
                />
              </Combobox.EventsTarget>
            </Pill.Group>
          </PillsInput>
        </Combobox.DropdownTarget>
        <Dropdown offer={offer} search={search} label={props.label} taken={taken} typed={typed} many />
      </Combobox>
      <Notes offer={offer} strange={values.filter((v) => !offer.byKey.has(keyOf(v))).map(plain)} />
    </>
  )
}

/** The entries that can still be taken. */
function open(entries: readonly Entry[], taken: ReadonlySet<string>): Entry[] {
  return entries.filter((e) => !e.disabled && !taken.has(e.key))
}

interface DropdownProps {
  offer: Offer
  search: string
  label: string
  taken: ReadonlySet<string>
  /** The value that the text in the field stands for. */
  typed: Json | undefined
  many?: boolean
}

/** The list below the field, or why there is none. */
function Dropdown({ offer, search, label, taken, typed, many = false }: DropdownProps) {
  const { t } = useTranslation()
  const found = useMemo(() => matching(offer.entries, search), [offer.entries, search])
  const more = found.length - shownMax
  const free = many ? open(found, taken).length : 0
  const own = typed !== undefined && exact(offer, search) === undefined
  return (
    <Combobox.Dropdown>
      <Combobox.Options className="src-list" aria-label={label}>
        {free > 1 && (
          <Combobox.Option value={rowAll} className="src-row-all">
            {t('form.source.all', { n: free })}
          </Combobox.Option>
        )}
        {found.slice(0, shownMax).map((e) => (
          <Combobox.Option key={e.key} value={e.key} disabled={e.disabled} active={taken.has(e.key)}>
            <span className="src-row" data-taken={taken.has(e.key) || undefined}>
              <span className="clip">{e.label}</span>
              {e.label !== plain(e.value) && <span className="src-value mono clip">{plain(e.value)}</span>}
            </span>
          </Combobox.Option>
        ))}
        {own && <Combobox.Option value={rowTyped}>{t('form.source.typed', { text: search.trim() })}</Combobox.Option>}
        <Failed offer={offer} />
      </Combobox.Options>
      {more > 0 && <Line>{t('form.source.more', { n: more })}</Line>}
      <State offer={offer} found={found.length} searched={search.trim() !== ''} />
    </Combobox.Dropdown>
  )
}

function Line({ children }: { children: ReactNode }) {
  return <div className="src-line">{children}</div>
}

/** The row that asks again after a failure: in the list, so that keys reach it. */
function Failed({ offer }: { offer: Offer }) {
  const { t } = useTranslation()
  if (offer.loading || (!offer.failure && !offer.error)) return null
  return (
    <Combobox.Option value={rowRetry}>
      <span className="src-row">
        <span className="src-retry">
          <IconRefresh size={13} aria-hidden />
          {t('form.source.retry')}
        </span>
      </span>
    </Combobox.Option>
  )
}

/** What there is instead of choices. */
function State({ offer, found, searched }: { offer: Offer; found: number; searched: boolean }) {
  const { t } = useTranslation()
  const list = useList()
  const why = useWhy(offer)
  if (offer.loading) return offer.entries.length > 0 ? null : <Line>{t('form.source.loading')}</Line>
  if (why) return <Line>{why}</Line>
  if (found > 0) return null
  if (searched && offer.entries.length > 0) return <Line>{t('form.source.noMatch')}</Line>
  if (offer.empty.length > 0) return <Line>{t('form.source.emptyDepends', { fields: list(offer.empty) })}</Line>
  return <Line>{t('form.source.empty')}</Line>
}

/** Writes words one after the other, as the language does. */
function useList(): (words: readonly string[]) => string {
  const between = useLang() === 'zh' ? '、' : ', '
  return (words) => words.join(between)
}

/** Why there are no choices, in words; undefined when nothing is wrong. */
function useWhy(offer: Offer): string | undefined {
  const { t } = useTranslation()
  const codes = useCodes()
  const list = useList()
  if (offer.unknown.length > 0) return t('form.source.needsRuntime', { fields: list(offer.unknown) })
  if (offer.error) return codes.error(offer.error)
  return offer.failure ? codes.failure(offer.failure) : undefined
}

/** What the field says when its list is closed. */
function Notes({ offer, strange }: { offer: Offer; strange: readonly string[] }) {
  const { t } = useTranslation()
  const list = useList()
  const why = useWhy(offer)
  const odd = strange.filter((v) => !v.includes('${'))
  return (
    <div aria-live="polite">
      {why && !offer.loading && <div className="sf-hint">{why}</div>}
      {!why && !offer.loading && offer.entries.length > 0 && odd.length > 0 && (
        <div className="sf-hint">{t('form.source.strange', { values: list(odd) })}</div>
      )}
    </div>
  )
}
