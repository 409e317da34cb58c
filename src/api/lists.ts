/** GET /lists: the category lists, with entries and the last error. */
import { Type } from '@sinclair/typebox';
import type { ApiDependencies } from './dependencies.ts';
import { object, type Route, route } from './route.ts';

const ListSchema = object({
  name: Type.String(),
  category: Type.Integer(),
  format: Type.String(),
  source: Type.String(),
  entries: Type.Integer(),
  rejected: Type.Integer(),
  firstRejected: Type.String(),
  lastUpdate: Type.Number({ description: 'ms since 1970, 0 = never' }),
  lastError: Type.String(),
  errors: Type.Integer(),
});

export const listsRoutes = ({ listStatus }: ApiDependencies): Route[] => [
  route({
    method: 'get',
    path: '/lists',
    role: 'viewer',
    tag: 'state',
    summary: 'The category lists, with their entries and the last error',
    answer: object({ lists: Type.Array(ListSchema) }),
    handle: () => ({ lists: listStatus() }),
  }),
];
