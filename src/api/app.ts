/**
 * The programming interface: one resource a file, below a version; what each takes, gives and who may stands in its routes. Served
 * on the control socket (socket.ts) and on the network (src/server); tests ask it directly.
 *
 *   request ──► identify: who is it? ──► may they? ──► query, body ──► handler ──► answer, audit
 */
import { Hono } from 'hono';
import { FilterError } from '../filter/filter.ts';
import { HistoryError } from '../store/history-checks.ts';
import { API } from './address.ts';
import { checkBody, checkQuery, readJson, withoutSecrets } from './checks.ts';
import type { ApiDependencies } from './dependencies.ts';
import { openApiDocument } from './openapi.ts';
import { filterProblem, Problem, problemResponse } from './problems.ts';
import { includes, type Who } from './roles.ts';
import type { Route } from './route.ts';
import { allRoutes } from './routes.ts';

/**
 * Who asks; undefined = nobody that is known.
 * @throws Problem, when they are known and still not to be believed (CSRF)
 */
export type Identify = (request: Request, environment: unknown) => Who | undefined;

const NOBODY: Who = { name: '', role: 'viewer', via: 'session', id: '', address: '' };

function allowed(who: Who | undefined, { role, method, path }: Route): Who {
  if (role === 'anyone') return who ?? NOBODY;
  if (who === undefined)
    throw new Problem('not-authenticated', 'Nobody is logged in.', { hint: 'POST /session, or a token in Authorization' });
  if (includes(who.role, role)) return who;
  throw new Problem('not-allowed', `${method.toUpperCase()} ${path} needs the role ${role}; ${who.name} has ${who.role}.`);
}

/** @param identify of the way that requests come */
export function createApi(dependencies: ApiDependencies, identify: Identify): Hono {
  const routes = allRoutes(dependencies);
  const { log, audit } = dependencies;
  const app = new Hono().basePath(API);
  const document = JSON.stringify(openApiDocument(routes, dependencies.version));

  for (const route of routes) {
    const query = checkQuery(route.query);
    const body = route.body === undefined ? undefined : checkBody(route.body);
    app.on(route.method.toUpperCase(), route.path.replace(/\{(\w+)\}/g, ':$1'), async (c) => {
      let who: Who | undefined;
      let outcome = 'done';
      let detail = '';
      try {
        who = identify(c.req.raw, c.env);
        const asking = allowed(who, route);
        const given = route.body === undefined ? undefined : body?.(await readJson(c.req.raw));
        detail = route.body === undefined ? '' : withoutSecrets(route.body, given);
        const answer = await route.handle({
          query: query(c.req.raw.url),
          body: given,
          param: (name) => c.req.param(name) ?? '',
          who: asking,
          request: c.req.raw,
          context: c,
        });
        if (answer instanceof Response) return answer;
        return c.json(answer as object, route.status ?? 200);
      } catch (error) {
        outcome = error instanceof Problem ? error.code : 'internal';
        throw error;
      } finally {
        if (route.method !== 'get' && route.role !== 'anyone' && who !== undefined) {
          audit?.({ who, action: `${c.req.method} ${c.req.path.slice(API.length)}`, detail, outcome });
        }
      }
    });
  }
  // readable without a session: it says what there is, not what is in it
  app.get('/openapi.json', (c) => c.body(document, 200, { 'content-type': 'application/json' }));

  app.notFound((c) => problemResponse(new Problem('not-found', `There is no ${c.req.method} ${c.req.path}.`)));
  app.onError((error, c) => {
    if (error instanceof Problem) return problemResponse(error);
    if (error instanceof FilterError) return problemResponse(filterProblem(error));
    if (error instanceof HistoryError) return problemResponse(new Problem('history-refused', `${error.message}.`));
    log.error({ path: c.req.path, stack: error.stack }, `the programming interface failed: ${error.message}`);
    return problemResponse(new Problem('internal', error.message));
  });
  return app;
}
