/** Generates `docs/configuration.md` and `config.schema.json` from the schema. */
import { formatDefault } from './format-default.ts'
import { configKeys, createJsonSchema } from './keys.ts'
import type { ConfigKey } from './keys.ts'

const introduction = `# Configuration

<!-- Generated from src/config/sections/ by \`npm run docs\`. -->

Without any configuration, Lading listens on \`127.0.0.1:5000\` and keeps its data in \`./data\`. Values come from four
sources; a later source overrides an earlier one:

1. the defaults below,
2. the file that \`--config\` names, or \`./lading.yaml\` if it exists,
3. environment variables,
4. flags, written \`--http.port 5001\` or \`--http.port=5001\`.

In the file, the parts of a key are nested:

\`\`\`yaml
http:
  port: 5001
\`\`\`

Lading refuses to start if it meets an unknown key, variable or flag, or a value of the wrong kind, and reports all faults at
once. It ignores the variables that Kubernetes sets for a Service named \`lading\`, such as \`LADING_SERVICE_HOST\` and
\`LADING_PORT=tcp://10.0.0.1:5000\`.

A value is written the same way in the file, in a variable and in a flag. Only lists differ: in a variable or a flag, commas
separate the entries. A duration is a whole number with \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`, such as \`90s\` or \`24h\`. A size is a
whole number with \`B\`, \`kB\`, \`MB\`, \`GB\`, \`TB\` (powers of 1000), \`KiB\`, \`MiB\`, \`GiB\` or \`TiB\` (powers of 1024), such as
\`500MB\` or \`10GiB\`. A plain number is in the unit that the key names: milliseconds for keys that end in \`Ms\`, bytes for
\`Bytes\`, days for \`days\`.

A secret can be read from the file that its \`_FILE\` variable names. Use that file or the variable rather than a flag, because
other users of the machine can see flags.

\`lading config check\` lists every fault and the files it read. \`lading config print\` shows the result and the source of each
value. \`config.schema.json\` describes the file for editors.
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
    ['type', key.kind],
    ['accepts', key.expected],
    ['default', describeDefault(key)],
    ['environment', variables.map((name) => code(name)).join(', ')],
    ['flag', key.flags.map((name) => code(name)).join(', ')],
    ...(key.driver === undefined ? [] : [['needed with', code(`driver: ${key.driver}`)]]),
  ]
  const list = rows.map(([name, value]) => `- ${name}: ${value}`).join('\n')
  return `## \`${key.path}\`\n\n${key.description}\n\n${list}\n`
}

function describeDefault(key: ConfigKey): string {
  const text = formatDefault(key)
  return text === undefined ? 'none' : code(text)
}

function code(text: string): string {
  return `\`${text}\``
}
