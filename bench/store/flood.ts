/**
 * A flood of rows, and questions at the same time: `node bench/store/flood.ts [--seconds 60] [--rate 20000] [--questions 3] [--bursts 0]`.
 *
 *   lifecycle events of small flows ──► outbox of a live interface ──► thread of the history, on disk ◄── questions, one after another
 *
 * The thread of the history alone, as the program starts it: no capture, no scripts. With `--bursts 5` the flows of five seconds come at
 * once, as the visits of a busy interface send them. Tells, every ten seconds, what was stored and shed, what a row costs (CPU of the whole
 * process), how long answers took and how much memory the process has. Ends with 1 when a flow is neither stored nor counted as lost.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { E_CLIENT, E_CLIENT_PORT, E_RECORD, E_SEQ, E_TIME } from '../../src/flows/event.ts';
import { R_FIRST, R_LAST } from '../../src/flows/record.ts';
import { createOutbox, OUTBOX_LOST, OUTBOX_UNDER_WAY, OUTBOX_WORDS } from '../../src/scripts/outbox.ts';
import { startHistory } from '../../src/server/history-thread.ts';
import { openDuckHistory } from '../../src/store/duckdb/history.ts';
import type { History } from '../../src/store/history.ts';
import { flowsOf } from '../../test/api/support.ts';
import { CAPTURES } from '../../test/support/golden.ts';
import { makeSmallFlows } from '../small-flows.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '20000' },
    questions: { type: 'string', default: '3' },
    bursts: { type: 'string', default: '0' },
  },
});
const [seconds, rate, questions, bursts] = [values.seconds, values.rate, values.questions, values.bursts].map(Number) as [
  number,
  number,
  number,
  number,
];
const TICK_MS = 20;
const TOLD_SECONDS = 10;
const CLIENTS = 5000;

/** Those of the load test of the web (test/long/web.ts). */
const QUESTIONS: Readonly<Record<string, (history: History) => Promise<unknown>>> = {
  'newest 50': (history) =>
    history.flows({
      ...{ filter: '', sort: 'seen.last', descending: true, limit: 50, offset: 0 },
      fields: ['bytes', 'packets', 'cli.ip', 'srv.ip', 'proto.ndpi'],
    }),
  'top protocols': (history) => history.top({ filter: '', by: 'proto.ndpi', of: 'bytes', limit: 10 }),
  series: (history) => history.series({ names: ['bytes', 'flows'], from: 1.6e15, to: 4e15, points: 100 }),
};

const folder = await mkdtemp(join(tmpdir(), 'bench-flood-'));
const capture = join(folder, 'small.pcap');
makeSmallFlows(capture, { seed: 7, flows: 2000 });
const { events, names } = flowsOf(relative(CAPTURES, capture));
const directory = join(folder, 'data');

const failures: string[] = [];
const thread = await startHistory({ directory, hosts: { geoFiles: [], geoOff: true, systemAddresses: [] } }, (text) => failures.push(text));
const { history } = thread;
const words = new SharedArrayBuffer(OUTBOX_WORDS * Int32Array.BYTES_PER_ELEMENT);
const counts = new Int32Array(words);
const outbox = createOutbox(true, words, (batch) => {
  void thread.record(batch, { interface: 'bench', names, live: true }).then(() => Atomics.sub(counts, OUTBOX_UNDER_WAY, 1));
});

let given = 0;
const buffer = new Uint8Array(1 << 16);
const view = new DataView(buffer.buffer);

/** Flows that differ where those of a network do. */
function give(count: number): void {
  const now = Date.now() * 1000;
  for (let i = 0; i < count; i++) {
    const event = events[given % events.length] as Uint8Array;
    buffer.set(event, 0);
    view.setFloat64(E_SEQ, ++given, true);
    view.setFloat64(E_TIME, now, true);
    view.setFloat64(E_RECORD + R_FIRST, now - 10e6, true);
    view.setFloat64(E_RECORD + R_LAST, now - (given % 1000) * 5000, true);
    view.setUint16(E_CLIENT, (given * 7919) % CLIENTS, true);
    view.setUint16(E_CLIENT_PORT, 1024 + ((given * 7919) % 60_000), true);
    outbox.put(buffer, 0, event.length);
  }
}

