/** Users and tokens, and the audit log. */
import { type Static, Type } from '@sinclair/typebox';
import type { Accounts, Token } from '../server/accounts.ts';
import { LONGEST_PASSWORD, SHORTEST_PASSWORD } from '../server/passwords.ts';
import type { ApiDependencies } from './dependencies.ts';
import { Problem } from './problems.ts';
import { includes, ROLES } from './roles.ts';
import { object, oneOf, type Route, route } from './route.ts';
import { limitParameter } from './schemas.ts';

const UserName = Type.String({ pattern: '^[A-Za-z0-9._@-]{1,64}$', description: 'letters, digits and ._@-' });
const Password = Type.String({ minLength: SHORTEST_PASSWORD, maxLength: LONGEST_PASSWORD, writeOnly: true });
const UserSchema = object({ name: Type.String(), role: oneOf(ROLES), created: Type.Number({ description: 'ms since 1970' }) });
const TokenSchema = object({
  id: Type.String(),
  name: Type.String(),
  user: Type.String(),
  role: oneOf(ROLES),
  created: Type.Number({ description: 'ms since 1970' }),
  expires: Type.Optional(Type.Number()),
  lastUsed: Type.Optional(Type.Number()),
});
const EntrySchema = object({
  id: Type.Integer(),
  time: Type.Number({ description: 'ms since 1970' }),
  user: Type.String(),
  via: Type.String(),
  address: Type.String(),
  action: Type.String(),
  detail: Type.String(),
  outcome: Type.String({ description: '`done`, or the code of the problem' }),
});

const shownToken = ({ expires, lastUsed, ...rest }: Token): Static<typeof TokenSchema> => ({
  ...rest,
  ...(expires === undefined ? {} : { expires }),
  ...(lastUsed === undefined ? {} : { lastUsed }),
});

function usersRoutes(accounts: Accounts): Route[] {
  const named = (name: string) => {
    const found = accounts.user(name);
    if (found === undefined) throw new Problem('unknown-user', `There is no user '${name}'.`);
    return found;
  };
  /** Somebody must be left who can change users. */
  const keepAnAdmin = (name: string): void => {
    if (accounts.users().some((user) => user.role === 'admin' && user.name !== name)) return;
    throw new Problem('last-admin', `${name} is the only admin.`, { hint: 'make somebody else admin first' });
  };
  const answer = object({ users: Type.Array(UserSchema) });
  const all = () => ({ users: accounts.users() });

  return [
    route({ method: 'get', path: '/users', role: 'admin', tag: 'access', summary: 'All users', answer, handle: all }),
    route({
      method: 'post',
      path: '/users',
      role: 'admin',
      tag: 'access',
      summary: 'Adds a user',
      problems: ['name-taken'],
      body: object(
        { name: UserName, password: Password, role: oneOf(ROLES) },
        { examples: [{ name: 'anna', password: 'at least ten', role: 'viewer' }] },
      ),
      answer,
      status: 201,
      async handle({ body: { name, password, role } }) {
        if (!(await accounts.addUser(name, password, role))) throw new Problem('name-taken', `There is a user '${name}' already.`);
        return all();
      },
    }),
    route({
      method: 'put',
      path: '/users/{name}',
      role: 'admin',
      tag: 'access',
      summary: 'Changes the role or the password of a user; their sessions end',
      problems: ['unknown-user', 'last-admin'],
      body: object({ password: Type.Optional(Password), role: Type.Optional(oneOf(ROLES)) }, { examples: [{ role: 'operator' }] }),
      answer,
      async handle({ param, body, who }) {
        const { name, role } = named(param('name'));
        if (role === 'admin' && body.role !== undefined && body.role !== 'admin') keepAnAdmin(name);
        await accounts.changeUser(name, body, who.name === name ? who.id : '');
        return all();
      },
    }),
    route({
      method: 'put',
      path: '/session/password',
      role: 'viewer',
      tag: 'access',
      summary: 'Changes my own password; my other sessions end',
      problems: ['wrong-password', 'too-busy', 'unknown-user'],
      body: object({ old: Type.String({ maxLength: LONGEST_PASSWORD, writeOnly: true }), password: Password }),
      answer: object({}),
      async handle({ body: { old, password }, who }) {
        const user = await accounts.checkPassword(named(who.name).name, old);
        if (user === 'busy') throw new Problem('too-busy', 'Too many attempts at one time.', { retryAfter: 5 });
        if (user === undefined) throw new Problem('wrong-password', 'The old password is another one.');
        await accounts.changeUser(who.name, { password }, who.id);
        return {};
      },
    }),
    route({
      method: 'delete',
      path: '/users/{name}',
      role: 'admin',
      tag: 'access',
      summary: 'Removes a user, with sessions and tokens',
      problems: ['unknown-user', 'last-admin'],
      answer,
      handle({ param }) {
        const { name } = named(param('name'));
        keepAnAdmin(name);
        accounts.removeUser(name);
        return all();
      },
    }),
  ];
}

