/** Who makes a request. Another kind of principal is another member of the union. */
export interface AnonymousPrincipal {
  readonly kind: 'anonymous'
}

export type Principal = AnonymousPrincipal

export const anonymous: Principal = Object.freeze({ kind: 'anonymous' })

/** A stable text that names the principal in events, in upload sessions and in logs. */
export function principalId(principal: Principal): string {
  return principal.kind
}
