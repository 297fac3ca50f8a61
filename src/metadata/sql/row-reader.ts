/**
 * Converts rows to values of the domain: camel case for columns, `undefined` for null. For rows that need no other
 * conversion.
 */

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name

export type RowValue<Row> = {
  readonly [Column in keyof Row & string as CamelCase<Column>]: null extends Row[Column]
    ? NonNullable<Row[Column]> | undefined
    : Row[Column]
}

/** Creates the function that reads these columns of a row and leaves out all others. */
export function createRowReader<Column extends string>(
  columns: readonly Column[],
): <Row extends Record<Column, unknown>>(row: Row) => RowValue<Pick<Row, Column>> {
  const names = columns.map((column) => [column, toCamelCase(column)] as const)
  return <Row extends Record<Column, unknown>>(row: Row) => {
    const value = Object.fromEntries(names.map(([column, name]) => [name, row[column] ?? undefined]))
    return value as RowValue<Pick<Row, Column>>
  }
}

function toCamelCase(column: string): string {
  return column.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}
