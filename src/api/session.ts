/** Logging in and out: POST /session gives the cookie, GET /session says who one is. */
import { Type } from '@sinclair/typebox';
import { LONGEST_PASSWORD } from '../server/passwords.ts';
import type { ApiDependencies } from './dependencies.ts';
import { Problem } from './problems.ts';
import { ROLES } from './roles.ts';
import { object, oneOf, type Route, route } from './route.ts';

const WhoSchema = object({
  name: Type.String(),
  role: oneOf(ROLES),
  via: oneOf(['session', 'token', 'socket'] as const),
  csrf: Type.String({ description: 'for the header X-CSRF-Token; empty without a session' }),
});

export function sessionRoutes({ access, accounts }: ApiDependencies): Route[] {
  if (access === undefined || accounts === undefined) return [];
  return [
    route({
      method: 'post',
      path: '/session',
      role: 'anyone',
      tag: 'access',
      summary: 'Logs in: the answer sets the cookie of the session',
      problems: ['wrong-password', 'too-often', 'too-busy', 'not-from-here'],
      body: object(
        { name: Type.String({ maxLength: 100 }), password: Type.String({ maxLength: LONGEST_PASSWORD, writeOnly: true }) },
        { examples: [{ name: 'admin', password: '…' }] },
      ),
      answer: WhoSchema,
      async handle({ request, context, body: { name, password } }) {
        const { session, user } = await access.login(request, context.env, name, password);
        context.header('set-cookie', access.cookie(session));
        return { name: user.name, role: user.role, via: 'session' as const, csrf: session.csrf };
      },
    }),
    route({
      method: 'get',
      path: '/session',
      role: 'viewer',
      tag: 'access',
      summary: 'Who am I, and the CSRF token of my session',
      answer: WhoSchema,
      handle({ who: { name, role, via }, request, context }) {
        return { name, role, via, csrf: via === 'session' ? (access.shown(request, context.env)?.csrf ?? '') : '' };
      },
    }),
    route({
      method: 'delete',
      path: '/session',
      role: 'viewer',
      tag: 'access',
      summary: 'Logs out',
      problems: ['wrong-value'],
      answer: object({}),
      handle({ who, context }) {
        if (who.via !== 'session')
          throw new Problem('wrong-value', 'There is no session to end.', { hint: 'DELETE /tokens/ID revokes a token' });
        accounts.closeSession(who.id);
        context.header('set-cookie', access.noCookie());
        return {};
      },
    }),
  ];
}
