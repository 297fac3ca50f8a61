/** The first start creates an administrator, so that the registry is never open or locked for lack of one. */
import { randomBytes, randomInt } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../../lib/folders.ts'
import { hasAccounts, insertAccount } from '../../metadata/identity/accounts.ts'
import { Conflict } from '../../metadata/errors.ts'
import { system } from '../actor.ts'
import type { AccountsDeps } from './accounts-deps.ts'
import { checkAccountName, checkPassword } from '../passwords/password-rules.ts'

export interface FirstAdministrator {
  readonly name: string
  /** The generated password, to be shown once; `undefined` if the configuration gives one. */
  readonly generated: { readonly password: string; readonly file: string } | undefined
}

/** Without characters that look alike. */
const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789'
const groups = 5
const groupCharacters = 4

/** Throws the `AccountNameError` or `PasswordRefusedError` of `createFirstAdministrator`, but changes nothing. */
export function checkFirstAdministrator(options: {
  readonly name: string
  readonly password?: string | undefined
}): void {
  checkAccountName(options.name)
  if (options.password !== undefined) checkPassword(options.name, options.password)
}

export async function createFirstAdministrator(
  deps: AccountsDeps,
  options: { readonly name: string; readonly password?: string | undefined },
): Promise<FirstAdministrator | undefined> {
  const { metadata, passwords, initialPasswordFile: file } = deps
  if (await hasAccounts(metadata.reader)) return undefined
  const { name, password = generatePassword() } = options
  checkAccountName(name)
  checkPassword(name, password)
  const passwordHash = await passwords.hash(password)
  if (options.password !== undefined) {
    return (await insertFirst(deps, name, passwordHash)) ? { name, generated: undefined } : undefined
  }
  // Written first and renamed last: if two processes start at once, the one that created the account keeps its file.
  const draft = `${file}.${randomBytes(4).toString('hex')}`
  await writePrivateFile(draft, `${password}\n`)
  if (!(await insertFirst(deps, name, passwordHash))) {
    await rm(draft, { force: true })
    return undefined
  }
  await rename(draft, file)
  await syncFolder(file)
  return { name, generated: { password, file } }
}

/** Removes the file once the password that it holds is no longer the account's. */
export async function forgetInitialPassword(deps: AccountsDeps, oldHash: string): Promise<void> {
  const { passwords, initialPasswordFile: file } = deps
  const password = await readFileIfThere(file)
  if (password === undefined) return
  if (await passwords.verify(password.trimEnd(), oldHash)) await rm(file, { force: true })
}

async function insertFirst(
  { metadata, clock, audit }: AccountsDeps,
  name: string,
  passwordHash: string,
): Promise<boolean> {
  try {
    return await metadata.transact(async (tx) => {
      if (await hasAccounts(tx)) return false
      await insertAccount(tx, { name, passwordHash, isAdmin: true, now: clock.now() })
      await audit.change(tx, system, {
        action: 'user.create',
        outcome: 'done',
        target: { kind: 'user', name },
        detail: { isAdmin: true },
      })
      return true
    })
  } catch (error) {
    if (error instanceof Conflict) return false
    throw error
  }
}

/** Generates a random password that is easy to copy by hand. */
export function generatePassword(): string {
  const group = (): string =>
    Array.from({ length: groupCharacters }, () => alphabet.charAt(randomInt(alphabet.length))).join('')
  return Array.from({ length: groups }, group).join('-')
}

async function writePrivateFile(path: string, text: string): Promise<void> {
  await makeFolder(dirname(path), 0o700)
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(text)
  await file.sync()
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(dirname(path), 'r')
  await folder.sync()
}

async function readFileIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
