/**
 * Reloads under load: versions of scripts, one in each language, replace each other while events pour in. No event may be lost or seen
 * twice, and memory must not grow: what the thread of the host holds after a collection of garbage is the same as after a tenth of the
 * reloads (in a process of its own: looking costs memory), and the memory of the process is at most {@link MOST_GROWTH} of that at a tenth.
 *
 *   npm run long:reload                        10,000 reloads
 *   npm run long:reload -- --reloads 500
 *
 * Enters: events of one flow each, numbered, written into the ring of a real script host in its own thread. Leaves: a line for each tenth,
 * and a verdict. The short form is test/scripts/reload-load.test.ts; the figures of the long one stand in docs/reliability.md.
 */
import { spawnSync } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import { createOutputLock } from '../../src/exports/lines.ts';
import { CALLBACK_BIT, E_CALLBACKS, E_SEQ, E_VISIT } from '../../src/flows/event.ts';
import { createRingBuffer, createRingWriter } from '../../src/flows/ring.ts';
import { CONTROL_WORDS } from '../../src/interfaces/protocol.ts';
import { DEFAULT_PREFERENCES } from '../../src/preferences.ts';
import type { FileChange } from '../../src/scripts/host.ts';
import { type ScriptHosts, startHosts } from '../../src/scripts/hosts.ts';
import { event, NAMES } from '../support/events.ts';

export interface ReloadResult {
  readonly reloads: number;
  readonly events: number;
  /** Events for which the reloaded scripts, and the one beside them, raised an alert. */
  readonly seen: Readonly<Record<Key, number>>;
  readonly doubled: number;
  /** Versions that raised at least one. */
  readonly versions: number;
  /** Memory of the process at each tenth of the reloads, MiB. */
  readonly memoryMiB: readonly number[];
  /** What the host's thread holds at the end, after a collection of garbage, MiB. */
  readonly heapMiB: number;
  readonly lostState: number;
}

/** Memory of the process at the end, over that at the first tenth. */
const MOST_GROWTH = 1.15;
/** What the heap may differ by after collections: compiled code is thrown away and made anew as V8 sees fit. */
const HEAP_MIB = 1.5;
/** Events between two reloads. */
const EVENTS = 20;
const EVENTS_A_VISIT = 10;

type Key = 'lua' | 'typescript' | 'beside';

const LUA = (key: string, version: number): string => `local script = { key = "${key}" }
local kept = {}
for i = 1, 500 do kept[i] = "version ${version}, " .. i end
function script.setup() return true end
function script.protocolDetected(info)
  alerts_api.storeFlowAlert(alert_consts.alert_types.flow_misbehaviour, alert_consts.alert_severities.info, { version = ${version}, kept = #kept })
end
return script
`;
const TYPESCRIPT = (key: string, version: number): string => `import { defineScript } from 'flowpatrol';
const kept: string[] = [];
for (let i = 0; i < 500; i++) kept.push('version ${version}, ' + i);
export default defineScript({ key: '${key}', title: '${key}', protocolDetected(_info, flow) {
  flow.alert('flow_misbehaviour', 'info', { version: ${version}, kept: kept.length });
} });
`;

const scriptOf = (key: Key, version: number): FileChange => {
  const language = key === 'typescript' ? 'typescript' : 'lua';
  const source = (key === 'typescript' ? TYPESCRIPT : LUA)(key, version);
  const file = `${key}.${key === 'typescript' ? 'ts' : 'lua'}`;
  const path = `/scripts/${file}`;
  return { path, version: { file, path, language, source: Buffer.from(source), hash: `${key}${version}` } };
};

const mib = (bytes: number): number => Math.round((bytes / 2 ** 20) * 10) / 10;

const workers = new Set<Worker>();
process.on('worker', (worker) => {
  workers.add(worker);
  worker.once('exit', () => workers.delete(worker));
});

const usedBy = async (worker: Worker): Promise<number> => (await worker.getHeapStatistics()).used_heap_size;

/** Bytes of the host's heap that are no garbage: a snapshot begins with a collection. The host is the thread that has most; others wait. */
async function heapOfHost(): Promise<number> {
  const awake = setInterval(() => {}, 1000); // for threads that wait keep no process alive
  const used = await Promise.all([...workers].map(async (worker) => ({ worker, bytes: await usedBy(worker) })));
  const { worker } = used.reduce((a, b) => (a.bytes > b.bytes ? a : b));
  for await (const _ of await worker.getHeapSnapshot());
  const bytes = await usedBy(worker);
  clearInterval(awake);
  return bytes;
}

