import type { Issue } from '../issue.ts';
import type { Table } from './tables.ts';

/** What a map is compiled with. */
export interface MapContext {
  /** Of its file. */
  readonly path: string;
  readonly tables: ReadonlyMap<string, Table>;
  readonly issues: Issue[];
}
