import type { RecordingsMessages } from './recordings.zh'

export const recordingsEn: RecordingsMessages = {
  title: 'Recordings',
  none: 'Nothing of this node was recorded.',
  call: 'Attempt {{attempt}}, call {{call}}',
  cut: 'incomplete',
  save: 'Save the recording: {{name}}',
  replay: 'To run it again on your own machine:',
}
