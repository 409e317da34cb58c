/**
 * The summary at the end of a run: a snapshot in, lines of 80 columns at most out (long file names and messages apart).
 */
import { CALLBACKS } from '../flows/event.ts';
import type { InterfaceSnapshot, ScriptSnapshot, Snapshot } from '../patrol-types.ts';
import { bytes, count, cut, cutStart, duration, printable, table, wrap } from './format.ts';

const COLUMNS = 80;
/** Protocols shown; the others are summed up in one row. */
const TOP_PROTOCOLS = 12;
const NAME_WIDTH = 30;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const counter = (of: InterfaceSnapshot, name: string): number => of.counters[name] ?? 0;
const nameOf = (of: InterfaceSnapshot): string => (of.name === '-' ? 'standard input' : printable(of.name));

function interfaceLines(interfaces: readonly InterfaceSnapshot[]): string[] {
  const seconds = (of: InterfaceSnapshot): string =>
    of.began === undefined || of.began === 0 || of.clock === 0 ? '-' : duration(Math.max(0, of.clock - of.began) / 1e6);
  const rows = interfaces.map((of) => [
    cutStart(nameOf(of), NAME_WIDTH),
    count(counter(of, 'flows.created')),
    count(counter(of, 'packets')),
    bytes(counter(of, 'bytes')),
    seconds(of),
  ]);
  if (interfaces.length > 1) {
    const total = (name: string): number => sum(interfaces.map((of) => counter(of, name)));
    rows.push(['together', count(total('flows.created')), count(total('packets')), bytes(total('bytes'))]);
  }
  const columns = [
    { title: 'Interface' },
    { title: 'flows', right: true },
    { title: 'packets', right: true },
    { title: 'bytes', right: true },
    { title: 'traffic', right: true },
  ];
  const notes = interfaces.flatMap((of) => [
    ...(of.state === 'failed' ? wrap(`failed: ${nameOf(of)}: ${printable((of.error ?? '').split('\n')[0] as string)}`, COLUMNS, '  ') : []),
    ...(of.warning === undefined ? [] : wrap(`warning: ${nameOf(of)}: ${printable(of.warning)}`, COLUMNS, '  ')),
  ]);
  return [...table(columns, rows), ...notes];
}

function protocolLines(interfaces: readonly InterfaceSnapshot[]): string[] {
  const totals = new Map<string, { name: string; flows: number; packets: number; bytes: number }>();
  for (const protocol of interfaces.flatMap((of) => of.protocols)) {
    const known = totals.get(protocol.name) ?? { name: protocol.name, flows: 0, packets: 0, bytes: 0 };
    known.flows += protocol.flows;
    known.packets += protocol.packets;
    known.bytes += protocol.bytes;
    totals.set(protocol.name, known);
  }
  if (totals.size === 0) return [];
  const sorted = [...totals.values()].sort((x, y) => y.bytes - x.bytes || y.flows - x.flows || (x.name < y.name ? -1 : 1));
  const top = sorted.length > TOP_PROTOCOLS + 1 ? sorted.slice(0, TOP_PROTOCOLS) : sorted;
  const others = sorted.slice(top.length);
  if (others.length > 0) {
    top.push({
      name: `${others.length} others`,
      flows: sum(others.map((of) => of.flows)),
      packets: sum(others.map((of) => of.packets)),
      bytes: sum(others.map((of) => of.bytes)),
    });
  }
  const all = sum(sorted.map((of) => of.bytes));
  const share = (of: number): string => (all === 0 ? '-' : `${((of / all) * 100).toFixed(1)} %`);
  return table(
    [
      { title: 'Protocol' },
      { title: 'flows', right: true },
      { title: 'packets', right: true },
      { title: 'bytes', right: true },
      { title: 'share', right: true },
    ],
    top.map((of) => [cut(printable(of.name), NAME_WIDTH), count(of.flows), count(of.packets), bytes(of.bytes), share(of.bytes)]),
  );
}

