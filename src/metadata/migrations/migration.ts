import type { ColumnTypes } from './column-types.ts'

/** A step of the schema: statements that run in order in the transaction that records the step. */
export type Migration = (types: ColumnTypes) => readonly string[]