function tokensRoutes(accounts: Accounts): Route[] {
  return [
    route({
      method: 'get',
      path: '/tokens',
      role: 'viewer',
      tag: 'access',
      summary: 'My tokens; an admin sees those of all',
      answer: object({ tokens: Type.Array(TokenSchema) }),
      handle: ({ who }) => ({ tokens: accounts.tokens(who.role === 'admin' ? undefined : who.name).map(shownToken) }),
    }),
    route({
      method: 'post',
      path: '/tokens',
      role: 'viewer',
      tag: 'access',
      summary: 'Makes a token for programs: its text is in this answer and nowhere else',
      doc: 'It may do what its role may, and never more than its user. Without `expires` it is good until it is revoked.',
      problems: ['not-allowed', 'wrong-value'],
      body: object(
        {
          name: Type.String({ minLength: 1, maxLength: 100, description: 'what it is for' }),
          role: oneOf(ROLES),
          expires: Type.Optional(Type.Number({ minimum: 0, description: 'ms since 1970' })),
        },
        { examples: [{ name: 'prometheus', role: 'viewer' }] },
      ),
      answer: object({ token: TokenSchema, text: Type.String() }),
      status: 201,
      handle({ who, body: { name, role, expires } }) {
        if (!includes(who.role, role))
          throw new Problem('not-allowed', `${who.name} has the role ${who.role}: a token cannot have ${role}.`);
        // with a token one could make another that outlives it
        if (who.via === 'token') throw new Problem('not-allowed', 'A token cannot make tokens.', { hint: 'log in' });
        if (accounts.user(who.name) === undefined) {
          throw new Problem('wrong-value', `There is no user '${who.name}' that the token could belong to.`, { hint: 'log in' });
        }
        const { token, text } = accounts.addToken({ name, role, user: who.name, expires });
        return { token: shownToken(token), text };
      },
    }),
    route({
      method: 'delete',
      path: '/tokens/{id}',
      role: 'viewer',
      tag: 'access',
      summary: 'Revokes a token: one of mine; an admin any',
      problems: ['unknown-token'],
      answer: object({}),
      handle({ who, param }) {
        const found = accounts.tokens(who.role === 'admin' ? undefined : who.name).find(({ id }) => id === param('id'));
        if (found === undefined) throw new Problem('unknown-token', `There is no token ${param('id')}.`);
        accounts.removeToken(found.id);
        return {};
      },
    }),
  ];
}

export function accountsRoutes({ accounts, auditLog }: ApiDependencies): Route[] {
  const audit =
    auditLog === undefined
      ? []
      : [
          route({
            method: 'get',
            path: '/audit',
            role: 'admin',
            tag: 'access',
            summary: 'Who has changed what; the newest first',
            query: object({
              limit: limitParameter(1000, 100),
              before: Type.Optional(Type.Integer({ minimum: 0, description: 'an id: only older ones' })),
            }),
            answer: object({ entries: Type.Array(EntrySchema) }),
            handle: ({ query: { limit, before } }) => ({ entries: auditLog.entries(limit, before) }),
          }),
        ];
  return accounts === undefined ? audit : [...usersRoutes(accounts), ...tokensRoutes(accounts), ...audit];
}
