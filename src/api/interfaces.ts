/** Each `-i` and each upload: everything that is known of it, and how a capture is read. */
import { Type } from '@sinclair/typebox';
import { FASTEST } from '../interfaces/protocol.ts';
import type { CapturePace } from '../patrol-types.ts';
import type { ApiDependencies } from './dependencies.ts';
import { Problem } from './problems.ts';
import { object, type Route, route } from './route.ts';
import { InterfaceSchema } from './schemas.ts';

export const interfacesRoutes = ({ snapshot, regulate }: ApiDependencies): Route[] => [
  route({
    method: 'get',
    path: '/interfaces',
    role: 'viewer',
    tag: 'state',
    summary: 'Everything that is known of each interface, all counters included',
    answer: object({ interfaces: Type.Array(InterfaceSchema) }),
    handle: () => ({ interfaces: snapshot().interfaces }),
  }),
  ...(regulate === undefined ? [] : [regulateRoute(snapshot, regulate)]),
];

const regulateRoute = (snapshot: ApiDependencies['snapshot'], regulate: NonNullable<ApiDependencies['regulate']>): Route =>
  route({
    method: 'post',
    path: '/interfaces/{id}/pace',
    role: 'operator',
    tag: 'state',
    summary: 'Pauses a capture that is being read, lets it go on, or sets its speed; what is absent stays as it is',
    problems: ['unknown-interface', 'wrong-value'],
    body: object({
      paused: Type.Optional(Type.Boolean()),
      speed: Type.Optional(
        Type.Number({ minimum: 0, maximum: FASTEST, description: 'times packet time, in thousandths; 0 = as fast as possible' }),
      ),
    }),
    answer: InterfaceSchema,
    handle({ param, body: { paused, speed } }) {
      const id = param('id');
      const change: CapturePace = { ...(paused === undefined ? {} : { paused }), ...(speed === undefined ? {} : { speed }) };
      // a speed that rounds to nothing would mean as fast as possible
      if (speed !== undefined && speed > 0 && speed < 0.001) throw new Problem('wrong-value', 'speed: the slowest is 0.001.');
      const outcome = /^\d{1,9}$/.test(id) ? regulate(Number(id), change) : 'unknown';
      const found = snapshot().interfaces.find((of) => of.id === Number(id));
      if (outcome === 'unknown' || found === undefined)
        throw new Problem('unknown-interface', `There is no interface ${id}.`, { hint: 'GET /interfaces has their ids' });
      if (outcome === 'no capture') throw new Problem('wrong-value', `${found.name} is no capture: its packets come in their own time.`);
      if (outcome === 'over') throw new Problem('wrong-value', `${found.name} is read to its end.`);
      return found;
    },
  });
