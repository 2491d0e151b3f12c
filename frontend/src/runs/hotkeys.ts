import { useHotkeys } from '@mantine/hooks'

/** Keys of the console; while a dialog asks something they are its, and not ours. */
export function useKeys(keys: readonly (readonly [key: string, act: () => void])[]): void {
  useHotkeys(
    keys.map(([key, act]) => [
      key,
      () => {
        if (!document.querySelector('[aria-modal="true"]')) act()
      },
    ]),
  )
}
