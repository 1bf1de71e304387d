/** Principals and their roles. */

/** Every role may read. */
export const ROLES = ['submit', 'read', 'operate', 'approve'] as const;
/** `submit` requests refunds, `operate` repairs and withdraws, `approve` approves or rejects. */
export type Role = (typeof ROLES)[number];

/** An operator or a client system. Its name owns its idempotency keys and is recorded with each of its decisions. */
export interface Principal {
  readonly name: string;
  readonly roles: readonly Role[];
}

export function mayAct({ roles }: Principal, needed: Role): boolean {
  return needed === 'read' ? roles.length > 0 : roles.includes(needed);
}

export const isRole = (text: unknown): text is Role => ROLES.some((role) => role === text);
