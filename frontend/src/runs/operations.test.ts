import { describe, expect, it } from 'vitest'
import type { FlowNode, NodeView } from '~/api/types'
import { operationsOf } from './operations'

const task: FlowNode = { id: 'a', type: 'task' }
const inline: FlowNode = { id: 's', type: 'subflow', flow: 'f' }
const apart: FlowNode = { ...inline, mode: 'independent' }
const view = (state: NodeView['state'], more: Partial<NodeView> = {}): NodeView => ({ state, attempt: 1, ...more })

describe('what an operator may do', () => {
  it.each<[string, FlowNode, NodeView | undefined, string[]]>([
    ['a node that was not reached', task, undefined, ['pause']],
    ['one that is held', task, view('idle', { held: true }), ['resume']],
    ['one that stopped', task, view('suspended'), ['resume']],
    ['a failed one', task, view('failed'), ['retry', 'skip']],
    ['a failed one whose flow forbids both', { ...task, no_retry: true, no_skip: true }, view('failed'), []],
    ['one that is tried again', task, view('failed', { due: '2026-01-01T00:00:00Z' }), ['retry', 'skip', 'reschedule']],
    ['one that waits for a time', task, view('waiting', { due: '2026-01-01T00:00:00Z' }), ['reschedule', 'force_fail']],
    ['one that is done', task, view('succeeded'), ['pause', 'rollback']],
    ['one whose rollback failed', { ...task, no_skip: true }, view('rollback_failed'), ['retry', 'skip']],
    ['an inline subflow that runs', inline, view('running'), ['pause']],
    ['an inline subflow that is paused', inline, view('suspended'), ['resume']],
    ['an independent one', apart, view('waiting', { wait: { kind: 'run' } }), ['force_fail', 'pause']],
    ['an independent one that is paused', apart, view('waiting', { held: true }), ['force_fail', 'resume']],
    ['a start', { id: 'start', type: 'start' }, view('succeeded'), []],
  ])('%s', (_name, node, shown, want) => {
    expect(operationsOf(node, shown)).toEqual(want)
  })
})
