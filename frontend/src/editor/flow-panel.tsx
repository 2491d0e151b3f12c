import { NumberInput, Select, Textarea, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useDoc, useDocStore } from '~/doc/store'
import { useLang, useText, withText } from '~/i18n/text'
import { PanelHead } from './panel'

/** What holds for the flow as a whole. */
export function FlowPanel() {
  const { t } = useTranslation()
  const store = useDocStore()
  const doc = useDoc((s) => s.doc)
  const text = useText()
  const lang = useLang()
  return (
    <>
      <PanelHead title={t('flow.settings')} sub={doc.id} />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: leaving the fields ends the running gesture */}
      <div className="pn-body" onBlur={() => store.getState().seal()}>
        <TextInput
          label={t('flows.name')}
          value={text(doc.name)}
          maxLength={128}
          onChange={(e) =>
            store
              .getState()
              .commit(
                { op: 'meta', patch: { name: withText(doc.name, lang, e.currentTarget.value) ?? '' } },
                'flow:name',
              )
          }
        />
        <Textarea
          mt="sm"
          label={t('node.doc')}
          autosize
          minRows={3}
          value={text(doc.doc)}
          onChange={(e) =>
            store
              .getState()
              .commit({ op: 'meta', patch: { doc: withText(doc.doc, lang, e.currentTarget.value) } }, 'flow:doc')
          }
        />
        <Select
          mt="sm"
          label={t('flow.onFailure')}
          data={[
            { value: 'block', label: t('flow.block') },
            { value: 'fail', label: t('flow.fail') },
          ]}
          value={doc.on_failure === 'fail' ? 'fail' : 'block'}
          allowDeselect={false}
          onChange={(v) =>
            store.getState().commit({ op: 'meta', patch: { on_failure: v === 'fail' ? 'fail' : undefined } })
          }
        />
        <NumberInput
          mt="sm"
          label={t('flow.timeout')}
          description={t('flow.timeoutHelp')}
          value={doc.timeout_ms === undefined ? '' : doc.timeout_ms / 60_000}
          min={0.001}
          decimalScale={3}
          onChange={(v) =>
            store.getState().commit(
              {
                op: 'meta',
                patch: { timeout_ms: v === '' ? undefined : Math.round(Number(v) * 60_000) || undefined },
              },
              'flow:timeout',
            )
          }
        />
      </div>
    </>
  )
}
