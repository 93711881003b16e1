import type { SourcePath } from '../path.ts';
import { type Place, type SegmentDraft, descend } from './draft.ts';
import type { ReverseFrame } from './run.ts';

/** A place and the segment that it is in. */
export interface Spot {
  readonly segment: SegmentDraft;
  readonly place: Place;
}

/**
 * The place that a path of a rule names, `[*]` the repetition behind those that are there. Undefined where the
 * segment is not there or the path goes deeper than HL7 v2 does.
 */
export function toSpot(path: SourcePath, frame: ReverseFrame): Spot | undefined {
  const segment = findSegment(path.segment, frame);
  if (segment === undefined) return undefined;
  let place: Place | undefined =
    path.segment === undefined ? frame.base : toFieldPlace(path, segment);
  for (const position of path.children) place &&= descend(place, position);
  return place && { segment, place };
}

function findSegment(name: string | undefined, frame: ReverseFrame): SegmentDraft | undefined {
  return name === undefined || frame.segment.name === name ? frame.segment : frame.group.find(name);
}

function toFieldPlace({ field, repetition }: SourcePath, segment: SegmentDraft): Place {
  const number = repetition === 'all' ? segment.countRepetitions(field) + 1 : repetition;
  return { field, repetition: number, component: 0, subcomponent: 0 };
}

/** The text that stands at a path already; `''` where nothing does. */
export function readSpot(path: SourcePath, frame: ReverseFrame): string {
  const first: SourcePath = path.repetition === 'all' ? { ...path, repetition: 1 } : path;
  const spot = toSpot(first, frame);
  return spot === undefined ? '' : spot.segment.get(spot.place);
}

/** Whether anything stands at a path or below. */
export function isValued(path: SourcePath, frame: ReverseFrame): boolean {
  const first: SourcePath = path.repetition === 'all' ? { ...path, repetition: 1 } : path;
  const spot = toSpot(first, frame);
  return spot?.segment.has(spot.place) === true;
}
