/** GET /hosts: the hosts of the flows that live now, added up. */
import { Type } from '@sinclair/typebox';
import type { Field } from '../flows/fields/field.ts';
import { fieldByKey } from '../flows/fields.ts';
import { MOST_FLOWS } from '../flows/selection.ts';
import type { ApiDependencies } from './dependencies.ts';
import { checkFilter, flowsAsked } from './flows.ts';
import { object, oneOf, type Route, route } from './route.ts';
import { flowList } from './rows.ts';
import { FilterParameter, InterfaceParameter, limitParameter, OrderParameter } from './schemas.ts';
import { whereOf } from './where.ts';

const SORTS = ['bytes', 'sent', 'received', 'flows', 'score', 'address'] as const;

const HostSchema = object({
  address: Type.String(),
  interface: Type.String(),
  vlan: Type.Integer(),
  name: Type.String(),
  country: Type.String(),
  local: Type.Boolean(),
  flows: Type.Integer(),
  asClient: Type.Integer({ description: 'flows that it began' }),
  asServer: Type.Integer(),
  sent: Type.Number({ description: 'bytes' }),
  received: Type.Number({ description: 'bytes' }),
  bytes: Type.Number(),
  score: Type.Number({ description: 'sum of the scores of its flows' }),
});

interface HostRow {
  address: string;
  interface: string;
  vlan: number;
  name: string;
  country: string;
  local: boolean;
  flows: number;
  asClient: number;
  asServer: number;
  sent: number;
  received: number;
  bytes: number;
  score: number;
}

const KEYS = ['cli', 'srv'].flatMap((end) => ['ip', 'host', 'country', 'localhost'].map((key) => `${end}.${key}`));
const READ = [...KEYS, 'vlan', 'cli2srv.bytes', 'srv2cli.bytes', 'score', 'flow.score']
  .map((key) => fieldByKey.get(key))
  .filter((field): field is Field => field !== undefined);

export function hostsRoutes(dependencies: ApiDependencies): Route[] {
  const { hosts: book } = dependencies;
  const ask = flowsAsked(dependencies);
  return [
    route({
      method: 'get',
      path: '/hosts',
      role: 'viewer',
      tag: 'flows',
      summary: 'The hosts of the flows that live now',
      doc: `Added up from the ${MOST_FLOWS.toLocaleString('en-US')} largest flows that match; \`complete\` says whether these were all.`,
      problems: ['wrong-filter', 'too-slow'],
      query: object({
        filter: FilterParameter,
        interface: InterfaceParameter,
        sort: oneOf(SORTS, { default: 'bytes' }),
        order: OrderParameter,
        limit: limitParameter(1000, 100),
      }),
      answer: object({ hosts: Type.Array(HostSchema), total: Type.Integer(), complete: Type.Boolean() }),
      async handle({ query: { filter = '', sort, order, limit, ...where }, request }) {
        checkFilter(filter);
        const query = { filter, ...whereOf(where), sort: 'bytes', descending: true, limit: MOST_FLOWS };
        const list = flowList(query, await ask(query, request.signal), READ, book);
        const found = new Map<string, HostRow>();
        for (const row of list.flows) {
          for (const [end, sent, received] of [
            ['cli', 'cli2srv.bytes', 'srv2cli.bytes'],
            ['srv', 'srv2cli.bytes', 'cli2srv.bytes'],
          ] as const) {
            const address = String(row[`${end}.ip`]);
            const vlan = Number(row.vlan ?? 0);
            const key = `${row.interface}\0${vlan}\0${address}`;
            const host = found.get(key) ?? {
              ...{ address, interface: row.interface, vlan, name: String(row[`${end}.host`] ?? '') },
              ...{ country: String(row[`${end}.country`] ?? ''), local: row[`${end}.localhost`] === true },
              ...{ flows: 0, asClient: 0, asServer: 0, sent: 0, received: 0, bytes: 0, score: 0 },
            };
            found.set(key, host);
            host.flows++;
            if (end === 'cli') host.asClient++;
            else host.asServer++;
            host.sent += Number(row[sent] ?? 0);
            host.received += Number(row[received] ?? 0);
            host.bytes = host.sent + host.received;
            host.score += Math.max(0, Number(row.score ?? row['flow.score'] ?? 0)); // -1: nobody gave it one
          }
        }
        const sign = order === 'desc' ? -1 : 1;
        const sorted = [...found.values()].sort((a, b) => {
          const [x, y] = [a[sort], b[sort]];
          return (x < y ? -1 : x > y ? 1 : 0) * sign || (a.address < b.address ? -1 : 1);
        });
        return { hosts: sorted.slice(0, limit), total: found.size, complete: list.matched <= MOST_FLOWS };
      },
    }),
  ];
}
