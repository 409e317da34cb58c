/**
 * The golden text of a capture: what flowpatrol says of it, one line per callback, in order, then the totals.
 *
 *   time (UTC)  callback  client → server  protocol  client's/server's packets and bytes  [statuses]
 *
 * Made from the lines of `--export-events`, so it is what a user would get. Called by golden.test.ts and update-golden.ts.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { STATUSES } from '../../src/flows/statuses.ts';
import { exportCapture, TIME_COUNTERS } from './run-capture.ts';

export const CAPTURES = fileURLToPath(new URL('../captures/', import.meta.url));

/** Names of the captures, sorted. */
export const captureNames = (): string[] =>
  readdirSync(CAPTURES)
    .filter((name) => /\.pcap(ng)?(\.gz)?$/.test(name))
    .sort();

export const goldenFile = (capture: string): string => `${CAPTURES}${capture}.golden.txt`;

const statusNames = (bitmap: number): string =>
  STATUSES.filter(({ id }) => Math.floor(bitmap / 2 ** id) % 2 === 1)
    .map(({ name }) => name.replace(/^status_/, ''))
    .join(' ');

function eventText(line: string): string {
  const event = JSON.parse(line) as Record<string, string | number>;
  const end = (side: string): string => {
    const ip = String(event[`${side}.ip`]);
    const port = event[`${side}.port`];
    return port === 0 ? ip : `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
  };
  const vlan = event.vlan === 0 ? '' : ` vlan ${event.vlan}`;
  const reason = event.callback === 'idle' ? ` (${event['flow.end_reason']})` : '';
  return [
    new Date(Number(event.time) * 1000).toISOString(),
    `${event.callback}${reason}`.padEnd(18),
    `${event['proto.l4']}${vlan} ${end('cli')} → ${end('srv')}`,
    event['proto.ndpi'],
    `${event['cli2srv.packets']}/${event['srv2cli.packets']} packets`,
    `${event['cli2srv.bytes']}/${event['srv2cli.bytes']} bytes`,
    `[${statusNames(Number(event.status_map))}]`,
  ].join('  ');
}

/** @throws when the capture cannot be run */
export function goldenText(capture: string): string {
  const run = exportCapture(`${CAPTURES}${capture}`);
  const totals = Object.entries(run.counters).filter(([name]) => !TIME_COUNTERS.includes(name));
  return [
    `# ${capture}`,
    ...run.events.map(eventText),
    '',
    '# totals',
    ...totals.map(([name, value]) => `${name} ${value}`),
    ...(run.damage === '' ? [] : [`damage: ${run.damage}`]),
    '',
  ].join('\n');
}
