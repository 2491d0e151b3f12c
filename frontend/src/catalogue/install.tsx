import { Button, Checkbox, Group, Modal } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type DragEvent, useId, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { InstalledPlugin } from '~/api/installed'
import { queries } from '~/api/queries'
import type { Grant } from '~/api/types'
import { IconAlertTriangle, IconFileText, IconUpload } from '~/app/icons'
import { say, sayError } from '~/app/notices'
import { useCodes } from '~/i18n/codes'
import { useText } from '~/i18n/text'
import { LimitsPanel } from './access'
import { catalogue, useInstall, useSetGrants } from './api'
import { bytesText, covers, same, short } from './entries'
import { compareVersions, type ModuleFile, readModule, type Unreadable } from './module'
import { PluginTile, useDenied } from './parts'
import { Refused } from './refused'

type Read =
  | { kind: 'none' }
  | { kind: 'reading'; name: string }
  | { kind: 'refused'; why: Unreadable }
  | { kind: 'module'; module: ModuleFile }

/** Takes a module file, shows what it asks for, and installs it. */
export function InstallDialog({ project, onClose }: { project: string; onClose(): void }) {
  const { t } = useTranslation('catalogue')
  const { t: common } = useTranslation()
  const [read, setRead] = useState<Read>({ kind: 'none' })
  const latest = useRef<File | null>(null)
  const take = (file: File) => {
    latest.current = file
    setRead({ kind: 'reading', name: file.name })
    readModule(file).then(
      (m) => {
        // A file that was chosen meanwhile comes first.
        if (latest.current !== file) return
        setRead(typeof m === 'string' ? { kind: 'refused', why: m } : { kind: 'module', module: m })
      },
      () => latest.current === file && setRead({ kind: 'refused', why: 'notWasm' }),
    )
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('install.title')}
      size="lg"
      closeButtonProps={{ 'aria-label': common('action.close') }}
    >
      <div className="cat-dialog">
        {read.kind === 'module' ? (
          <Review
            key={read.module.digest}
            project={project}
            module={read.module}
            onOther={() => setRead({ kind: 'none' })}
            onClose={onClose}
          />
        ) : (
          <Pick read={read} onFile={take} />
        )}
      </div>
    </Modal>
  )
}