/** The same script on several interfaces is one script here. */
function scriptLines(scripts: readonly ScriptSnapshot[]): string[] {
  const byPath = Map.groupBy(scripts, (script) => script.path);
  const rows: string[][] = [];
  const notes: string[] = [];
  for (const group of byPath.values()) {
    const first = group[0] as ScriptSnapshot;
    const name = printable(first.file);
    if (first.error !== undefined) notes.push(...wrap(`not loaded: ${printable(first.error)}`, COLUMNS, '  '));
    if (first.state === 'off by setup') notes.push(`switched off by its setup: ${name}`);
    if (first.state === 'not applicable') notes.push(`not applicable here, it needs packets: ${name}`);
    if (first.state === 'off') notes.push(`switched off: ${name}`);
    if (first.state === 'shadow') notes.push(`in shadow, its alerts are only recorded: ${name}`);
    const broken = group.find((script) => script.state === 'broken')?.broken;
    if (broken !== undefined) notes.push(...wrap(`broken: ${name}: ${printable(broken.reason)}`, COLUMNS, '  '));
    if (first.state !== 'on' && first.state !== 'shadow' && first.state !== 'broken') continue;
    const alerts = count(sum(group.map((script) => script.alerts)));
    const used = CALLBACKS.filter((callback) => first.callbacks.includes(callback));
    for (const [index, callback] of used.entries()) {
      const stats = group.flatMap((script) => script.stats[callback] ?? []);
      const calls = sum(stats.map((of) => of.calls));
      const mean = calls === 0 ? '-' : (sum(stats.map((of) => of.cpuUs)) / calls).toFixed(1);
      rows.push([
        index === 0 ? cut(name, NAME_WIDTH) : '',
        callback,
        count(calls),
        count(sum(stats.map((of) => of.failures))),
        mean,
        index === 0 ? alerts : '',
      ]);
    }
    if (used.length === 0) rows.push([cut(name, NAME_WIDTH), 'no callbacks']);
    const failed = group.find((script) => script.lastError !== undefined);
    if (failed !== undefined) notes.push(...wrap(`last error: ${printable(failed.lastError as string)}`, COLUMNS, '  '));
  }
  const columns = [
    { title: 'Script' },
    { title: 'callback' },
    { title: 'calls', right: true },
    { title: 'failures', right: true },
    { title: 'mean µs', right: true },
    { title: 'alerts', right: true },
  ];
  return [...(rows.length === 0 ? [] : table(columns, rows)), ...notes];
}

/** What was lost, and why; one line where nothing was. */
export function lossLines({ interfaces, losses: ofRun }: Pick<Snapshot, 'interfaces' | 'losses'>): string[] {
  const ofInterface = (of: InterfaceSnapshot): string => (interfaces.length > 1 ? `${nameOf(of)}: ` : '');
  const losses = [
    ...interfaces.flatMap((of) => of.losses.map((loss) => ({ ...loss, whose: ofInterface(of) }))),
    ...ofRun.map((loss) => ({ ...loss, whose: '' })),
  ].filter((loss) => loss.value > 0);
  if (losses.length === 0) return ['Losses: nothing lost'];
  const width = Math.max(...losses.map((loss) => count(loss.value).length));
  return [
    'Losses:',
    ...losses.flatMap(({ name, help, value, whose }) => {
      const head = `  ${count(value).padStart(width)}  `;
      const reason = `${whose}${help} (${name})`;
      return wrap(reason, COLUMNS - head.length, '').map((line, index) => (index === 0 ? head : ' '.repeat(head.length)) + line);
    }),
  ];
}

/** @returns lines without line ends; sections are separated by empty ones */
export function summary(snapshot: Snapshot): string[] {
  const alerts = sum(snapshot.interfaces.map((of) => counter(of, 'alerts')));
  const sections = [
    interfaceLines(snapshot.interfaces),
    protocolLines(snapshot.interfaces),
    scriptLines(snapshot.scripts),
    [`Alerts: ${count(alerts)}`, ...lossLines(snapshot)],
  ];
  return sections.filter((lines) => lines.length > 0).flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}
