import type { MessageOrder } from '../../core/interface.ts';
import { answerOutput, type SenderConfig } from '../shared/sender.ts';
import { orderByConcurrency } from '../shared/sender-settings.ts';
import type { EditorNode } from './red.ts';

/** What comes out of a sender's two outputs. */
export function labelSenderOutput(this: EditorNode, index: number): string {
  return this._(index === answerOutput - 1 ? 'hilum.output.answer' : 'hilum.output.queued');
}

/** Shows what the chosen order leaves to choose: of messages in order as a whole there is one at a time. */
export function prepareSender(this: Partial<SenderConfig>): void {
  const order = $('#node-input-order');
  // A node that was made before it had an order shows the one that it keeps.
  if (this.order === undefined) order.val(orderByConcurrency(Number(this.concurrency ?? 1)));
  const show = (): void => {
    const chosen = order.val() as MessageOrder;
    $('.hilum-sender-many').toggle(chosen !== 'queue');
    $('.hilum-sender-in-order').toggle(chosen !== 'none');
    if (chosen === 'queue') $('#node-input-concurrency').val('1');
    if (chosen === 'none') $('#node-input-onFailure').val('skip');
  };
  order.on('change', show);
  show();
}
