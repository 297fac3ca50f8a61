/** Reads a new password from standard input, a generator or the terminal, never from the command line. */
import { CliError, misuse } from '../frame/command.ts'
import type { CliHost, CommandOption } from '../frame/command.ts'
import type { ServiceInvocation } from './service-command.ts'

export const passwordOptions: readonly CommandOption[] = [
  { name: '--password-stdin', type: 'switch', summary: 'Read the password from standard input.' },
  { name: '--generate', type: 'switch', summary: 'Generate the password and print it.' },
]

export interface NewPassword {
  readonly password: string
  /** Whether the password was generated. The command then shows it, because no one else knows it. */
  readonly isGenerated: boolean
}

/** Asks twice at the terminal unless an option names another source. Throws `CliError` without either. */
export async function readNewPassword(
  invocation: Pick<ServiceInvocation, 'arguments' | 'host' | 'generatePassword'>,
): Promise<NewPassword> {
  const { arguments: args, host } = invocation
  const [stdin, generate] = [args.has('--password-stdin'), args.has('--generate')]
  if (stdin && generate) throw misuse('use either --password-stdin or --generate, not both')
  if (generate) return { password: invocation.generatePassword(), isGenerated: true }
  if (stdin) return { password: await readFromStdin(host), isGenerated: false }
  const { terminal } = host
  if (terminal === undefined)
    throw misuse('cannot ask for a password without a terminal; use --password-stdin or --generate')
  const password = await terminal.askSecret('New password: ')
  if ((await terminal.askSecret('Repeat the password: ')) !== password)
    throw new CliError('the two passwords differ')
  return { password, isGenerated: false }
}

async function readFromStdin(host: CliHost): Promise<string> {
  // Editors and `echo` end a file with a line break, which is not part of the password.
  const password = (await host.readStdin()).replace(/\r?\n$/, '')
  if (password === '') throw new CliError('standard input is empty; write the password to it')
  if (/[\r\n]/.test(password))
    throw new CliError('standard input has more than one line; write only the password to it')
  return password
}
