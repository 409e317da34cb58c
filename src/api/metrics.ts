/**
 * GET /metrics: counters of interfaces, and calls, failures, skips, time and alerts of scripts, in the text format of Prometheus.
 * Names: flowpatrol_COUNTER[_total], the dots of a counter as underscores; scripts: flowpatrol_script_….
 */
import { Counter, Gauge, Registry } from 'prom-client';
import { COUNTERS } from '../flows/counters.ts';
import type { Snapshot } from '../patrol-types.ts';
import type { ApiDependencies } from './dependencies.ts';
import { type Route, route } from './route.ts';

/** Counters that may fall: what there is now, or was at most. */
const GAUGES = new Set(['flows.active', 'flows.peak', 'visits.longest']);

const nameOf = (counter: string): string => `flowpatrol_${counter.replace(/[^a-zA-Z0-9]+/g, '_')}`;

/** A registry of its own for each answer: the figures are those of one snapshot. */
function registryOf({ interfaces, scripts, losses }: Snapshot): Registry {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> =>
    new Gauge({ name, help, labelNames: [...labelNames], registers });

  for (const { name, help } of COUNTERS) {
    const metric = GAUGES.has(name) ? gauge(nameOf(name), help, ['interface']) : counter(`${nameOf(name)}_total`, help, ['interface']);
    for (const { name: of, counters } of interfaces) metric.inc({ interface: of }, counters[name] ?? 0);
  }
  const up = gauge('flowpatrol_interface_up', '1 while the interface runs', ['interface']);
  for (const { name, state } of interfaces) up.set({ interface: name }, state === 'running' ? 1 : 0);

  const lost = counter('flowpatrol_lost_total', 'what came and was not used, by the name of the loss ledger', ['interface', 'loss']);
  for (const { name: of, losses: own } of interfaces) for (const { name, value } of own) lost.inc({ interface: of, loss: name }, value);
  for (const { name, value } of losses) lost.inc({ interface: '', loss: name }, value);

  const labels = ['interface', 'script', 'callback'] as const;
  const calls = counter('flowpatrol_script_calls_total', 'calls of a script', labels);
  const failures = counter('flowpatrol_script_failures_total', 'calls that failed', [...labels, 'reason']);
  const skipped = counter('flowpatrol_script_skipped_total', 'calls that were left out', [...labels, 'reason']);
  const cpu = counter('flowpatrol_script_cpu_seconds_total', 'estimated time of all calls', labels);
  const p99 = gauge('flowpatrol_script_call_p99_seconds', 'upper bound of the time of 99 of 100 calls', labels);
  const alerts = counter('flowpatrol_script_alerts_total', 'alerts that a script raised', ['interface', 'script']);
  const on = gauge('flowpatrol_script_on', '1: it is called, 0: it is off, broken or could not be loaded', ['interface', 'script']);
  for (const script of scripts) {
    const of = { interface: script.interface, script: script.key };
    alerts.inc(of, script.alerts);
    on.set(of, script.state === 'on' || script.state === 'shadow' ? 1 : 0);
    for (const [callback, stats] of Object.entries(script.stats)) {
      const call = { ...of, callback };
      calls.inc(call, stats.calls);
      cpu.inc(call, stats.cpuUs / 1e6);
      p99.set(call, stats.p99Us / 1e6);
      for (const [reason, count] of Object.entries(stats.failed)) failures.inc({ ...call, reason }, count);
      for (const [reason, count] of Object.entries(stats.skipped)) skipped.inc({ ...call, reason }, count);
    }
  }
  return registry;
}

/** The figures of a snapshot, and the media type that they are in. */
export async function metricsOf(snapshot: Snapshot): Promise<{ readonly text: string; readonly type: string }> {
  const registry = registryOf(snapshot);
  return { text: await registry.metrics(), type: registry.contentType };
}

export const metricsRoutes = ({ snapshot }: ApiDependencies): Route[] => [
  route({
    method: 'get',
    path: '/metrics',
    role: 'viewer',
    tag: 'state',
    summary: 'All counters, in the text format of Prometheus (also at /metrics)',
    produces: 'text/plain',
    async handle() {
      const { text, type } = await metricsOf(snapshot());
      return new Response(text, { headers: { 'content-type': type } });
    },
  }),
];
