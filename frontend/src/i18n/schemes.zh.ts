/** Texts of the editor of execution schemes. */
export const schemesZh = {
  title: '执行方案',
  help: '方案决定哪些可选节点执行',
  add: '新建方案',
  newName: '方案 {{n}}',
  none: '流程有 {{n}} 个可选节点，还没有执行方案。启动任务时可以直接选用方案，不用逐个勾选节点。',
  noOptional: '流程里没有可选节点。选中一个节点，在“选项”里打开“可选”，之后就能用方案决定它是否执行。',
  name: '方案名称',
  rename: '重命名“{{name}}”',
  copy: '复制“{{name}}”',
  copyName: '{{name}} 副本',
  remove: '删除“{{name}}”',
  runs: '执行 {{n}}/{{of}} 个可选节点',
  choose: '在画布上点节点，或在这里勾选。命令行和接口里用编号 {{id}}。',
  all: '全选',
  nothing: '全不选',
  invert: '反选',
  nodes: '要执行的节点',
  done: '完成',
  willRun: '执行',
  leftOut: '跳过',
  said: '{{name}}：跳过 {{n}} 个节点',
}

export type SchemesMessages = typeof schemesZh
