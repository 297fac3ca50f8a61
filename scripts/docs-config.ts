/** Writes `docs/configuration.md` and `config.schema.json`. */
import { describeConfiguration, formatJsonSchema } from '../src/config/describe.ts'
import { generateFile } from './generated-file.ts'

generateFile('docs/configuration.md', describeConfiguration())
generateFile('config.schema.json', formatJsonSchema())
