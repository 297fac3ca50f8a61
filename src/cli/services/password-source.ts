/** Where a new password comes from: standard input, a generator, or someone at the terminal. Never the command line. */
import { CliError, misuse } from '../frame/command.ts'
import type { CliHost, CommandOption } from '../frame/command.ts'
import type { ServiceInvocation } from './service-command.ts'

export const passwordOptions: readonly CommandOption[] = [
  { name: '--password-stdin', type: 'switch', summary: 'Read the password from standard input.' },
  { name: '--generate', type: 'switch', summary: 'Generate the password and print it.' },
]

export interface NewPassword {
  readonly password: string
  /** To be shown: nobody else knows it. */
  readonly isGenerated: boolean
}

/** Asks twice at a terminal. Throws `CliError` when no source is named and there is no terminal. */
export async function readNewPassword(
  invocation: Pick<ServiceInvocation, 'arguments' | 'host' | 'generatePassword'>,
): Promise<NewPassword> {
  const { arguments: args, host } = invocation
  const [stdin, generate] = [args.has('--password-stdin'), args.has('--generate')]
  if (stdin && generate) throw misuse('--password-stdin and --generate exclude each other')
  if (generate) return { password: invocation.generatePassword(), isGenerated: true }
  if (stdin) return { password: await readFromStdin(host), isGenerated: false }
  const { terminal } = host
  if (terminal === undefined)
    throw misuse('there is no terminal to ask at: use --password-stdin or --generate')
  const password = await terminal.askSecret('New password: ')
  if ((await terminal.askSecret('Once more: ')) !== password) throw new CliError('the two passwords differ')
  return { password, isGenerated: false }
}

async function readFromStdin(host: CliHost): Promise<string> {
  // Editors and `echo` end a file with a line break, which is no part of the password.
  const password = (await host.readStdin()).replace(/\r?\n$/, '')
  if (password === '') throw new CliError('standard input holds no password')
  if (/[\r\n]/.test(password)) throw new CliError('standard input holds more than one line')
  return password
}
