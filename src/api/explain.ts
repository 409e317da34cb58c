/** What became of every script at each callback of a flow, as far as it was traced: flows with an alert, and those that match the filter. */
import { Type } from '@sinclair/typebox';
import { FilterError, parseFilter } from '../filter/filter.ts';
import type { ApiDependencies } from './dependencies.ts';
import { filterProblem } from './problems.ts';
import { object, type Route, route } from './route.ts';
import { CallbackSchema } from './schemas.ts';

const Filter = object(
  { filter: Type.String({ maxLength: 8192, description: "in the filter language; '' = no more flows than those with an alert" }) },
  { examples: [{ filter: 'srv.port = 22' }] },
);

export const TraceSchema = object({
  flow: Type.String(),
  label: Type.String(),
  visit: Type.Number(),
  time: Type.Number(),
  callback: CallbackSchema,
  statusBefore: Type.Number(),
  status: Type.Number(),
  scripts: Type.Array(Type.Unknown()),
  interface: Type.String(),
});

export const explainRoutes = ({ scripts }: ApiDependencies): Route[] => [
  route({
    method: 'get',
    path: '/explain',
    role: 'viewer',
    tag: 'scripts',
    summary: 'What became of every script at each callback of a flow',
    doc: 'Without a flow: the flows of which there are traces.',
    query: object({ flow: Type.Optional(Type.String({ description: 'id of a flow', maxLength: 100 })) }),
    answer: Type.Union([
      object({ flow: Type.String(), traces: Type.Array(TraceSchema) }),
      object({ flows: Type.Array(object({ flow: Type.String(), label: Type.String(), interface: Type.String() })) }),
    ]),
    handle({ query: { flow: wanted } }) {
      const traces = scripts.traces();
      if (wanted !== undefined) return { flow: wanted, traces: traces.filter(({ flow }) => flow === wanted) };
      const flows = new Map(traces.map(({ flow, label, interface: name }) => [flow, { flow, label, interface: name }]));
      return { flows: [...flows.values()] };
    },
  }),
  route({
    method: 'get',
    path: '/explain/filter',
    role: 'viewer',
    tag: 'scripts',
    summary: 'Which flows are traced',
    answer: Filter,
    handle: () => ({ filter: scripts.tracedFilter() }),
  }),
  route({
    method: 'put',
    path: '/explain/filter',
    role: 'operator',
    tag: 'scripts',
    summary: 'Chooses the flows that are traced',
    problems: ['wrong-filter'],
    body: Filter,
    answer: Filter,
    handle({ body: { filter } }) {
      try {
        parseFilter(filter);
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
        throw filterProblem(error);
      }
      scripts.traceFilter(filter.trim());
      return { filter: scripts.tracedFilter() };
    },
  }),
];
