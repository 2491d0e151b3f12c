import texts from './codes.zh.json'

// The texts are in a file of their own because the command line says them, too.

/** What is wrong with a flow document, by the engine's codes. */
export const problemZh = texts.problem

/** Why a node failed. */
export const failureZh = texts.failure

/** What to do, where the code says more than the side at fault. */
export const adviceZh = texts.advice

/** What to do next, by the hints of contract.Hint. */
export const hintZh = texts.hint

/** Why the server refused a request. */
export const refusedZh = texts.refused

/** All of them: a part of the texts that is loaded after the page, since it is needed when something is wrong. */
export const codesZh = {
  problem: problemZh,
  failure: failureZh,
  advice: adviceZh,
  hint: hintZh,
  refused: refusedZh,
  at: '{{title}}（{{field}}）：{{why}}',
  away: {
    away: '连不上服务器',
    more: '页面上是 {{time}} 的内容，连上后会自动更新；没有提交的内容不会丢失。',
    back: '服务器已恢复',
  },
  denied: {
    publish: '这台服务器不允许从这里安装插件（缺少权限 plugin:publish）。管理员可以把模块放进服务器的插件目录。',
    approve: '这台服务器不允许在这里审核、授权、启用或停用插件（缺少权限 plugin:approve）。需要时请联系管理员。',
  },
  spot: '第 {{row}} 行第 {{column}} 列，{{text}}',
  words: '原文：{{words}}',
}

export type CodeMessages = typeof codesZh
