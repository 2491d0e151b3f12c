/** Texts of the recorded plugin calls of a node. */
export const recordingsZh = {
  title: '录制',
  none: '这个节点没有录制。',
  call: '第 {{attempt}} 次尝试，第 {{call}} 次调用',
  cut: '不完整',
  save: '保存录制 {{name}}',
  replay: '在自己的机器上重放：',
}

export type RecordingsMessages = typeof recordingsZh
