import { Button, Group, Modal, SegmentedControl } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Flow, FlowDetail, FlowNode, Text } from '~/api/types'
import { useFormat } from '~/app/format'
import { type Choices, type Clash, merge, type Side } from '~/doc/merge'
import { useDocStore } from '~/doc/store'
import { useText } from '~/i18n/text'
import { Value } from '~/versions/value'
import type { Saver } from './saver'
import '~/versions/versions.css'

interface Props {
  theirs: FlowDetail
  saver: Saver
  onCopy(): void
}

/**
 * Two people changed the same things. What does not clash is merged already; of each clash
 * both sides and what was before are shown, and a person decides. Nothing is saved before.
 */
export function ConflictDialog({ theirs, saver, onCopy }: Props) {
  const { t } = useTranslation('versions')
  const format = useFormat()
  const store = useDocStore()
  const [choices, setChoices] = useState<Choices>(new Map())
  const [busy, setBusy] = useState(false)
  // The document does not change while this is open: the dialog covers the page.
  const { saved, doc } = store.getState()
  const merged = useMemo(() => merge(saved, doc, theirs.document, 'mine', choices), [saved, doc, theirs, choices])
  const sides = [
    { value: 'mine', label: t('conflict.mine') },
    { value: 'theirs', label: t('conflict.theirs') },
  ]
  const choose = (ids: readonly string[], side: Side) =>
    setChoices((before) => new Map([...before, ...ids.map((id) => [id, side] as const)]))
  const all = merged.clashes.map((c) => c.id)
  const chosen = new Set(all.map((id) => choices.get(id) ?? 'mine'))
  const accept = async () => {
    setBusy(true)
    await saver.settle(theirs, merged)
    setBusy(false)
  }
  return (
    <Modal
      opened
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      title={t('conflict.title')}
      size="xl"
    >
      <p>{t('conflict.text', { when: format.when(theirs.updated_at), revision: theirs.revision, n: all.length })}</p>
      {all.length > 1 && (
        <Group gap="xs" mb="sm">
          <span className="quiet">{t('conflict.all')}</span>
          <SegmentedControl
            aria-label={t('conflict.all')}
            value={chosen.size === 1 ? [...chosen][0] : ''}
            onChange={(side) => choose(all, side as Side)}
            data={sides}
          />
        </Group>
      )}
      <ul className="vs-clashes">
        {merged.clashes.map((clash) => (
          <ClashRow
            key={clash.id}
            clash={clash}
            doc={doc}
            sides={sides}
            side={choices.get(clash.id) ?? 'mine'}
            onSide={(side) => choose([clash.id], side)}
          />
        ))}
      </ul>
      <Group justify="flex-end" mt="md" gap="xs">
        <Button variant="default" onClick={onCopy}>
          {t('conflict.copy')}
        </Button>
        <Button onClick={() => void accept()} loading={busy} data-autofocus>
          {t('conflict.merge')}
        </Button>
      </Group>
    </Modal>
  )
}

interface RowProps {
  clash: Clash
  doc: Flow
  side: Side
  sides: { value: string; label: string }[]
  onSide(side: Side): void
}

function ClashRow({ clash, doc, side, sides, onSide }: RowProps) {
  const { t } = useTranslation('versions')
  const text = useText()
  const item = clash.list === 'nodes' ? doc.nodes.find((n) => n.id === clash.key) : undefined
  const name = text((item as FlowNode | undefined)?.name as Text) || clash.key
  const label = `${t(`thing.${clash.list}`)} ${name} · ${clash.path.join(' › ') || t('conflict.whole')}`
  return (
    <li>
      <div className="vs-clash-head">
        <span className="grow">
          {t(`thing.${clash.list}`)} <strong>{name}</strong>
          {clash.list !== 'flow' && name !== clash.key && <code className="mono quiet"> {clash.key}</code>}
          <code className="mono"> {clash.path.join(' › ') || t('conflict.whole')}</code>
        </span>
        <SegmentedControl
          size="xs"
          aria-label={label}
          value={side}
          onChange={(value) => onSide(value as Side)}
          data={sides}
        />
      </div>
      <dl className="vs-three">
        {(['base', 'mine', 'theirs'] as const).map((which) => (
          <div key={which} data-chosen={which === side}>
            <dt>{t(`conflict.${which}`)}</dt>
            <dd>
              <Value value={clash[which]} absent={t('conflict.absent')} />
            </dd>
          </div>
        ))}
      </dl>
    </li>
  )
}
