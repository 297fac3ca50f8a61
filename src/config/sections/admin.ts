/** The section `admin` of the configuration: the administrator that the first start creates. */
import { z } from 'zod'
import { isOwnerName } from '../forms.ts'
import { secret } from '../leaves.ts'

/** The shortest password that NIST SP 800-63B allows. */
const minPasswordChars = 8

/** `admin.*`. */
export const admin = z.strictObject({
  name: z
    .string()
    .refine(isOwnerName)
    .default('admin')
    .meta({ description: 'Name of the administrator that the first start creates.', examples: ['admin'] }),
  password: secret(z.string().min(minPasswordChars), {
    description: `Password of that administrator, at least ${minPasswordChars} characters. Used at the first start only. By default, Lading generates a password, prints it once and keeps it in \`admin-password\` in \`data\` until it is changed.`,
  }).optional(),
})
