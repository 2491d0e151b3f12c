import type { SchemesMessages } from './schemes.zh'

export const schemesEn: SchemesMessages = {
  title: 'Execution schemes',
  help: 'A scheme says which optional nodes run',
  add: 'New scheme',
  newName: 'Scheme {{n}}',
  none: 'The flow has {{n}} optional nodes and no scheme yet. With a scheme nobody has to pick nodes one by one at the start of a run.',
  noOptional:
    'The flow has no optional nodes. Select a node and switch on “Optional” among its options; then a scheme can say whether it runs.',
  name: 'Name of the scheme',
  rename: 'Rename “{{name}}”',
  copy: 'Copy “{{name}}”',
  copyName: '{{name}} copy',
  remove: 'Delete “{{name}}”',
  runs: 'runs {{n}} of {{of}} optional nodes',
  choose: 'Click nodes on the drawing, or tick them here. The command line and the API call it {{id}}.',
  all: 'All',
  nothing: 'None',
  invert: 'Invert',
  nodes: 'Nodes that run',
  done: 'Done',
  willRun: 'runs',
  leftOut: 'left out',
  said: '{{name}}: {{n}} nodes left out',
}
