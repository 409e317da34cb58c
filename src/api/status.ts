/** GET /status: is it well, and how much does it see? Small enough to be asked every second. */
import { Hono } from 'hono';
import type { InterfaceSnapshot, LossSnapshot } from '../patrol-types.ts';
import type { ApiDependencies } from './dependencies.ts';

export interface InterfaceStatus extends Pick<InterfaceSnapshot, 'id' | 'name' | 'kind' | 'state' | 'error' | 'warning'> {
  /** Traffic time, µs since 1970; 0 = no packet yet. */
  readonly clock: number;
  /** From the start on. */
  readonly packets: number;
  readonly bytes: number;
  readonly flows: number;
  readonly activeFlows: number;
  readonly alerts: number;
  readonly losses: number;
}

export interface Status {
  readonly version: string;
  /** ISO 8601. */
  readonly started: string;
  /** s */
  readonly uptime: number;
  readonly interfaces: readonly InterfaceStatus[];
  /** Those of the run as a whole name no interface. */
  readonly losses: readonly (LossSnapshot & { readonly interface?: string })[];
}

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

export const statusApi = ({ version, startedAt, uptime, snapshot }: ApiDependencies): Hono =>
  new Hono().get('/', (c) => {
    const { interfaces, losses } = snapshot();
    const status: Status = {
      version,
      started: new Date(startedAt).toISOString(),
      uptime: uptime(),
      interfaces: interfaces.map(interfaceStatus),
      losses: [...interfaces.flatMap((of) => of.losses.map((loss) => ({ interface: of.name, ...loss }))), ...losses],
    };
    return c.json(status);
  });
