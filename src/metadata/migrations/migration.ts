import type { ColumnTypes } from './column-types.ts'

/** A step of the schema: statements, run in order inside the transaction that records the step. */
export type Migration = (types: ColumnTypes) => readonly string[]
