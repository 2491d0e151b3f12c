import { ActionIcon, TextInput } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { FlowNode, JsonObject, NodeType, Plugin, Schema } from '~/api/types'
import { IconSearch, IconX } from '~/app/icons'
import { iconOf } from '~/canvas/icons'
import { useText } from '~/i18n/text'

/** What an entry of the palette adds: a node without id and place. */
export type Blueprint = Omit<FlowNode, 'id' | 'position'>

/** The kind of data that the palette drags. */
const dragType = 'application/x-culm-node'

const structure: NodeType[] = ['start', 'end', 'exclusive', 'parallel', 'inclusive', 'join', 'subflow']

/** Reads what was dropped on the canvas. */
export function readDrop(data: DataTransfer): Blueprint | null {
  const text = data.getData(dragType)
  return text ? (JSON.parse(text) as Blueprint) : null
}

interface Entry {
  key: string
  label: string
  hint: string
  blueprint: Blueprint
}

interface Props {
  plugins: readonly Plugin[]
  hasStart: boolean
  onAdd(blueprint: Blueprint): void
  onClose?(): void
}

/** Everything that can be put on the canvas, by plugin, with search. */
export function Palette({ plugins, hasStart, onAdd, onClose }: Props) {
  const { t } = useTranslation()
  const [query, setQuery] = useState('')
  const groups = usePaletteGroups(plugins, query)
  return (
    <aside className="pal" aria-label={t('palette.label')}>
      <div className="pal-search">
        <TextInput
          aria-label={t('palette.search')}
          placeholder={t('palette.search')}
          leftSection={<IconSearch size={14} aria-hidden />}
          value={query}
          onChange={(e) => setQuery(e.currentTarget.value)}
          style={{ flex: 1 }}
        />
        {onClose && (
          <ActionIcon aria-label={t('action.close')} onClick={onClose}>
            <IconX size={15} aria-hidden />
          </ActionIcon>
        )}
      </div>
      {groups.length === 0 && <p className="quiet pal-none">{t('palette.none', { q: query })}</p>}
      {groups.map((group) => (
        <section key={group.key} aria-label={group.title}>
          <h2>{group.title}</h2>
          {group.entries.map((entry) => (
            <PaletteItem
              key={entry.key}
              entry={entry}
              plugins={plugins}
              disabled={entry.blueprint.type === 'start' && hasStart}
              onAdd={onAdd}
            />
          ))}
        </section>
      ))}
    </aside>
  )
}

function PaletteItem({
  entry,
  plugins,
  disabled,
  onAdd,
}: {
  entry: Entry
  plugins: readonly Plugin[]
  disabled: boolean
  onAdd: Props['onAdd']
}) {
  const Icon = iconOf(entry.blueprint, plugins)
  return (
    <button
      type="button"
      className="pal-item"
      draggable={!disabled}
      disabled={disabled}
      title={entry.hint}
      onDragStart={(event) => {
        event.dataTransfer.setData(dragType, JSON.stringify(entry.blueprint))
        event.dataTransfer.effectAllowed = 'copy'
      }}
      onDoubleClick={() => onAdd(entry.blueprint)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter') return
        event.preventDefault()
        onAdd(entry.blueprint)
      }}
    >
      <span className="pal-icon">
        <Icon size={16} stroke={1.7} aria-hidden />
      </span>
      <span className="clip">{entry.label}</span>
    </button>
  )
}

/** What the palette offers, by group; a query leaves what matches it. */
export function usePaletteGroups(plugins: readonly Plugin[], query: string) {
  const { t } = useTranslation()
  const text = useText()
  return useMemo(() => {
    const groups = [
      {
        key: '',
        title: t('palette.structure'),
        entries: structure.map(
          (type): Entry => ({
            key: type,
            label: t(`node.type.${type}`),
            hint: t(`node.about.${type}`),
            blueprint: { type },
          }),
        ),
      },
      // What the project has switched off is drawn where it stands, but not offered.
      ...plugins
        .filter((plugin) => plugin.enabled)
        .map((plugin) => ({
          key: plugin.id,
          title: text(plugin.manifest.title) || plugin.id,
          entries: plugin.manifest.actions.map((action): Entry => {
            const inputs = defaultsOf(action.inputs)
            return {
              key: `${plugin.id}.${action.id}`,
              label: text(action.title) || action.id,
              hint: text(action.doc),
              blueprint: {
                type: 'task',
                plugin: plugin.id,
                action: action.id,
                ...(Object.keys(inputs).length > 0 ? { inputs } : {}),
              },
            }
          }),
        })),
    ]
    const words = query.trim().toLowerCase()
    if (words === '') return groups
    const matches = (group: string, e: Entry) => `${group} ${e.label} ${e.key}`.toLowerCase().includes(words)
    return groups
      .map((g) => ({ ...g, entries: g.entries.filter((e) => matches(g.title, e)) }))
      .filter((g) => g.entries.length > 0)
  }, [plugins, query, t, text])
}

/** The defaults of an action's inputs: filled in when the node is made, so that opening a form changes nothing. */
function defaultsOf(schema: Schema): JsonObject {
  const out: JsonObject = {}
  for (const [name, property] of Object.entries((schema.properties ?? {}) as { [k: string]: Schema })) {
    if (property.default !== undefined) out[name] = property.default
  }
  return out
}
