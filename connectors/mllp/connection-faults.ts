import type { FrameFault } from './frame.ts';

/** What a peer gets wrong: in its frames, or by a commit block where release 1 is spoken. */
export type ConnectionFault =
  | FrameFault
  | { readonly kind: 'fault'; readonly code: 'commit-unexpected'; readonly bytes: number };

/** What the log says of each. */
export const faultMessages: Readonly<Record<ConnectionFault['code'], string>> = {
  'commit-unexpected':
    'A commit block of MLLP release 2 came where none is expected: not answered. Switch it off at the peer, or on here',
  garbage: 'Bytes outside any MLLP frame were skipped',
  'frame-not-ended': 'An MLLP frame had no end block (FS): not accepted and not answered',
  'empty-frame': 'An MLLP frame held nothing',
  'frame-too-large':
    'An MLLP frame is larger than the listener allows (maxFrameBytes): closing the connection',
  'no-frame': 'No MLLP frame started (VT) among many bytes: closing the connection',
};
