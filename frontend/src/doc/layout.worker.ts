import { arrange, type Drawing } from './layout'

self.onmessage = (event: MessageEvent<Drawing>) => {
  self.postMessage([...arrange(event.data)])
}
