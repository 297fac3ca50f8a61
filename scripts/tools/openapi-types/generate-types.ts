/** TypeScript types of an OpenAPI document, for clients. Here because of the TypeScript 5 that is installed here. */
import openapiTS, { astToString } from 'openapi-typescript'

/** `document` is JSON. Returns the text of a `.d.ts` file. Throws for a document that is not valid. */
export async function generateTypes(document: string): Promise<string> {
  // A field with a default may be left out of a request.
  return astToString(await openapiTS(document, { defaultNonNullable: false, silent: true }))
}
