import { Modal, Tabs } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useCallback, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Plugin } from '~/api/types'
import { Confirm } from '~/app/confirm'
import { useEdited } from '~/editor/subflows'
import { ImagePanel } from './image'
import { SourcePanel } from './source'
import './files.css'

interface Props {
  plugins: readonly Plugin[]
  onClose(): void
}

/** The flow as files: its source, and a picture of it. */
export function FileDialog({ plugins, onClose }: Props) {
  const { project } = useEdited()
  const { t } = useTranslation(['files', 'translation'])
  const narrow = useMediaQuery('(max-width: 700px)', false, { getInitialValueInEffect: false })
  const dirty = useRef(false)
  const [tab, setTab] = useState('source')
  const [leaving, setLeaving] = useState(false)
  const onDirty = useCallback((now: boolean) => {
    dirty.current = now
  }, [])
  return (
    <>
      <Modal
        opened
        onClose={() => (dirty.current ? setLeaving(true) : onClose())}
        title={t('title')}
        size="1080px"
        fullScreen={narrow}
        closeButtonProps={{ 'aria-label': t('translation:action.close') }}
        className="fl"
      >
        <Tabs value={tab} onChange={(v) => setTab(v ?? 'source')} keepMounted className="fl-tabs">
          <Tabs.List aria-label={t('title')}>
            <Tabs.Tab value="source">{t('tab.source')}</Tabs.Tab>
            <Tabs.Tab value="image">{t('tab.image')}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="source" className="fl-panel">
            <SourcePanel project={project} onDirty={onDirty} onClose={onClose} />
          </Tabs.Panel>
          <Tabs.Panel value="image" className="fl-panel">
            {tab === 'image' && <ImagePanel plugins={plugins} />}
          </Tabs.Panel>
        </Tabs>
      </Modal>
      <Confirm
        opened={leaving}
        title={t('source.gone')}
        confirm={t('source.goneConfirm')}
        danger
        onConfirm={onClose}
        onClose={() => setLeaving(false)}
      >
        {t('source.goneText')}
      </Confirm>
    </>
  )
}
