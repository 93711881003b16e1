import { addBasicShapes } from './settlement-basic-shapes.ts';
import { collectShapes, type Shape } from './settlement-builder.ts';
import { addErrorShapes } from './settlement-error-shapes.ts';
import { addFunctionShapes } from './settlement-function-shapes.ts';
import { addNodeShapes } from './settlement-node-shapes.ts';
import { addSequenceShapes } from './settlement-sequence-shapes.ts';
import { addWiredShapes } from './settlement-wired-shapes.ts';

/** Every shape; `port` is that of an HTTP partner which answers after 100 ms. */
export function buildShapes(port: number): readonly Shape[] {
  return collectShapes(
    addBasicShapes,
    addWiredShapes(port),
    addFunctionShapes,
    addErrorShapes(port),
    addSequenceShapes,
    addNodeShapes(port),
  );
}
