import { useTranslation } from 'react-i18next'
import { useFormat } from '~/app/format'
import type { Operation } from '~/timeline/operations'

interface Props {
  operations: readonly Operation[]
  nameOf(path: string): string
  onChoose(path: string): void
}

/** Who did what to the run, the newest first. */
export function OperationLog({ operations, nameOf, onChoose }: Props) {
  const { t } = useTranslation('console')
  const format = useFormat()
  if (operations.length === 0) return <p className="quiet rn-none">{t('operations.none')}</p>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <section className="rn-oplog" aria-label={t('sheet.operations')} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('operations.at')}</th>
            <th scope="col">{t('operations.actor')}</th>
            <th scope="col">{t('operations.what')}</th>
            <th scope="col">{t('operations.node')}</th>
            <th scope="col">{t('operations.detail')}</th>
          </tr>
        </thead>
        <tbody>
          {[...operations].reverse().map(({ seq, at, actor, deed, node, detail }) => (
            <tr key={seq}>
              <td className="num" title={format.full(at)}>
                {format.when(at)}
              </td>
              <td>{actor}</td>
              <td>{t(`done.${deed}`)}</td>
              <td>
                {node === undefined ? (
                  <span className="quiet">{t('operations.run')}</span>
                ) : (
                  <button type="button" className="rn-logname" title={node} onClick={() => onChoose(node)}>
                    {nameOf(node)}
                  </button>
                )}
              </td>
              <td className="rn-wide">{deed === 'reschedule' ? format.full(detail) : detail}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
