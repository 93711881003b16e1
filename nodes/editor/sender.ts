import { answerOutput } from '../shared/sender.ts';
import type { EditorNode } from './red.ts';

/** What comes out of a sender's two outputs. */
export function labelSenderOutput(this: EditorNode, index: number): string {
  return this._(index === answerOutput - 1 ? 'hilum.output.answer' : 'hilum.output.queued');
}
