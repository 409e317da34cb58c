/**
 * What became of every script at each callback of a flow, as far as it was traced: flows with an alert, and those that match the filter.
 *
 *   GET /explain?flow=ID         without a flow, the flows of which there are traces
 *   GET /explain/filter          PUT {"filter": "…"} in the filter language; '' = no more flows than those with an alert
 */
import { Hono } from 'hono';
import { FilterError, parseFilter } from '../filter/filter.ts';
import type { ApiDependencies } from './dependencies.ts';
import { filterProblem, Problem } from './problems.ts';

export function explainApi({ scripts }: ApiDependencies): Hono {
  return new Hono()
    .get('/', (c) => {
      const wanted = c.req.query('flow');
      const traces = scripts.traces();
      if (wanted !== undefined) return c.json({ flow: wanted, traces: traces.filter(({ flow }) => flow === wanted) });
      const flows = new Map(traces.map(({ flow, label, interface: name }) => [flow, { flow, label, interface: name }]));
      return c.json({ flows: [...flows.values()] });
    })
    .get('/filter', (c) => c.json({ filter: scripts.tracedFilter() }))
    .put('/filter', async (c) => {
      const body: unknown = await c.req.json().catch(() => undefined);
      const filter: unknown = typeof body === 'object' && body !== null && 'filter' in body ? body.filter : undefined;
      if (typeof filter !== 'string') {
        throw new Problem('wrong-body', 'The body is no JSON object with a "filter".', { hint: 'for example {"filter": "srv.port = 22"}' });
      }
      try {
        parseFilter(filter);
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
        throw filterProblem(error);
      }
      scripts.traceFilter(filter.trim());
      return c.json({ filter: scripts.tracedFilter() });
    });
}
