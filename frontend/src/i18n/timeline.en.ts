import type { TimelineMessages } from './timeline.zh'

export const timelineEn: TimelineMessages = {
  title: 'Timeline',
  squeeze: 'Squeeze idle time',
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
  whole: 'Show all',
  empty: 'No node has run yet',
  rows: '{{n}} nodes, in the order they were reached',
  idle: 'idle for {{time}}',
  span: '{{state}} {{time}}',
  spanOf: '{{state}} {{time}} (attempt {{n}})',
}
