/** The texts of the command palette. */
export const paletteZh = {
  label: '搜索与命令',
  placeholder: '搜索流程、任务、页面和命令',
  none: '没有匹配“{{q}}”的结果',
  pages: '页面',
  flows: '流程',
  runs: '任务',
  actions: '命令',
  recent: '最近',
  hint: '↑ ↓ 选择，Enter 打开，Esc 关闭',
  newFlow: '新建流程',
  startFlow: '运行 {{name}}',
  failedRuns: '查看失败的任务',
  waitingRuns: '查看待处理的任务',
  light: '切换到浅色',
  dark: '切换到深色',
  system: '外观跟随系统',
  language: '切换语言：英文',
  keysOff: '关闭单键快捷键',
  keysOn: '打开单键快捷键',
  results: '{{n}} 个结果',
  searching: '搜索中',
}

export type PaletteMessages = typeof paletteZh
