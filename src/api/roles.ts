/** Who asks, and what they may: three roles, each of which may what the one before it may. */

/** From weak to strong. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** One who asks and is known. */
export interface Who {
  /** Of the user. */
  readonly name: string;
  readonly role: Role;
  /** `socket`: the user of the system who runs flowpatrol. */
  readonly via: 'session' | 'token' | 'socket';
  /** Number of the session or the token, for what concerns that one itself; '' on the socket. */
  readonly id: string;
  /** Address that they ask from, '' on the socket. */
  readonly address: string;
}

/** Has `role` at least the rights of `wanted`? */
export const includes = (role: Role, wanted: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(wanted);

export const weaker = (one: Role, other: Role): Role => (includes(one, other) ? other : one);

/** Whoever can open the control socket may everything: they could also read the files. */
export const SOCKET_USER: Who = { name: 'local', role: 'admin', via: 'socket', id: '', address: '' };
