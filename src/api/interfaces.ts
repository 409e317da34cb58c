/** GET /interfaces: everything that is known of each `-i` and each upload, all counters included. */
import { Type } from '@sinclair/typebox';
import type { ApiDependencies } from './dependencies.ts';
import { object, type Route, route } from './route.ts';
import { InterfaceSchema } from './schemas.ts';

export const interfacesRoutes = ({ snapshot }: ApiDependencies): Route[] => [
  route({
    method: 'get',
    path: '/interfaces',
    role: 'viewer',
    tag: 'state',
    summary: 'Everything that is known of each interface, all counters included',
    answer: object({ interfaces: Type.Array(InterfaceSchema) }),
    handle: () => ({ interfaces: snapshot().interfaces }),
  }),
];
