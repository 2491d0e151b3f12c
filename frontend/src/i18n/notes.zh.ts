/** Texts of sticky notes. */
export const notesZh = {
  title: '便签',
  many: '{{n}} 张便签',
  help: '只写给编辑流程的人看，运行时不起作用',
  text: '内容',
  plain: '纯文本，按回车换行',
  placeholder: '写点什么…',
  colour: '颜色',
  remove: '删除便签',
  label: '便签：{{text}}',
  empty: '空白',
  whole: '看全文',
  close: '收起',
  keys: '回车编辑，方向键移动，Shift 加方向键改变大小，Delete 删除',
  colours: {
    yellow: '黄色',
    blue: '蓝色',
    green: '绿色',
    pink: '粉色',
    grey: '灰色',
  },
}

export type NotesMessages = typeof notesZh
