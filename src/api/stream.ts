/** GET /stream: alerts, statistics and live flows as server-sent events. How they are kept and counted: src/server/hub.ts. */
import { Type } from '@sinclair/typebox';
import { type AlertFilter, compileAlertFilter } from '../alerts/filter.ts';
import type { AlertEvent } from '../alerts/writing.ts';
import { FilterError } from '../filter/filter.ts';
import { TOPICS } from '../server/hub.ts';
import { createLiveFlows } from '../server/live-flows.ts';
import type { ApiDependencies } from './dependencies.ts';
import { checkFilter, fieldsOf, sortKey } from './flows.ts';
import { filterProblem, Problem } from './problems.ts';
import { object, type Route, route } from './route.ts';
import { FieldsParameter, FilterParameter, InterfaceParameter, limitParameter, OrderParameter } from './schemas.ts';
import { whereOf } from './where.ts';

const ALL = [...TOPICS, 'flows'] as const;
type Wanted = (typeof ALL)[number];

function topicsOf(text: string): Set<Wanted> {
  return new Set(
    text.split(',').map((word) => {
      const found = ALL.find((topic) => topic === word.trim());
      if (found !== undefined) return found;
      throw new Problem('wrong-parameter', `topics: '${word.trim()}' is not one of ${ALL.join(', ')}.`);
    }),
  );
}

function alertFilterOf(text: string): AlertFilter | undefined {
  try {
    return text.trim() === '' ? undefined : compileAlertFilter(text);
  } catch (error) {
    if (error instanceof FilterError) throw filterProblem(error);
    throw error;
  }
}

export function streamRoutes({ hub, accounts, queryFlows, hosts }: ApiDependencies): Route[] {
  if (hub === undefined) return [];
  const live = createLiveFlows({ ask: (query) => queryFlows(query), hosts });
  return [
    route({
      method: 'get',
      path: '/stream',
      role: 'viewer',
      tag: 'streams',
      summary: 'Alerts, statistics (every second) and live flows (every 2 s) as they come',
      doc: 'Server-sent events `alerts`, `stats`, `flows`. With Last-Event-ID the alerts and statistics that were missed come first; an event `gap` says how many are gone. `filter` and `interface` are of flows, `alert-filter` of alerts.',
      problems: ['wrong-filter', 'unknown-field', 'too-busy'],
      produces: 'text/event-stream',
      query: object({
        topics: Type.String({ default: 'alerts,stats', description: `of ${ALL.join(', ')}`, maxLength: 100 }),
        filter: FilterParameter,
        interface: InterfaceParameter,
        'alert-filter': FilterParameter,
        sort: Type.String({ default: 'bytes' }),
        order: OrderParameter,
        limit: limitParameter(1000, 100),
        fields: FieldsParameter,
        after: Type.Optional(Type.String({ maxLength: 100, description: 'as Last-Event-ID, for those who cannot set a header' })),
      }),
      handle({
        query: { topics: text, filter = '', 'alert-filter': line = '', sort, order, limit, fields, after, ...where },
        who,
        request,
      }) {
        const topics = topicsOf(text);
        checkFilter(filter);
        const alertFilter = alertFilterOf(line);
        const wanted = fieldsOf(fields);
        const key = sortKey(sort);
        let done: (() => void) | undefined;
        const listener = hub.listen({
          topics: new Set(TOPICS.filter((topic) => topics.has(topic))),
          after: request.headers.get('last-event-id') ?? after,
          wants: (topic, data) => topic !== 'alerts' || alertFilter === undefined || alertFilter.matches((data as AlertEvent).alert),
          still: () => accounts === undefined || accounts.still(who),
          closed: () => done?.(),
        });
        if (listener === undefined) throw new Problem('too-busy', 'Too many listen already.', { retryAfter: 30 });
        if (topics.has('flows')) {
          const query = { filter, ...whereOf(where), sort: key, descending: order === 'desc', limit };
          done = live.listen(query, wanted, (list) => listener.tell('flows', list));
        }
        return new Response(listener.stream, {
          // nothing on the way may keep back parts of it
          headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
        });
      },
    }),
  ];
}
