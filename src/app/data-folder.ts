/** What lies where in the data folder, for those that look at it from outside. */
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'

type DataFolder = Pick<Config, 'data'>

export function databaseFile({ data }: DataFolder): string {
  return join(data, 'lading.db')
}

export function storeFolder({ data }: DataFolder): string {
  return join(data, 'store')
}

/** Of the administrator that the first start made; removed with the first change of it. */
export function initialPasswordFile({ data }: DataFolder): string {
  return join(data, 'admin-password')
}
