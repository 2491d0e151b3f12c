import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FlowNode, NodeState, NodeView, RunState } from '~/api/types'
import { judge, judgeRun, loops, type Situation } from './preconditions'

const task: FlowNode = { id: 'a', type: 'task' }
const inline: FlowNode = { id: 's', type: 'subflow', flow: 'f' }
const apart: FlowNode = { ...inline, mode: 'independent' }
const view = (state: NodeView['state'], more: Partial<NodeView> = {}): NodeView => ({ state, attempt: 1, ...more })
const due = '2026-01-01T00:00:00Z'

function able(node: FlowNode, shown: NodeView | undefined, more: Partial<Situation> = {}): string[] {
  return judge({ node, flow: { edges: [] }, view: shown, run: { state: 'running' }, ...more })
    .filter((v) => !v.why)
    .map((v) => v.op)
}

describe('what an operator may do', () => {
  it.each<[string, FlowNode, NodeView | undefined, string[]]>([
    ['a node that was not reached', task, undefined, ['pause']],
    ['one that is held', task, view('idle', { held: true }), ['resume']],
    ['one that stopped', task, view('suspended'), ['resume']],
    ['a failed one', task, view('failed'), ['retry', 'skip']],
    ['a failed one whose flow forbids both', { ...task, no_retry: true, no_skip: true }, view('failed'), []],
    ['one that is tried again', task, view('failed', { due }), ['retry', 'skip', 'reschedule']],
    [
      'one that waits for a time',
      task,
      view('waiting', { due, wait: { kind: 'timer' } }),
      ['reschedule', 'force_fail'],
    ],
    ['one that waits for a person', task, view('waiting', { wait: { kind: 'human' } }), ['answer', 'force_fail']],
    ['one that waits for a callback', task, view('waiting', { wait: { kind: 'callback' } }), ['answer', 'force_fail']],
    ['one that is done', task, view('succeeded'), ['rollback']],
    ['one of which nobody knows', task, view('unknown'), ['resolve']],
    ['one whose rollback failed', { ...task, no_skip: true }, view('rollback_failed'), ['retry', 'skip']],
    ['one that is rolled back', task, view('rolling_back'), ['force_fail']],
    ['an inline subflow that runs', inline, view('running'), ['pause']],
    ['an inline subflow that is paused', inline, view('suspended'), ['resume']],
    ['an inline subflow that failed to begin', inline, view('failed'), ['retry']],
    ['an independent one', apart, view('waiting', { wait: { kind: 'run' } }), ['force_fail', 'pause']],
    [
      'an independent one that is paused',
      apart,
      view('waiting', { held: true, wait: { kind: 'run' } }),
      ['force_fail', 'resume'],
    ],
    ['a start', { id: 'start', type: 'start' }, view('succeeded'), []],
    ['a join that failed', { id: 'j', type: 'join' }, view('failed'), ['retry']],
  ])('%s', (_name, node, shown, want) => {
    expect(able(node, shown)).toEqual(want)
  })

  it('a node that a loop comes back to can be held although it is done', () => {
    const flow = {
      edges: [
        { id: '1', from: 'a', to: 'x' },
        { id: '2', from: 'x', to: 'a' },
      ],
    }
    expect(able(task, view('succeeded'), { flow })).toContain('pause')
    expect(able(task, view('succeeded'), { comesAgain: true })).toContain('pause')
    expect(loops(flow, 'b')).toBe(false)
  })

  it('nothing goes back while the run is paused or goes back already', () => {
    expect(able(task, view('succeeded'), { run: { state: 'suspended' } })).toEqual([])
    expect(able(task, view('succeeded'), { run: { state: 'running', rollback: {} } })).toEqual([])
    expect(able(task, view('rollback_failed'), { run: { state: 'suspended' } })).toEqual(['skip'])
  })

  const states: NodeState[] = ['idle', 'ready', 'running', 'waiting', 'suspended', 'succeeded', 'failed', 'unknown']

  it('every operation is always told of, once, and after the end of the run none is left', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...states),
        fc.constantFrom<FlowNode['type']>('start', 'end', 'task', 'subflow', 'exclusive', 'parallel', 'join'),
        fc.constantFrom<RunState>('running', 'blocked', 'suspended', 'succeeded', 'failed', 'revoked'),
        (state, type, run) => {
          const verdicts = judge({
            node: { id: 'n', type },
            flow: { edges: [] },
            view: view(state),
            run: { state: run },
          })
          expect(new Set(verdicts.map((v) => v.op)).size).toBe(9)
          if (['succeeded', 'failed', 'revoked'].includes(run)) {
            expect(verdicts.every((v) => v.why === 'ended')).toBe(true)
          }
        },
      ),
    )
  })
})

describe('what may be done to the run', () => {
  it.each<[RunState, number, string[]]>([
    ['running', 1, ['pause', 'setVariables', 'revoke', 'fail']],
    ['suspended', 1, ['resume', 'setVariables', 'revoke', 'fail']],
    ['blocked', 0, ['pause', 'revoke', 'fail']],
    ['succeeded', 1, []],
  ])('%s with %i variables', (state, variables, want) => {
    expect(
      judgeRun(state, variables)
        .filter((v) => !v.why)
        .map((v) => v.op),
    ).toEqual(want)
  })
})
