export const timelineZh = {
  title: '时间线',
  squeeze: '压缩空闲时间',
  zoomIn: '放大',
  zoomOut: '缩小',
  whole: '显示全部',
  empty: '还没有节点运行',
  rows: '{{n}} 个节点，按到达的先后排列',
  idle: '空闲 {{time}}',
  span: '{{state}} {{time}}',
  spanOf: '{{state}} {{time}}（第 {{n}} 次）',
}

export type TimelineMessages = typeof timelineZh
