/** Generates `docs/configuration.md` and `config.schema.json` from the schema. */
import { configKeys, createJsonSchema } from './keys.ts'
import type { ConfigKey } from './keys.ts'

const introduction = `# Configuration

<!-- Generated from src/config/schema.ts by \`npm run docs\`. -->

Without any configuration Lading serves \`127.0.0.1:5000\` over \`./data\`. Values come from four places; a later one wins:

1. the defaults below,
2. the file that \`--config\` names, or \`./lading.yaml\` when there is one,
3. environment variables,
4. flags, written \`--http.port 5001\` or \`--http.port=5001\`.

In the file the parts of a key are nested:

\`\`\`yaml
http:
  port: 5001
\`\`\`

Names and values are strict: an unknown key, variable or flag, or a value of another kind, stops start-up, and all
faults are reported at once. \`LADING_PORT\`, \`LADING_PORT_*\` and \`LADING_SERVICE_*\` are ignored, since Kubernetes sets them
for a Service named \`lading\`. A secret can be read from a file named by its \`_FILE\` variable; prefer that or the variable to a flag,
which other users of the machine can see. A list is written with commas in a variable or a flag, as a list in the file. Keys that end in \`Ms\` are milliseconds, in \`Bytes\` bytes.

\`lading config check\` says what is wrong, \`lading config print\` shows the result and where each value comes from.
\`config.schema.json\` describes the file for editors.
`

export function describeConfiguration(): string {
  return `${introduction}\n${configKeys.map((key) => describeKey(key)).join('\n')}`
}

export function formatJsonSchema(): string {
  return `${JSON.stringify({ title: 'Configuration of Lading', ...createJsonSchema() }, undefined, 2)}\n`
}

function describeKey(key: ConfigKey): string {
  const variables = [key.environment, key.fileEnvironment].filter((name) => name !== undefined)
  const rows = [
    ['environment', variables.map((name) => code(name)).join(', ')],
    ['flag', key.flags.map((name) => code(name)).join(', ')],
    ['accepts', key.expected],
    ['default', key.default === undefined ? 'none' : code(formatDefault(key.default))],
    ...(key.driver === undefined ? [] : [['needed with', code(`driver: ${key.driver}`)]]),
  ]
  const list = rows.map(([name, value]) => `- ${name}: ${value}`).join('\n')
  return `## \`${key.path}\`\n\n${key.description}\n\n${list}\n`
}

function formatDefault(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function code(text: string): string {
  return `\`${text}\``
}