function Pick({ read, onFile }: { read: Exclude<Read, { kind: 'module' }>; onFile(f: File): void }) {
  const { t } = useTranslation('catalogue')
  const id = useId()
  const [over, setOver] = useState(false)
  const drop = (e: DragEvent) => {
    e.preventDefault()
    setOver(false)
    const file = e.dataTransfer.files[0]
    if (file) onFile(file)
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a shortcut; the button inside does the same
    <div
      className="cat-drop"
      data-over={over}
      onDragOver={(e) => {
        e.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <IconUpload size={26} stroke={1.5} aria-hidden />
      {read.kind === 'reading' ? (
        <span role="status">{t('install.reading', { name: read.name })}</span>
      ) : (
        <span>{t(over ? 'install.dropActive' : 'install.drop')}</span>
      )}
      <input
        id={id}
        className="sr-only"
        type="file"
        accept=".wasm,application/wasm"
        onChange={(e) => {
          const file = e.currentTarget.files?.[0]
          if (file) onFile(file)
          e.currentTarget.value = ''
        }}
      />
      <Button component="label" htmlFor={id} loading={read.kind === 'reading'}>
        {t('install.pick')}
      </Button>
      <span className="quiet">{t('install.hint')}</span>
      {read.kind === 'refused' && (
        <div className="notice" data-s="failed" role="alert">
          <IconAlertTriangle size={16} aria-hidden />
          <div className="grow">{t(`install.${read.why}`)}</div>
        </div>
      )}
    </div>
  )
}

/** How a file relates to what is installed. */
type Relation = { kind: 'isNew' | 'same' | 'waits' } | { kind: 'upgrade' | 'older'; version: string }

function relationOf(module: ModuleFile, installed: readonly InstalledPlugin[]): Relation {
  const found = installed.find((p) => p.id === module.manifest.id)
  if (!found) return { kind: 'isNew' }
  const own = found.versions.find((v) => v.digest === module.digest)
  if (own?.latest) return { kind: 'same' }
  if (own?.state === 'pending') return { kind: 'waits' }
  const used = found.versions
    .filter((v) => v.state !== 'pending' && v.digest !== module.digest)
    .toSorted((a, b) => compareVersions(b.version, a.version))[0]
  if (!used) return { kind: 'isNew' }
  return {
    kind: compareVersions(module.manifest.version, used.version) < 0 ? 'older' : 'upgrade',
    version: used.version,
  }
}

function Review(props: { project: string; module: ModuleFile; onOther(): void; onClose(): void }) {
  const { t } = useTranslation('catalogue')
  const { project, module, onOther, onClose } = props
  const { manifest } = module
  const text = useText()
  const navigate = useNavigate()
  const codes = useCodes()
  const installed = useQuery(catalogue.installed())
  const trust = useQuery(catalogue.trust())
  const install = useInstall(project)
  const grant = useSetGrants(project)
  const denied = useDenied('approve')
  const plugins = useQuery(queries.plugins(project))
  const own = plugins.data?.find((p) => p.id === manifest.id)
  const held = (own?.grants ?? []).filter((g) => (manifest.needs ?? []).some((n) => covers(n, g)))
  const named = (manifest.needs ?? []).filter((n) => n.system !== '*' && n.operation !== '*')
  const [chosen, setChosen] = useState<Grant[]>([])
  const [signature, setSignature] = useState<{ name: string; text: string } | null>(null)
  const [override, setOverride] = useState(false)
  const relation = relationOf(module, installed.data ?? [])
  const name = text(manifest.title)
  const submit = async () => {
    const version = await install.mutateAsync({ module: module.file, signature: signature?.text ?? null, override })
    const told = { name, version: version.version }
    say(t(version.state === 'pending' ? 'install.held' : 'install.done', told))
    // Only what a person has ticked is granted, and only to what runs now.
    if (version.state === 'active' && chosen.length > 0) {
      await grant
        .mutateAsync({ plugin: version.plugin, grants: [...held, ...chosen] })
        .catch((e: unknown) => sayError(`${t('install.grantFailed')}: ${codes.error(e)}`))
    }
    onClose()
    void navigate({ to: '/p/$project/plugins/$plugin', params: { project, plugin: version.plugin } })
  }
  return (
    <form
      className="cat-dialog"
      onSubmit={(e) => {
        e.preventDefault()
        // What was refused is shown from the mutation.
        submit().catch(() => undefined)
      }}
    >
      <div className="cat-file">
        <PluginTile icon={manifest.icon} large />
        <div className="cat-head-text">
          <strong>{name}</strong> <span className="num">{manifest.version}</span>
          {manifest.doc && <div>{text(manifest.doc)}</div>}
          <div className="quiet cat-facts">
            <span className="mono">{manifest.id}</span>
            <span className="mono">{short(module.digest)}</span>
            <span className="num">{bytesText(module.file.size)}</span>
            <span>{t('actions.count', { n: manifest.actions.length })}</span>
          </div>
        </div>
        <Button variant="default" size="compact-xs" onClick={onOther}>
          {t('install.other')}
        </Button>
      </div>
      <RelationNote relation={relation} override={override} onOverride={setOverride} />
      <section aria-label={t('install.asks')}>
        <h3>{t('install.asks')}</h3>
        {(manifest.needs ?? []).length === 0 && <p className="quiet">{t('install.asksNothing')}</p>}
        <Needs
          needs={manifest.needs ?? []}
          held={held}
          before={own && (own.manifest.needs ?? [])}
          chosen={chosen}
          off={denied !== undefined}
          onChange={setChosen}
        />
        {named.length > 0 && <p className="quiet">{denied ?? t('install.grantNow')}</p>}
      </section>
      <LimitsPanel manifest={manifest} brief />
      <Signature value={signature} onChange={setSignature} />
      {trust.data && <p className="quiet">{t(`install.policy.${trust.data.policy}`)}</p>}
      {install.error && <Refused error={install.error} />}
      <Group justify="flex-end" gap="xs">
        <Cancel onClose={onClose} />
        <Button
          type="submit"
          loading={install.isPending || grant.isPending}
          disabled={
            relation.kind === 'same' ||
            relation.kind === 'waits' ||
            (relation.kind === 'older' && !override) ||
            installed.isPending
          }
        >
          {t('install.go')}
        </Button>
      </Group>
    </form>
  )
}

function Cancel({ onClose }: { onClose(): void }) {
  const { t } = useTranslation()
  return (
    <Button variant="default" onClick={onClose}>
      {t('action.cancel')}
    </Button>
  )
}

function RelationNote(props: { relation: Relation; override: boolean; onOverride(on: boolean): void }) {
  const { t } = useTranslation('catalogue')
  const { relation, override, onOverride } = props
  if (!('version' in relation)) return <p className="quiet cat-line">{t(`install.${relation.kind}`)}</p>
  if (relation.kind === 'upgrade') return <p className="quiet cat-line">{t('install.upgrade', relation)}</p>
  return (
    <div className="notice" data-s="waiting">
      <IconAlertTriangle size={16} aria-hidden />
      <div className="grow">
        {t('install.older', { version: relation.version })}
        <Checkbox
          mt={6}
          size="sm"
          label={t('install.override')}
          checked={override}
          onChange={(e) => onOverride(e.currentTarget.checked)}
        />
      </div>
    </div>
  )
}

function Needs(props: {
  needs: Grant[]
  held: Grant[]
  /** What the version in use asks for; nothing for a new plugin. */
  before: Grant[] | undefined
  chosen: Grant[]
  off: boolean
  onChange(g: Grant[]): void
}) {
  const { t } = useTranslation('catalogue')
  const { needs, held, before, chosen, onChange } = props
  return (
    <ul className="cat-needs">
      {needs.map((n) => {
        const label = <span className="mono">{`${n.system}/${n.operation}`}</span>
        const any = n.system === '*' || n.operation === '*'
        const has = held.some((h) => same(h, n))
        const isNew = before && !before.some((b) => covers(b, n))
        return (
          <li key={`${n.system}/${n.operation}`}>
            {any ? (
              <>
                {label} <span className="quiet">{t(n.system === '*' ? 'access.anySystem' : 'access.any')}</span>
              </>
            ) : (
              <Checkbox
                size="sm"
                label={label}
                description={has ? t('access.granted') : undefined}
                disabled={has || props.off}
                checked={has || chosen.some((c) => same(c, n))}
                onChange={(e) => onChange(e.currentTarget.checked ? [...chosen, n] : chosen.filter((c) => !same(c, n)))}
              />
            )}
            {isNew && (
              <span className="pill cat-risk" data-s="waiting">
                {t('review.asksNew')}
              </span>
            )}
          </li>
        )
      })}
    </ul>
  )
}

function Signature(props: {
  value: { name: string; text: string } | null
  onChange(v: { name: string; text: string } | null): void
}) {
  const { t } = useTranslation('catalogue')
  const { value, onChange } = props
  const id = useId()
  return (
    <div className="cat-signature">
      <IconFileText size={15} aria-hidden />
      <span className="clip">{value ? value.name : t('install.signature')}</span>
      <input
        id={id}
        className="sr-only"
        type="file"
        accept=".json,.dsse,.sig,application/json"
        onChange={(e) => {
          const file = e.currentTarget.files?.[0]
          e.currentTarget.value = ''
          if (file) void file.text().then((text) => onChange({ name: file.name, text }))
        }}
      />
      {value ? (
        <Button variant="subtle" color="gray" size="compact-xs" onClick={() => onChange(null)}>
          {t('install.removeSignature')}
        </Button>
      ) : (
        <Button component="label" htmlFor={id} variant="default" size="compact-xs">
          {t('install.pickSignature')}
        </Button>
      )}
    </div>
  )
}
