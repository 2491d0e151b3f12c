import { Button, Group, Radio } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { JsonObject, Variable } from '~/api/types'
import { IconX } from '~/app/icons'
import { useNodeName } from '~/canvas/nodes'
import type { PathNode } from '~/doc/paths'
import { inputsSchema } from '~/editor/inputs'
import { PanelHead } from '~/editor/panel'
import { countViolations } from '~/form/count'
import { SchemaForm } from '~/form/lazy-form'
import { useText } from '~/i18n/text'
import { runEnded } from '~/run/fold'
import { NodePill } from '~/run/glyph'
import { useNodeRun } from '~/run/store'
import { JsonView } from '~/runs/json-view'
import { choosable, type Outcome, type Report } from './script'

const outcomes = ['succeed', 'fail', 'retry', 'skip'] as const

interface NodeProps {
  entry: PathNode
  outcome: Outcome
  onOutcome(outcome: Outcome): void
  onClose(): void
}

/** What a node does in the dry run. */
export function NodeSide({ entry, outcome, onOutcome, onClose }: NodeProps) {
  const { t } = useTranslation('rehearse')
  const { t: common } = useTranslation()
  const name = useNodeName()(entry.node)
  const view = useNodeRun(entry.path)
  return (
    <aside className="rn-panel" aria-label={name}>
      <PanelHead
        title={name}
        sub={entry.path}
        action={{ label: common('action.close'), icon: <IconX size={15} aria-hidden />, onClick: onClose }}
      />
      <div className="rn-body">
        {view && <NodePill view={view} />}
        {choosable(entry.node) ? (
          <Radio.Group mt="sm" label={t('outcome')} value={outcome} onChange={(v) => onOutcome(v as Outcome)}>
            {outcomes.map((value) => (
              <Radio key={value} mt="xs" value={value} label={t(`outcomes.${value}`)} />
            ))}
          </Radio.Group>
        ) : (
          <p className="quiet">{t('outcomeOther')}</p>
        )}
      </div>
    </aside>
  )
}

interface InputsProps {
  variables: readonly Variable[]
  value: JsonObject
  busy: boolean
  failing: number
  report: Report | undefined
  onRun(value: JsonObject): void
  onReset(): void
}

const noProblems: ReadonlyMap<string, string> = new Map()

/** What the dry run begins with, and what came of it. */
export function InputsSide({ variables, value, busy, failing, report, onRun, onReset }: InputsProps) {
  const { t } = useTranslation('rehearse')
  const text = useText()
  const [draft, setDraft] = useState(value)
  const [strict, setStrict] = useState(false)
  const schema = useMemo(() => inputsSchema(variables, text), [variables, text])
  const submit = () => {
    setStrict(true)
    if (countViolations(schema, draft, false) === 0) onRun({ ...draft })
  }
  return (
    <aside className="rn-panel" aria-label={t('inputs')}>
      <form
        className="rn-body"
        onSubmit={(e) => {
          e.preventDefault()
          submit()
        }}
      >
        <p className="quiet">{t('inputsHelp')}</p>
        <h3>{t('inputs')}</h3>
        {variables.length === 0 && <p className="quiet">{t('noInputs')}</p>}
        {variables.length > 0 && (
          <SchemaForm
            key={String(strict)}
            name="dry-run"
            schema={schema}
            value={draft}
            onChange={setDraft}
            problems={noProblems}
            strict={strict}
          />
        )}
        <Group mt="sm" gap="xs">
          <Button type="submit" loading={busy}>
            {t('run')}
          </Button>
          {failing > 0 && (
            <Button variant="default" onClick={onReset}>
              {t('reset')}
            </Button>
          )}
        </Group>
        {failing > 0 && <p className="quiet">{t('failing', { n: failing })}</p>}
        {report && (
          <>
            <h3>{t('result')}</h3>
            {!runEnded(report.state) && <p>{t('waits')}</p>}
            <JsonView value={report.run.outputs ?? {}} label={t('result')} />
          </>
        )}
      </form>
    </aside>
  )
}
