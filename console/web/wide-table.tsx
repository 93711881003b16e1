import { Table } from '@mantine/core';
import type { ReactNode } from 'react';

/** The head of a column; of one with numbers, which stand to the right. */
export type Column = string | { readonly number: string };

/** A table that scrolls sideways by itself where the page is too narrow for it, also with the keyboard. */
export function WideTable(props: {
  /** The id of the heading that names it. */
  readonly labelledBy: string;
  readonly columns: readonly Column[];
  /** From here on it scrolls, in px. */
  readonly minWidth?: number;
  readonly highlightOnHover?: boolean;
  /** Its rows. */
  readonly children: ReactNode;
}) {
  const { labelledBy, columns, minWidth = 720, highlightOnHover = true, children } = props;
  return (
    <Table.ScrollContainer
      minWidth={minWidth}
      type="native"
      tabIndex={0}
      role="group"
      aria-labelledby={labelledBy}
    >
      <Table verticalSpacing={6} highlightOnHover={highlightOnHover} aria-labelledby={labelledBy}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) =>
              typeof column === 'string' ? (
                <Table.Th key={column} scope="col">
                  {column}
                </Table.Th>
              ) : (
                <Table.Th key={column.number} scope="col" className="number">
                  {column.number}
                </Table.Th>
              ),
            )}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
