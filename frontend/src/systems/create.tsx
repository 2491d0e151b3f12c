import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { say } from '~/app/notices'
import { Crumbs } from '~/app/shell'
import '~/catalogue/catalogue.css'
import { useText } from '~/i18n/text'
import { SystemEditor } from './editor'
import './registry.css'
import './systems.css'

const route = getRouteApi('/p/$project/system-new')

/** Makes a system by hand. */
export function CreatePage() {
  const { t } = useTranslation('registry')
  const { t: common } = useTranslation()
  const text = useText()
  const { project } = route.useParams()
  const navigate = useNavigate()
  return (
    <div className="page">
      <Crumbs>
        <span className="sep shell-wide">/</span>
        <Link to="/p/$project/systems" params={{ project }}>
          {common('nav.systems')}
        </Link>
        <span className="sep">/</span>
        <span aria-current="page">{t('edit.createTitle')}</span>
      </Crumbs>
      <div className="page-head">
        <h1>{t('edit.createTitle')}</h1>
      </div>
      <SystemEditor
        project={project}
        onSaved={(system) => {
          say(t('edit.created', { name: text(system.title) }))
          void navigate({ to: '/p/$project/systems/$system', params: { project, system: system.id } })
        }}
      />
    </div>
  )
}
