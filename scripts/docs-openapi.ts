/** Writes `docs/openapi.json` from the rows of the management API. */
import { describeApi } from '../src/api/document/openapi-document.ts'
import { generateFile } from './generated-file.ts'

generateFile('docs/openapi.json', `${JSON.stringify(describeApi(), undefined, 2)}\n`)
