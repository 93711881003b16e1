import { parseTimestamp } from '../../hl7v2/timestamp.ts';
import { parseSourcePath } from '../path.ts';
import { toSha1 } from '../sha1.ts';
import { type GroupDraft, type Place, SegmentDraft } from './draft.ts';

/** An application and facility as HL7 writes them: `LAB` or `LAB^1.2.3^ISO`. HL7 v2 chapter 2, MSH-3 to MSH-6. */
export interface Party {
  readonly application?: string;
  readonly facility?: string;
}

/** What the header of a message says beside what its resources do. */
export interface HeaderValues {
  readonly date: string;
  readonly event: string;
  readonly structure: string;
  readonly version: string;
  readonly controlId: string;
  readonly processingId?: string | undefined;
  readonly sender?: Party | undefined;
  readonly receiver?: Party | undefined;
}

/** Puts the header into a message; what its map writes later leaves this as it is. */
export function addHeader(root: GroupDraft, values: HeaderValues): SegmentDraft {
  const header = new SegmentDraft('MSH', 1);
  const { sender, receiver, structure, version } = values;
  const [code = '', trigger = ''] = values.event.split('^');
  setField(header, 3, sender?.application);
  setField(header, 4, sender?.facility);
  setField(header, 5, receiver?.application);
  setField(header, 6, receiver?.facility);
  setField(header, 7, values.date);
  // The structure came with 2.3.1.
  setField(header, 9, version < '2.3.1' ? `${code}^${trigger}` : `${code}^${trigger}^${structure}`);
  setField(header, 10, values.controlId);
  setField(header, 11, values.processingId);
  setField(header, 12, version);
  root.add(header);
  return header;
}

/** What the header still lacks once all is written: production, and the character set of what is no ASCII. */
export function completeHeader(header: SegmentDraft, body: string): void {
  const processing = toField(11);
  if (!header.has(processing)) header.set(processing, 'P');
  const charset = toField(18);
  // eslint-disable-next-line no-control-regex -- ASCII is what needs no MSH-18
  if (!header.has(charset) && /[^\u0000-\u007f]/.test(body)) header.set(charset, 'UNICODE UTF-8');
}

/** An id of 20 characters, as long as MSH-10 may be up to 2.5.1; the same for the same input. */
export function toControlId(...parts: readonly string[]): string {
  const digits = [...toSha1(parts.join('\n'))].map((byte) => byte.toString(16).padStart(2, '0'));
  return digits.join('').slice(0, 20).toUpperCase();
}

/** Whether it can stand in MSH-7. */
export const isHeaderDate = (text: string): boolean => parseTimestamp(text) !== undefined;

const toField = (field: number): Place => ({ field, repetition: 1, component: 0, subcomponent: 0 });

function setField(segment: SegmentDraft, field: number, text: string | undefined): void {
  (text ?? '').split('^').forEach((part, index) => {
    if (part !== '') segment.set({ ...toField(field), component: index + 1 }, part);
  });
}

/** The place of a path such as `OBX-1` in its segment; undefined where it is none. */
export function toSegmentField(text: string): Place | undefined {
  const path = parseSourcePath(text);
  if (path?.segment === undefined) return undefined;
  const [component = 0, subcomponent = 0] = path.children;
  const repetition = path.repetition === 'all' ? 1 : path.repetition;
  return { field: path.field, repetition, component, subcomponent };
}
