/**
 * The programming interface: one resource a file, below a version. Served on the control socket (socket.ts); tests ask it directly.
 *
 *   /api/v1/status  /interfaces  /flows  /preferences  /lists  /scripts  /explain  /metrics
 */
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { API } from './address.ts';
import type { ApiDependencies } from './dependencies.ts';
import { explainApi } from './explain.ts';
import { flowsApi } from './flows.ts';
import { interfacesApi } from './interfaces.ts';
import { listsApi } from './lists.ts';
import { metricsApi } from './metrics.ts';
import { preferencesApi } from './preferences.ts';
import { Problem, problemAnswer } from './problems.ts';
import { scriptsApi } from './scripts.ts';
import { statusApi } from './status.ts';

/** Room for the longest list of servers. */
const MOST_BODY = 64 << 10;

export function createApi(dependencies: ApiDependencies): Hono {
  const app = new Hono().basePath(API);
  app.use(
    bodyLimit({ maxSize: MOST_BODY, onError: (c) => problemAnswer(c, new Problem('body-too-large', `At most ${MOST_BODY} bytes.`)) }),
  );
  app.route('/status', statusApi(dependencies));
  app.route('/interfaces', interfacesApi(dependencies));
  app.route('/flows', flowsApi(dependencies));
  app.route('/preferences', preferencesApi(dependencies));
  app.route('/lists', listsApi(dependencies));
  app.route('/scripts', scriptsApi(dependencies));
  app.route('/explain', explainApi(dependencies));
  app.route('/metrics', metricsApi(dependencies));
  app.notFound((c) => problemAnswer(c, new Problem('not-found', `There is no ${c.req.method} ${c.req.path}.`)));
  app.onError((error, c) => {
    if (error instanceof Problem) return problemAnswer(c, error);
    dependencies.log.error({ path: c.req.path, stack: error.stack }, `the programming interface failed: ${error.message}`);
    return problemAnswer(c, new Problem('internal', error.message));
  });
  return app;
}
