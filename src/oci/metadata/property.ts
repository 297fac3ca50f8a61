/** One piece of searchable metadata of a version; a name may occur more than once. */
export interface Property {
  readonly name: string
  readonly value: string
}
