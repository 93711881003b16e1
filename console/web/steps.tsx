import { Code, Text, Timeline, Title } from '@mantine/core';
import type { Issue } from '../../core/issue.ts';
import type { LedgerEventKind } from '../../core/ports/ledger.ts';
import type { StepView, TraceView } from '../api/views.ts';
import { toDateTime, toOffset } from './time.ts';

const words: Readonly<Record<LedgerEventKind, string>> = {
  received: 'Received',
  refused: 'Refused',
  duplicate: 'Received again, not processed again',
  queued: 'Queued',
  taken: 'Taken',
  processed: 'Flow completed',
  sent: 'Sent on',
  delivered: 'Delivered',
  answered: 'Answered',
  failed: 'Attempt failed',
  'dead-lettered': 'Given up',
  replayed: 'Replayed',
  parked: 'Parked',
  resumed: 'Taken up again',
  withdrawn: 'Withdrawn',
};

const bad: ReadonlySet<LedgerEventKind> = new Set(['refused', 'dead-lettered']);
const good: ReadonlySet<LedgerEventKind> = new Set(['processed', 'delivered']);

/** Every step with its time since receipt, and the findings that it left. */
export function Steps({ trace }: { readonly trace: TraceView }) {
  const names = new Map(
    trace.messages.map((message) => [
      message.id,
      `${message.causationId === undefined ? '' : '↳ '}${message.messageType ?? message.contentType}`,
    ]),
  );
  const first = trace.steps[0];
  return (
    <section aria-labelledby="steps">
      <Title order={3} size="h5" id="steps">
        Steps
      </Title>
      {first && (
        <Text size="xs" c="dimmed" mb="sm">
          Since {toDateTime(first.at)}
        </Text>
      )}
      <Timeline bulletSize={14} lineWidth={2} component="ol" className="steps" pl={8}>
        {trace.steps.map((step, index) => (
          <Timeline.Item
            key={`${step.at} ${step.messageId} ${step.kind} ${index}`}
            component="li"
            title={<StepTitle step={step} />}
          >
            <StepBody
              step={step}
              of={step.messageId === trace.id ? undefined : names.get(step.messageId)}
            />
          </Timeline.Item>
        ))}
      </Timeline>
    </section>
  );
}

function StepTitle({ step }: { readonly step: StepView }) {
  const tone = bad.has(step.kind)
    ? 'bad'
    : good.has(step.kind)
      ? 'good'
      : step.kind === 'failed'
        ? 'warn'
        : undefined;
  return (
    <Text size="sm" component="span">
      <span className={tone}>{words[step.kind]}</span>{' '}
      <Text span size="sm" c="dimmed" className="nowrap">
        {toOffset(step.sinceReceivedMs)}
      </Text>
    </Text>
  );
}

function StepBody(props: { readonly step: StepView; readonly of: string | undefined }) {
  const { step, of } = props;
  const attempt =
    step.attempt === undefined || step.attempt === 1 ? undefined : `attempt ${step.attempt}`;
  const about = [step.queue, attempt, of === undefined ? undefined : `of ${of}`]
    .filter((part) => part !== undefined)
    .join(', ');
  return (
    <>
      {about !== '' && (
        <Text size="xs" c="dimmed" className="mono">
          {about}
        </Text>
      )}
      {step.summary !== undefined && <Text size="sm">{step.summary}</Text>}
      {step.issues?.map((issue, index) => (
        <IssueLine key={index} issue={issue} />
      ))}
    </>
  );
}

function IssueLine({ issue }: { readonly issue: Issue }) {
  const isError = issue.severity === 'error' || issue.severity === 'fatal';
  return (
    <Text size="sm">
      <span className={isError ? 'bad' : 'warn'}>{issue.severity}</span>{' '}
      {issue.location !== undefined && <Code>{issue.location}</Code>} {issue.message}{' '}
      <Text span size="xs" c="dimmed" className="mono">
        {issue.code}
      </Text>
    </Text>
  );
}