export async function reload(reloads: number, onTenth: (line: string) => void = () => {}): Promise<ReloadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-reload-'));
  const exportAlerts = join(folder, 'alerts.jsonl');
  const ring = createRingBuffer();
  const writer = createRingWriter(ring);
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  let hosts: ScriptHosts | undefined;
  const memoryMiB: number[] = [];
  try {
    const errors: string[] = [];
    hosts = startHosts({
      id: 0,
      name: 'eth0',
      live: true,
      config: { ...DEFAULT_CONFIG, exportAlerts, scriptDirectories: [folder] },
      names: NAMES,
      ring,
      control: new SharedArrayBuffer(CONTROL_WORDS * 4),
      hosts: { geoFiles: [], systemAddresses: [] },
      outputLock: createOutputLock(),
      log: { debug() {}, info() {}, warn: (_, text) => errors.push(text), error: (_, text) => errors.push(text) },
      preferences: () => DEFAULT_PREFERENCES,
      files: [scriptOf('lua', 0), scriptOf('typescript', 0), scriptOf('beside', 0)],
      switches: new Map(),
      cache: () => [],
      traceFilter: () => '',
      attach: () => [new MessageChannel().port1 as never],
      lockHolder: (place) => place + 1,
      on: { message() {}, failed: (error) => reject(new Error(error)), ended: resolve },
    });
    while (hosts.report() === undefined) await turn();
    let seq = 0;
    for (let version = 1; version <= reloads; version++) {
      for (let i = 0; i < EVENTS; i++) {
        const bytes = event({ client: '10.0.0.1', server: '192.0.2.1', clientPort: 1, l4: 6, seq: ++seq }, NAMES);
        bytes[E_CALLBACKS] = CALLBACK_BIT.protocolDetected;
        const data = new DataView(bytes.buffer, bytes.byteOffset);
        data.setUint32(E_VISIT, Math.floor(seq / EVENTS_A_VISIT), true);
        data.setFloat64(E_SEQ, seq, true);
        let at = writer.reserve(bytes.length);
        while (at < 0) {
          await turn(); // what the host has to say is taken meanwhile
          at = writer.reserve(bytes.length);
        }
        writer.bytes.set(bytes, at);
        writer.commit(bytes.length);
      }
      hosts.files([scriptOf('lua', version), scriptOf('typescript', version)]);
      if (version % 5 === 0) {
        writer.waitUntilRead(); // so that many versions have their turn
        await turn();
      }
      if (version % Math.ceil(reloads / 10) === 0) {
        memoryMiB.push(Math.round(process.memoryUsage.rss() / 2 ** 20));
        onTenth(`${version} reloads, ${seq} events, ${memoryMiB.at(-1)} MiB`);
      }
    }
    writer.waitUntilRead();
    const heapMiB = mib(await heapOfHost());
    writer.close();
    await ended;
    if (errors.length > 0) throw new Error(errors[0]);
    const seen = { lua: new Set<string>(), typescript: new Set<string>(), beside: new Set<string>() };
    const versions = new Set<string>();
    let doubled = 0;
    for await (const line of createInterface(createReadStream(exportAlerts))) {
      const alert = JSON.parse(line) as { script: Key; info: { version: number }; flow: { 'flow.id': string } };
      const of = seen[alert.script];
      if (of.has(alert.flow['flow.id'])) doubled++;
      of.add(alert.flow['flow.id']);
      if (alert.script !== 'beside') versions.add(`${alert.script} ${alert.info.version}`);
    }
    return {
      reloads,
      events: seq,
      seen: { lua: seen.lua.size, typescript: seen.typescript.size, beside: seen.beside.size },
      doubled,
      versions: versions.size,
      memoryMiB,
      heapMiB,
      lostState: hosts.reports().reduce((sum, script) => sum + script.stateLost, 0),
    };
  } finally {
    await hosts?.terminate();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What is wrong with a result, in words; nothing where it is fine. @param tenth that of a tenth of the reloads */
export function faultsOf({ events, seen, doubled, lostState, heapMiB }: ReloadResult, tenth: ReloadResult): string[] {
  return [
    ...Object.entries(seen)
      .filter(([, count]) => count !== events)
      .map(([key, count]) => `${key} has seen ${count} of ${events} events`),
    ...(doubled === 0 ? [] : [`${doubled} alerts came twice`]),
    ...(lostState === 0 ? [] : [`${lostState} scripts lost their state`]),
    ...(heapMiB - tenth.heapMiB <= HEAP_MIB ? [] : [`the heap of the thread has grown from ${tenth.heapMiB} to ${heapMiB} MiB`]),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { reloads: { type: 'string', default: '10000' }, tenth: { type: 'boolean', default: false } } });
  const reloads = Number(values.reloads);
  if (values.tenth) {
    process.stdout.write(JSON.stringify(await reload(Math.ceil(reloads / 10))));
  } else {
    const began = performance.now();
    const result = await reload(reloads, (line) => process.stdout.write(`${line}\n`));
    const { stdout } = spawnSync(process.execPath, [...process.argv.slice(1), '--tenth'], { encoding: 'utf8' });
    const tenth = JSON.parse(stdout) as ReloadResult;
    process.stdout.write(`${JSON.stringify(result)}\n${Math.round((performance.now() - began) / 1000)} s\n`);
    const [first = 0] = result.memoryMiB;
    const last = result.memoryMiB.at(-1) ?? 0;
    const faults = faultsOf(result, tenth);
    if (last > first * MOST_GROWTH) faults.push(`the process has grown from ${first} to ${last} MiB`);
    for (const fault of faults) process.stdout.write(`FAILED: ${fault}\n`);
    if (faults.length === 0)
      process.stdout.write(`no event lost, none doubled, no memory kept (heap ${tenth.heapMiB}, ${result.heapMiB} MiB)\n`);
    process.exitCode = faults.length === 0 ? 0 : 1;
  }
}