const lost = (): number => Atomics.load(counts, OUTBOX_LOST) + (thread.losses().find(({ name }) => name === 'history.flows')?.value ?? 0);

let answers: Record<string, number[]> = {};
const asking = new Set<Promise<void>>();
function ask(name: string): void {
  const began = performance.now();
  const answer = (QUESTIONS[name] as (history: History) => Promise<unknown>)(history).then(
    () => void (answers[name] ??= []).push(performance.now() - began),
    (error: Error) => void failures.push(`${name}: ${error.message}`),
  );
  asking.add(answer);
  void answer.finally(() => asking.delete(answer));
}

const at = (times: readonly number[], share: number): string =>
  (times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(0);

async function memoryMiB(): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024;
}

/** Threads by their niceness (proc(5), field 19 of stat). */
async function niceness(): Promise<string> {
  const found = new Map<string, number>();
  for (const id of await readdir('/proc/self/task')) {
    const stat = await readFile(`/proc/self/task/${id}/stat`, 'utf8');
    const name = /\((.*)\)/.exec(stat)?.[1];
    const key = `${name} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]}`;
    found.set(key, (found.get(key) ?? 0) + 1);
  }
  return [...found].map(([key, count]) => `${key} ×${count}`).join(', ');
}

const began = performance.now();
const passed = (): number => (performance.now() - began) / 1000;
let asked = 0;
let told = 1;
let cpu = process.cpuUsage();
let before = { given: 0, lost: 0 };
const memory: number[] = [];
while (passed() < seconds) {
  await pause(TICK_MS);
  const time = bursts > 0 ? Math.floor(passed() / bursts) * bursts : passed();
  give(Math.max(0, Math.round(time * rate) - given));
  outbox.flush();
  while (asked < passed() * questions) ask(Object.keys(QUESTIONS)[asked++ % Object.keys(QUESTIONS).length] as string);
  if (passed() % 1 < TICK_MS / 1000) {
    const of = (name: string, value: number) => ({ name, flows: 1, packets: value, bytes: value });
    const counters = { bytes: given * 100, packets: given * 4, 'flows.created': given };
    const one = { name: 'bench', kind: 'packet', clock: Date.now() * 1000, counters, protocols: [of('DNS', given), of('HTTP', given * 2)] };
    thread.figures({ interfaces: [one] } as never);
  }
  if (passed() < told * TOLD_SECONDS) continue;
  const used = process.cpuUsage(cpu);
  const rows = given - before.given - (lost() - before.lost);
  memory.push(await memoryMiB());
  console.log(
    `${String(told * TOLD_SECONDS).padStart(4)} s  ${given} given, ${lost()} lost, ${Atomics.load(counts, OUTBOX_UNDER_WAY)} batches under way  ` +
      `${((used.user + used.system) / rows).toFixed(1)} µs a row  ${(memory.at(-1) ?? 0).toFixed(0)} MiB  ` +
      Object.entries(answers)
        .map(([name, times]) => `${name} ${at(times, 0.5)}/${at(times, 0.99)} ms`)
        .join('  '),
  );
  if (told === 1) console.log(`niceness of threads: ${await niceness()}`);
  told++;
  cpu = process.cpuUsage();
  before = { given, lost: lost() };
  answers = {};
}
await Promise.all(asking);
await thread.flush();
await history.close();
const losses = lost();
const again = await openDuckHistory({ directory });
const { total } = await again.flows({ filter: '', sort: 'seen.last', descending: true, limit: 1, offset: 0, fields: ['bytes'] });
await again.close();
await rm(folder, { recursive: true });
for (const text of failures) console.log(text);
console.log(`${given} given = ${total} stored + ${losses} lost; memory ${memory.map((each) => each.toFixed(0)).join(', ')} MiB`);
process.exitCode = given === total + losses && failures.length === 0 ? 0 : 1;
