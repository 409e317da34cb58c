/** GET /hosts: the hosts of the flows that live now, added up. */
import { Type } from '@sinclair/typebox';
import { properText } from '../flows/export.ts';
import { HOST_ORDERS, topHosts } from '../flows/host-totals.ts';
import { MOST_FLOWS } from '../flows/selection.ts';
import { EMPTY_BOOK } from '../hosts/book.ts';
import type { ApiDependencies } from './dependencies.ts';
import { checkFilter, patiently } from './flows.ts';
import { object, oneOf, type Route, route } from './route.ts';
import { FilterParameter, InterfaceParameter, limitParameter, OrderParameter } from './schemas.ts';
import { whereOf } from './where.ts';

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

export function hostsRoutes(dependencies: ApiDependencies): Route[] {
  const { hosts: book = EMPTY_BOOK } = dependencies;
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
        sort: oneOf(HOST_ORDERS, { default: 'bytes' }),
        order: OrderParameter,
        limit: limitParameter(1000, 100),
      }),
      answer: object({ hosts: Type.Array(HostSchema), total: Type.Integer(), complete: Type.Boolean() }),
      async handle({ query: { filter = '', sort, order, limit, ...where }, request }) {
        checkFilter(filter);
        const query = { filter, ...whereOf(where), sort: 'bytes', descending: true, limit: MOST_FLOWS };
        const answers = await patiently((signal) => dependencies.queryHosts(query, signal), request.signal);
        const { hosts, total } = topHosts(
          answers.map((answer) => answer.hosts),
          ...([sort, order === 'desc', limit] as const),
        );
        return {
          hosts: hosts.map(({ answer, ipv6, local, addresses, at, ...host }) => {
            const { name, country } = book.facts(addresses, at, ipv6 === 1);
            return {
              ...{ ...host, interface: answers[answer]?.interface ?? '', name: properText(name), country, local: local === 1 },
              ...{ flows: host.asClient + host.asServer, bytes: host.sent + host.received },
            };
          }),
          total,
          complete: answers.every(({ matched }) => matched <= MOST_FLOWS),
        };
      },
    }),
  ];
}
