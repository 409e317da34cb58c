/** GET /status: is it well, and how much does it see? Small enough to be asked every second. GET /losses: what was lost, and where. */
import { type Static, Type } from '@sinclair/typebox';
import type { InterfaceSnapshot, Snapshot } from '../patrol-types.ts';
import type { ApiDependencies } from './dependencies.ts';
import { object, type Route, route } from './route.ts';
import { InterfaceHead, LossOfRun } from './schemas.ts';

const InterfaceStatusSchema = object({
  ...InterfaceHead,
  // from the start on
  packets: Type.Number(),
  bytes: Type.Number(),
  flows: Type.Number(),
  activeFlows: Type.Number(),
  alerts: Type.Number(),
  losses: Type.Number(),
});
export type InterfaceStatus = Static<typeof InterfaceStatusSchema>;

export const StatusSchema = object({
  version: Type.String(),
  started: Type.String({ format: 'date-time' }),
  uptime: Type.Number({ description: 's' }),
  interfaces: Type.Array(InterfaceStatusSchema),
  losses: Type.Array(LossOfRun, { description: 'those of the run as a whole name no interface' }),
});
export type Status = Static<typeof StatusSchema>;

function interfaceStatus({ id, name, kind, state, error, warning, clock, counters, losses }: InterfaceSnapshot): InterfaceStatus {
  const counter = (of: string): number => counters[of] ?? 0;
  return {
    id,
    name,
    kind,
    state,
    ...(error === undefined ? {} : { error }),
    ...(warning === undefined ? {} : { warning }),
    clock,
    packets: counter('packets'),
    bytes: counter('bytes'),
    flows: counter('flows.created'),
    activeFlows: counter('flows.active'),
    alerts: counter('alerts'),
    losses: losses.reduce((sum, loss) => sum + loss.value, 0),
  };
}

const lossesOf = ({ interfaces, losses }: Snapshot): Static<typeof LossOfRun>[] => [
  ...interfaces.flatMap((of) => of.losses.map((loss) => ({ interface: of.name, ...loss }))),
  ...losses,
];

export function statusOf({ version, startedAt, uptime, snapshot }: ApiDependencies): Status {
  const now = snapshot();
  return {
    version,
    started: new Date(startedAt).toISOString(),
    uptime: uptime(),
    interfaces: now.interfaces.map(interfaceStatus),
    losses: lossesOf(now),
  };
}

export const statusRoutes = (dependencies: ApiDependencies): Route[] => [
  route({
    method: 'get',
    path: '/status',
    role: 'viewer',
    tag: 'state',
    summary: 'Is it well, and how much does it see?',
    answer: StatusSchema,
    handle: () => statusOf(dependencies),
  }),
  route({
    method: 'get',
    path: '/losses',
    role: 'viewer',
    tag: 'state',
    summary: 'The loss ledger: everything that came and was not used, by place and reason',
    answer: object({ losses: Type.Array(LossOfRun) }),
    handle: () => ({ losses: lossesOf(dependencies.snapshot()) }),
  }),
];
