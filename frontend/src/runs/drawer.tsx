import { ActionIcon, Skeleton, Tabs } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { RunDetail } from '~/api/types'
import { IconX } from '~/app/icons'
import { ErrorNotice } from '~/app/notices'
import { useNodeName } from '~/canvas/nodes'
import type { PathNode } from '~/doc/paths'
import { useHistory } from '~/timeline/history'
import { Timeline } from '~/timeline/timeline'
import { Compare } from './compare'
import { LogView } from './log-view'
import { OperationLog } from './operation-log'
import { type Sheet, sheets } from './sheets'

interface Props {
  project: string
  detail: RunDetail
  nodes: readonly PathNode[]
  chosen: string | undefined
  sheet: Sheet
  onSheet(sheet: Sheet): void
  onChoose(path: string): void
  onClose(): void
}

/** What the run tells as a whole, below the canvas: when, what was logged, who did what, and how it went before. */
export function RunDrawer({ project, detail, nodes, chosen, sheet, onSheet, onChoose, onClose }: Props) {
  const { t } = useTranslation()
  const { t: own } = useTranslation('console')
  const history = useHistory(project, detail.id)
  const nameOf = useNodeName()
  const name = (path: string) => {
    const entry = nodes.find((n) => n.path === path)
    return entry ? nameOf(entry.node) : path
  }
  const { loaded, error, retry, lines, cut, operations } = history
  return (
    <Tabs
      className="rn-sheets"
      value={sheet}
      onChange={(to) => onSheet((to ?? 'timeline') as Sheet)}
      keepMounted={false}
    >
      <header className="rn-sheethead">
        <Tabs.List aria-label={own('sheet.label')}>
          {sheets.map((s) => (
            <Tabs.Tab key={s} value={s}>
              {own(`sheet.${s}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <span className="grow" />
        <ActionIcon variant="subtle" color="gray" aria-label={t('action.close')} onClick={onClose}>
          <IconX size={15} aria-hidden />
        </ActionIcon>
      </header>
      {error !== null && <ErrorNotice error={error} onRetry={retry} />}
      {!loaded && error === null && <Skeleton className="tl-wait" height={120} radius="md" />}
      <Tabs.Panel value="timeline">
        <Timeline history={history} nodes={nodes} chosen={chosen} onChoose={onChoose} />
      </Tabs.Panel>
      <Tabs.Panel value="log">
        {loaded && (
          <>
            {cut && <p className="quiet rn-none">{own('log.cut', { n: lines.length })}</p>}
            <LogView lines={lines} label={own('sheet.log')} nameOf={name} onNode={onChoose} />
          </>
        )}
      </Tabs.Panel>
      <Tabs.Panel value="operations">
        {loaded && <OperationLog operations={operations} nameOf={name} onChoose={onChoose} />}
      </Tabs.Panel>
      <Tabs.Panel value="compare">
        <Compare project={project} detail={detail} nodes={nodes} onChoose={onChoose} />
      </Tabs.Panel>
    </Tabs>
  )
}
