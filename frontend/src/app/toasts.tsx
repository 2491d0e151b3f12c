// A module of its own, so that its code is loaded after the first page: what is said meanwhile waits in a store.
export { Notifications } from '@mantine/notifications'
