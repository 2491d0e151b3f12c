import { ActionIcon, Button, Group, Menu, Modal, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { call, path } from '~/api/client'
import type { Page, View } from '~/api/types'
import { IconBookmark, IconCheck, IconPlus, IconRefresh, IconTrash } from '~/app/icons'
import { say, sayError } from '~/app/notices'
import { useCodes } from '~/i18n/codes'

interface Props {
  project: string
  list: View['list']
  /** The view that the address is now. */
  query: string
  onOpen(query: string): void
}

/** The saved views of a list: open one, keep the filters as one. */
export function Views({ project, list, query, onOpen }: Props) {
  const { t } = useTranslation('home')
  const { t: common } = useTranslation()
  const codes = useCodes()
  const client = useQueryClient()
  const base = path('projects', project, 'views')
  const key = ['views', project, list]
  const views = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => call<Page<View>>(`${base}?list=${list}`, { signal }),
    staleTime: 30_000,
  })
  const [opened, setOpened] = useState<View>()
  const [naming, setNaming] = useState(false)
  const items = views.data?.items ?? []
  const active = items.find((v) => v.query === query)
  // One that was opened and then narrowed further can be brought up to date.
  const stale = !active && opened ? items.find((v) => v.id === opened.id) : undefined
  const put = useMutation({
    mutationFn: ({ id, name }: { id?: string; name: string }) =>
      call<View>(id ? base + path(id) : base, { method: id ? 'PUT' : 'POST', body: { list, name, query } }),
    onSuccess: (view) => {
      setOpened(view)
      setNaming(false)
      say(t('views.saved', { name: view.name }))
      return client.invalidateQueries({ queryKey: key })
    },
  })
  const remove = useMutation({
    mutationFn: (view: View) => call<void>(base + path(view.id), { method: 'DELETE' }),
    onSuccess: (_, view) => {
      say(t('views.removed', { name: view.name }))
      return client.invalidateQueries({ queryKey: key })
    },
    onError: (e) => sayError(codes.error(e)),
  })
  return (
    <>
      <Menu position="bottom-end" width={270}>
        <Menu.Target>
          <Button variant="default" leftSection={<IconBookmark size={14} aria-hidden />}>
            {active ? t('views.active', { name: active.name }) : t('views.label')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {items.length === 0 && <Menu.Label>{views.error ? codes.error(views.error) : t('views.none')}</Menu.Label>}
          {items.map((v) => (
            <div key={v.id} className="vw-row" role="none">
              <Menu.Item
                leftSection={v === active ? <IconCheck size={14} aria-hidden /> : <span style={{ width: 14 }} />}
                onClick={() => {
                  setOpened(v)
                  onOpen(v.query)
                }}
              >
                <span className="clip">{v.name}</span>
              </Menu.Item>
              <ActionIcon
                role="menuitem"
                aria-label={t('views.remove', { name: v.name })}
                onClick={() => remove.mutate(v)}
              >
                <IconTrash size={14} aria-hidden />
              </ActionIcon>
            </div>
          ))}
          <Menu.Divider />
          {stale && (
            <Menu.Item
              leftSection={<IconRefresh size={14} aria-hidden />}
              onClick={() =>
                put.mutate({ id: stale.id, name: stale.name }, { onError: (e) => sayError(codes.error(e)) })
              }
            >
              {t('views.update', { name: stale.name })}
            </Menu.Item>
          )}
          <Menu.Item
            leftSection={<IconPlus size={14} aria-hidden />}
            disabled={query === '' || active !== undefined}
            onClick={() => {
              put.reset()
              setNaming(true)
            }}
          >
            {t('views.save')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={naming}
        onClose={() => setNaming(false)}
        title={t('views.save')}
        size="sm"
        closeButtonProps={{ 'aria-label': common('action.close') }}
      >
        <form
          onSubmit={(e) => {
            e.preventDefault()
            const name = String(new FormData(e.currentTarget).get('name') ?? '').trim()
            if (name) put.mutate({ name })
          }}
        >
          <TextInput
            name="name"
            label={t('views.name')}
            description={t('views.help')}
            maxLength={64}
            required
            data-autofocus
            error={put.error ? codes.error(put.error) : undefined}
          />
          <Group justify="flex-end" mt="md" gap="xs">
            <Button variant="default" onClick={() => setNaming(false)}>
              {common('action.cancel')}
            </Button>
            <Button type="submit" loading={put.isPending}>
              {common('action.save')}
            </Button>
          </Group>
        </form>
      </Modal>
    </>
  )
}
