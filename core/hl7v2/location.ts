import type { Hl7Message, Segment } from './message.ts';

/** A segment as issues name it: `PID`, or `OBX[2]` where there are several. */
export function toSegmentLocation(message: Hl7Message, segment: Segment): string {
  const several = message.segmentsNamed(segment.name).length > 1;
  return several ? `${segment.name}[${segment.occurrence}]` : segment.name;
}
