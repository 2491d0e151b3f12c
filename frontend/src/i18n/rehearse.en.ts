import type { RehearseMessages } from './rehearse.zh'

export const rehearseEn: RehearseMessages = {
  title: 'Dry run',
  badge: 'Dry run: no system is called',
  play: 'Play',
  pause: 'Pause',
  again: 'Play from the start',
  moment: 'Moment',
  elapsed: '{{time}} of virtual time',
  of: 'of {{time}}',
  speed: 'Speed',
  inputs: 'Inputs',
  inputsHelp:
    'No plugin is called: each node succeeds after a second, with example outputs of its action. Choose a node to let it fail.',
  run: 'Run again',
  noInputs: 'This flow has no inputs',
  outcome: 'In the dry run',
  outcomes: {
    succeed: 'Succeeds',
    fail: 'Fails',
    retry: 'Fails; someone retries after a minute',
    skip: 'Fails; someone skips it after a minute',
  },
  outcomeOther: 'The engine decides what it does',
  result: 'Result',
  waits: 'The run has not ended: it waits for somebody.',
  stopped: 'The dry run was stopped early: {{message}}',
  back: 'Back to the flow',
  canvas: 'Diagram of the dry run',
  failing: '{{n}} nodes will fail',
  reset: 'Let all succeed',
}
