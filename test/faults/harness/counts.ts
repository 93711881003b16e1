import { patientOf } from './messages.ts';
import { verdict, type PartnerReport } from './partner.ts';
import type { SenderReport } from './sender.ts';

/** One load counted by control id, between two partners that know nothing of each other. */
export interface Counts {
  readonly sent: number;
  readonly acknowledged: number;
  /** Sent again: without an answer, or after AR. */
  readonly resent: number;
  readonly refused: number;
  readonly received: number;
  /** Acknowledged, and neither taken nor refused for good (AE) by the partner. */
  readonly lost: readonly number[];
  /** Refused for good by the partner: they belong into the dead letters. */
  readonly givenUp: readonly number[];
  /** Taken more than once. */
  readonly duplicates: number;
  /** Of their surplus, what the sender itself sent again. */
  readonly explainedByResend: number;
  /** Of their surplus, what Hilum delivered again: index and time of the surplus delivery. */
  readonly redelivered: readonly { readonly index: number; readonly at: number }[];
  /** First deliveries that came after a later message of the same patient. */
  readonly disordered: readonly number[];
  readonly altered: readonly number[];
  readonly wrongAnswers: number;
}

/** Counts what was sent by `sender` against what `partner` took of it. */
export function count(sender: SenderReport, partner: PartnerReport): Counts {
  const sends = new Map<number, number>();
  const acknowledged = new Set<number>();
  sender.indexes.forEach((index, at) => {
    sends.set(index, sender.sends[at] ?? 0);
    if (!Number.isNaN(sender.latenciesMs[at])) acknowledged.add(index);
  });
  const timesTaken = new Map<number, number[]>();
  const latest = new Map<number, number>();
  const disordered: number[] = [];
  const refusedByPartner = new Set<number>();
  partner.indexes.forEach((index, at) => {
    if (!sends.has(index)) return;
    if (partner.verdicts[at] === verdict.refused) refusedByPartner.add(index);
    if (partner.verdicts[at] !== verdict.taken) return;
    const times = timesTaken.get(index);
    if (times !== undefined) {
      times.push(partner.times[at] ?? 0);
      return;
    }
    timesTaken.set(index, [partner.times[at] ?? 0]);
    const key = patientOf(index);
    if (index < (latest.get(key) ?? -1)) disordered.push(index);
    else latest.set(key, index);
  });
  let duplicates = 0;
  let explainedByResend = 0;
  const redelivered: { index: number; at: number }[] = [];
  for (const [index, times] of timesTaken) {
    if (times.length === 1) continue;
    duplicates += 1;
    const explained = Math.min(times.length - 1, (sends.get(index) ?? 1) - 1);
    explainedByResend += explained;
    for (const at of times.slice(1 + explained)) redelivered.push({ index, at });
  }
  return {
    sent: sends.size,
    acknowledged: acknowledged.size,
    resent: [...sends.values()].reduce((sum, times) => sum + times - 1, 0),
    refused: sender.refused.length,
    received: timesTaken.size,
    lost: [...acknowledged].filter(
      (index) => !timesTaken.has(index) && !refusedByPartner.has(index),
    ),
    givenUp: [...refusedByPartner].filter((index) => !timesTaken.has(index)),
    duplicates,
    explainedByResend,
    redelivered,
    disordered,
    altered: partner.altered.filter((index) => sends.has(index)),
    wrongAnswers: sender.wrongAnswers,
  };
}

/** One line of figures. */
export function describeCounts(counts: Counts): string {
  const { sent, acknowledged, resent, refused, received, lost, duplicates } = counts;
  const { explainedByResend, redelivered, disordered, altered, wrongAnswers, givenUp } = counts;
  return [
    `sent ${sent}`,
    `acknowledged ${acknowledged}`,
    `sent again ${resent}`,
    `refused ${refused}`,
    `received ${received}`,
    `lost ${lost.length}`,
    `twice ${duplicates} (${explainedByResend} sent again by the sender, ${redelivered.length} delivered again)`,
    `out of order ${disordered.length}`,
    ...(givenUp.length === 0 ? [] : [`refused by the partner ${givenUp.length}`]),
    ...(altered.length === 0 ? [] : [`altered ${altered.length}`]),
    ...(wrongAnswers === 0 ? [] : [`answers to another message ${wrongAnswers}`]),
  ].join(', ');
}

/** The value that `share` of the values are not above, such as 0.99; NaN where there are none. */
export function percentile(values: Iterable<number>, share: number): number {
  const sorted = [...values].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}
