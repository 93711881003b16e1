import type pg from 'pg';

/** What a statement does to one table; two of one statement touch no row in common. */
export interface TableChange {
  /** Of one name is one text. */
  readonly name: string;
  /** Its values are `$1` and so on. */
  readonly text: string;
  readonly values: readonly unknown[];
}

type Cell = string | number | boolean | null;

/** Rows that are put into a table, each with a value for each of its first columns, which have these types. */
export function toInsertion(
  name: string,
  {
    table,
    types,
    rows,
    onConflict = '',
  }: {
    readonly table: string;
    readonly types: readonly string[];
    readonly rows: readonly (readonly Cell[])[];
    readonly onConflict?: string;
  },
): TableChange {
  // Of just these types, and no function in FROM: PostgreSQL takes longest to set up what it runs for a few rows.
  const columns = types.map((type, index) => `unnest($${index + 1}::${type}[])`);
  return {
    name,
    text: `INSERT INTO ${table} SELECT ${columns.join(', ')} ${onConflict}`,
    values: toColumns(types.length, rows),
  };
}

/** Rows as a statement takes them: an array for each of so many columns. */
export function toColumns(count: number, rows: readonly (readonly Cell[])[]): readonly Cell[][] {
  const columns = Array.from({ length: count }, (): Cell[] => []);
  for (const row of rows) {
    for (const [index, value] of row.entries()) columns[index]?.push(value);
  }
  return columns;
}

const statements = new Map<string, { readonly name: string; readonly text: string }>();

/**
 * Runs the changes as one statement, which is planned once on each connection for each choice of them: most of what a
 * small statement costs is that it is one.
 */
export async function runAsOne(client: pg.Client, changes: readonly TableChange[]): Promise<void> {
  const choice = changes.map(({ name }) => name).join(' ');
  let statement = statements.get(choice);
  if (statement === undefined) {
    // PostgreSQL cuts longer names.
    statement = { name: `changes ${statements.size + 1}`, text: join(changes) };
    statements.set(choice, statement);
  }
  await client.query({ ...statement, values: changes.flatMap(({ values }) => values) });
}

function join(changes: readonly TableChange[]): string {
  let before = 0;
  const each = changes.map(({ name, text, values }) => {
    const start = before;
    before += values.length;
    const own = text.replaceAll(/\$(\d+)/g, (_, number: string) => `$${start + Number(number)}`);
    return `${name} AS (${own})`;
  });
  return `WITH ${each.join(',\n')} SELECT`;
}
