/** Writes `docs/openapi.json` from the rows of the management API, and from that the types of clients, `docs/openapi.d.ts`. */
import { generateTypes } from 'lading-openapi-types'
import { describeApi } from '../src/api/pages/openapi-document.ts'
import { generateFile } from './generated-file.ts'

const document = `${JSON.stringify(describeApi(), undefined, 2)}\n`
const head =
  '/** Types of the management API for openapi-fetch. Generated from openapi.json: run npm run docs. */\n'

generateFile('docs/openapi.json', document)
generateFile('docs/openapi.d.ts', `${head}${await generateTypes(document)}`)
