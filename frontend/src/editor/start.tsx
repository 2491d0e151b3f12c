import { Button, Checkbox, Fieldset, MultiSelect, Select, Skeleton, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { Suspense, useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError, call, path } from '~/api/client'
import { queries, useStartRun } from '~/api/queries'
import type { Flow, FlowVersion, JsonObject, NodeType, Page, Problem, RunSummary, Variable } from '~/api/types'
import { useFormat } from '~/app/format'
import { lazy } from '~/app/lazy'
import { ErrorNotice } from '~/app/notices'
import { Crumbs } from '~/app/shell'
import { countViolations } from '~/form/count'
import { SchemaForm } from '~/form/lazy-form'
import { useCodes } from '~/i18n/codes'
import { useText } from '~/i18n/text'
import { givenInputs } from '~/pages/list/run-actions'
import { defaultInputs, inputsSchema } from './inputs'
import { ProblemLines } from './panel'
import './start.css'

const Drawing = lazy(() => import('./start-preview').then((m) => ({ default: m.StartPreview })))

const route = getRouteApi('/p/$project/flows/$flow/start')

/** Asks for the inputs of a flow, shows what will run, and starts it. */
export function StartPage() {
  const { t } = useTranslation('start')
  const { project, flow } = route.useParams()
  const { version } = route.useSearch()
  const versions = useQuery(queries.versions(project, flow))
  const number = version ?? versions.data?.items[0]?.version ?? 0
  const found = useQuery({ ...queries.version(project, flow, number), enabled: number > 0 })
  // What is there is filled in meanwhile, and stays when asking for it again fails.
  const error = found.data ? null : (found.error ?? versions.error)
  return (
    <>
      {error && (
        <div className="page">
          <ErrorNotice error={error} onRetry={() => void (found.error ? found : versions).refetch()} />
        </div>
      )}
      {versions.data && number === 0 && (
        <div className="page">
          <div className="empty">
            <strong>{t('unpublished')}</strong>
            <Link to="/p/$project/flows/$flow" params={{ project, flow }}>
              {t('toEditor')}
            </Link>
          </div>
        </div>
      )}
      {!error && number > 0 && !found.data && (
        <div className="page">
          <Skeleton height={280} radius="md" />
        </div>
      )}
      {found.data && (
        <StartForm
          key={number}
          project={project}
          flow={flow}
          version={number}
          versions={versions.data?.items ?? []}
          document={found.data.document}
        />
      )}
    </>
  )
}

interface Props {
  project: string
  flow: string
  version: number
  versions: readonly FlowVersion[]
  document: Flow
}

/** Where a run can begin besides the start; that it is not inside a branch is the server's to say. */
const beginnings: ReadonlySet<NodeType> = new Set(['task', 'exclusive', 'parallel', 'inclusive'])

function StartForm({ project, flow, version, versions, document }: Props) {
  const { t } = useTranslation('start')
  const { t: common } = useTranslation()
  const text = useText()
  const navigate = useNavigate()
  const start = useStartRun(project, flow)
  const inputs = useMemo(() => (document.variables ?? []).filter((v) => v.source === 'input'), [document])
  const [values, setValues] = useState<JsonObject>(() => defaultInputs(inputs))
  const [name, setName] = useState('')
  const [strict, setStrict] = useState(false)
  const [schemes, setSchemes] = useState<string[]>([])
  const [without, setWithout] = useState<readonly string[]>([])
  const [startAt, setStartAt] = useState<string | null>(null)
  const preview = usePreview(project, flow, version, inputs, values, without)
  const asked = useAsked(inputs, preview.data?.asked)
  const given = useMemo(() => only(values, asked), [values, asked])
  const schema = useMemo(() => inputsSchema(asked, text), [asked, text])
  const refused = start.error instanceof ApiError ? start.error.body : null
  const problems = useRefusals(start.error)
  const asks = useMemo(() => ({ project, plugin: '', action: '' }), [project])
  const submit = () => {
    setStrict(true)
    if (countViolations(schema, given, false) > 0) return
    start.mutate(
      {
        version,
        inputs: given,
        name: name.trim() || unnamed(text(document.name)),
        ...(without.length > 0 ? { without: [...without] } : {}),
        ...(startAt ? { start_at: startAt } : {}),
      },
      { onSuccess: (run) => void navigate({ to: '/p/$project/runs/$run', params: { project, run: run.id } }) },
    )
  }
  return (
    <div className="st">
      <Crumbs>
        <span className="sep shell-wide">/</span>
        <Link to="/p/$project/flows/$flow" params={{ project, flow }} className="clip">
          {text(document.name)}
        </Link>
        <span className="sep">/</span>
        <span aria-current="page">{t('title')}</span>
      </Crumbs>
      <form
        className="st-form"
        aria-label={t('title')}
        onSubmit={(e) => {
          e.preventDefault()
          submit()
        }}
      >
        <div className="st-fields">
          <header>
            <h1>{text(document.name)}</h1>
            <VersionSelect project={project} flow={flow} version={version} versions={versions} />
          </header>
          {document.doc && <p className="quiet st-doc">{text(document.doc)}</p>}
          <TextInput
            label={t('name')}
            placeholder={text(document.name)}
            value={name}
            maxLength={128}
            onChange={(e) => setName(e.currentTarget.value)}
          />
          {inputs.length > 0 && (
            <Reuse
              project={project}
              flow={flow}
              inputs={inputs}
              onReuse={(reused) => setValues((old) => ({ ...old, ...reused }))}
            />
          )}
          {inputs.length === 0 && <p className="quiet">{t('noInputs')}</p>}
          {asked.length > 0 && (
            <SchemaForm
              key={String(strict)}
              name="start"
              schema={schema}
              value={given}
              onChange={(next) => setValues((old) => replaced(old, asked, next))}
              problems={problems}
              strict={strict}
              asks={asks}
            />
          )}
          <OptionalNodes
            document={document}
            schemes={schemes}
            without={without}
            onSchemes={(ids) => {
              setSchemes(ids)
              setWithout(leftOut(document, ids))
            }}
            onWithout={(ids) => {
              setSchemes([])
              setWithout(ids)
            }}
          />
          <Select
            label={t('at')}
            description={t('atHelp')}
            placeholder={t('atStart')}
            data={document.nodes
              .filter((n) => beginnings.has(n.type) && !without.includes(n.id))
              .map((n) => ({ value: n.id, label: `${text(n.name) || common(`node.type.${n.type}`)} (${n.id})` }))}
            value={startAt}
            onChange={setStartAt}
            clearable
            searchable
            clearButtonProps={{ 'aria-label': common('action.clear') }}
            error={refused?.field === '/start_at' ? t('atRefused') : undefined}
          />
          {refused?.problems && (
            <ProblemLines problems={refused.problems.filter((p) => !p.field?.startsWith('/inputs/'))} />
          )}
          {start.error && problems.size === 0 && <ErrorNotice error={start.error} title={t('refused')} />}
        </div>
        <footer className="st-foot">
          <Button
            variant="subtle"
            onClick={() =>
              void navigate({
                to: '/p/$project/flows/$flow/dry-run',
                params: { project, flow },
                search: { version },
                state: { inputs: given },
              })
            }
          >
            {t('dryRun')}
          </Button>
          <span className="grow" />
          <Button
            variant="default"
            component={Link}
            {...({ to: '/p/$project/flows/$flow', params: { project, flow } } as object)}
          >
            {common('action.cancel')}
          </Button>
          <Button type="submit" loading={start.isPending}>
            {t('go')}
          </Button>
        </footer>
      </form>
      <section className="st-preview" aria-label={t('preview')}>
        <PreviewHead
          all={document.nodes.length}
          left={preview.data ? document.nodes.length - preview.data.document.nodes.length : 0}
          problems={preview.data?.problems ?? []}
          error={preview.error}
        />
        <Suspense fallback={null}>
          <Drawing project={project} document={preview.data?.document ?? document} />
        </Suspense>
      </section>
    </div>
  )
}

/** What is wrong with single inputs, by the server's word. */
function useRefusals(error: unknown): ReadonlyMap<string, string> {
  const codes = useCodes()
  return useMemo(() => {
    const body = error instanceof ApiError ? error.body : undefined
    if (!body?.field?.startsWith('/inputs/')) return new Map()
    const own = (field: string) => field.slice('/inputs'.length)
    const named = (body.problems ?? []).filter((p) => p.field?.startsWith('/inputs/')).toReversed()
    return new Map([
      [own(body.field), codes.atField(error)],
      ...named.map((p): [string, string] => [own(p.field ?? ''), codes.problem(p)]),
    ])
  }, [error, codes])
}

interface Preview {
  version: number
  document: Flow
  problems: Problem[]
  asked: string[] | null
}

/** How long the form rests before it is asked again what it would start. */
const restMs = 250

/** Asks the server what would run, and which inputs it asks for; secrets stay here. */
function usePreview(
  project: string,
  flow: string,
  version: number,
  variables: readonly Variable[],
  values: JsonObject,
  without: readonly string[],
) {
  const shown = useMemo(
    () =>
      only(
        values,
        variables.filter((v) => !v.secret),
      ),
    [values, variables],
  )
  const [inputs] = useDebouncedValue(shown, restMs)
  return useQuery({
    queryKey: ['preview', project, flow, version, without, inputs],
    queryFn: ({ signal }) =>
      call<Preview>(path('projects', project, 'flows', flow, 'preview'), {
        method: 'POST',
        body: { version, without, inputs },
        signal,
      }),
    placeholderData: keepPreviousData,
    gcTime: 60_000,
    retry: false,
    refetchOnWindowFocus: false,
  })
}

/** The inputs that are asked for: as the server says, until then those without a condition. */
function useAsked(inputs: readonly Variable[], asked: string[] | null | undefined): readonly Variable[] {
  const names = asked ? asked.join(' ') : undefined
  return useMemo(() => {
    const known = names?.split(' ')
    return inputs.filter((v) => (known ? known.includes(v.name) : !v.show_if))
  }, [inputs, names])
}

function only(values: JsonObject, variables: readonly Variable[]): JsonObject {
  const kept = variables.filter((v) => values[v.name] !== undefined)
  return Object.fromEntries(kept.map((v) => [v.name, values[v.name] ?? null]))
}

/** New values of the fields that are shown; those of hidden ones come back with them. */
function replaced(old: JsonObject, shown: readonly Variable[], next: JsonObject): JsonObject {
  const names = new Set(shown.map((v) => v.name))
  return { ...Object.fromEntries(Object.entries(old).filter(([name]) => !names.has(name))), ...next }
}

/** The optional nodes that all of the schemes leave out, as the server counts. */
function leftOut(document: Flow, ids: readonly string[]): string[] {
  const chosen = (document.schemes ?? []).filter((s) => ids.includes(s.id))
  if (chosen.length === 0) return []
  return document.nodes.map((n) => n.id).filter((id) => chosen.every((s) => (s.without ?? []).includes(id)))
}

function VersionSelect({ project, flow, version, versions }: Omit<Props, 'document'>) {
  const { t } = useTranslation('start')
  const navigate = useNavigate()
  return (
    <Select
      aria-label={t('version')}
      data={versions.map((v, i) => ({
        value: String(v.version),
        label: i === 0 ? t('latest', { version: v.version }) : `v${v.version}${v.note ? ` ${v.note}` : ''}`,
      }))}
      value={String(version)}
      onChange={(value) =>
        void navigate({
          to: '/p/$project/flows/$flow/start',
          params: { project, flow },
          search: { version: Number(value) },
          replace: true,
        })
      }
      allowDeselect={false}
      w={150}
    />
  )
}

interface ReuseProps {
  project: string
  flow: string
  inputs: readonly Variable[]
  onReuse(values: JsonObject): void
}

/** Takes over what an earlier run was given. Secrets are never taken over. */
function Reuse({ project, flow, inputs, onReuse }: ReuseProps) {
  const { t } = useTranslation('start')
  const text = useText()
  const format = useFormat()
  const { run } = route.useSearch()
  const runs = useQuery({
    queryKey: ['runs', project, 'of', flow],
    queryFn: ({ signal }) =>
      call<Page<RunSummary>>(`${path('projects', project, 'runs')}?flow=${encodeURIComponent(flow)}&limit=20`, {
        signal,
      }),
  })
  const [chosen, setChosen] = useState<string | null>(run ?? null)
  const taken = useQuery({
    queryKey: ['given', project, chosen],
    queryFn: ({ signal }) => givenInputs(project, chosen ?? '', inputs, signal),
    enabled: chosen !== null,
    staleTime: Number.POSITIVE_INFINITY,
  })
  const got = taken.data?.inputs
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each answer
  useEffect(() => {
    if (got) onReuse(got)
  }, [got])
  const items = runs.data?.items ?? []
  if (items.length === 0) return null
  const secret = inputs.some((v) => v.secret)
  return (
    <div className="st-reuse">
      <Select
        label={t('reuse')}
        placeholder={t('reuseNone')}
        description={secret ? t('reuseSecrets') : undefined}
        data={items.map((r) => ({
          value: r.id,
          label: `${r.name || text(r.flow_name)} · ${format.when(r.created_at)}`,
        }))}
        value={chosen}
        onChange={setChosen}
        error={taken.error ? t('reuseFailed') : undefined}
        searchable
      />
      <Button variant="default" disabled={chosen === items[0]?.id} onClick={() => setChosen(items[0]?.id ?? null)}>
        {t('reuseLast')}
      </Button>
    </div>
  )
}

interface OptionalProps {
  document: Flow
  schemes: string[]
  without: readonly string[]
  onSchemes(ids: string[]): void
  onWithout(ids: readonly string[]): void
}

/** The nodes that a run may leave out, by hand or by schemes of the flow. */
function OptionalNodes({ document, schemes, without, onSchemes, onWithout }: OptionalProps) {
  const { t } = useTranslation('start')
  const text = useText()
  const nodes = document.nodes.filter((n) => n.optional)
  const known = document.schemes ?? []
  if (nodes.length === 0) return null
  return (
    <Fieldset legend={t('optional')}>
      <p className="quiet">{t('optionalHelp')}</p>
      {known.length > 0 && (
        <MultiSelect
          size="xs"
          mb="xs"
          label={t('scheme')}
          description={t('schemeHelp')}
          placeholder={schemes.length === 0 ? t('schemeNone') : undefined}
          data={known.map((s) => ({ value: s.id, label: text(s.name) || s.id }))}
          value={schemes}
          onChange={onSchemes}
        />
      )}
      {nodes.map((node) => (
        <Checkbox
          key={node.id}
          mb={6}
          label={text(node.name) || node.id}
          checked={!without.includes(node.id)}
          onChange={(e) =>
            onWithout(e.currentTarget.checked ? without.filter((id) => id !== node.id) : [...without, node.id])
          }
        />
      ))}
    </Fieldset>
  )
}

interface HeadProps {
  all: number
  left: number
  problems: readonly Problem[]
  error: unknown
}

/** What the drawing shows, in words. */
function PreviewHead({ all, left, problems, error }: HeadProps) {
  const { t } = useTranslation('start')
  const codes = useCodes()
  return (
    <header>
      <h2>{t('preview')}</h2>
      <span role="status" className="quiet num">
        {left > 0 ? t('reduced', { n: all - left, left }) : t('whole', { n: all })}
      </span>
      {problems.length > 0 && <ProblemLines problems={problems} />}
      {error !== null && <span className="quiet">{codes.error(error)}</span>}
    </header>
  )
}

/** The name of a run that was given none: in the operator's language and on his clock. */
function unnamed(flow: string): string {
  const at = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' }).format(new Date())
  return `${flow.slice(0, 64)} ${at}`
}
