/**
 * Reloads under load: versions of scripts replace each other while events pour in. No event may be lost or seen twice, and memory must not
 * grow.
 *
 *   npm run long:reload                        10,000 reloads
 *   npm run long:reload -- --reloads 500
 *
 * Enters: events of one flow each, numbered, written into the ring of a real script host in its own thread. Leaves: a line for each tenth,
 * and a verdict. The short form is test/scripts/reload-load.test.ts; the figures of the long one stand in docs/reliability.md.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
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
  /** Alerts that the reloaded script, and the one beside it, raised: one per event and script. */
  readonly seen: number;
  readonly seenBeside: number;
  readonly doubled: number;
  /** Versions that raised at least one. */
  readonly versions: number;
  /** Memory of the process at each tenth of the reloads, MiB. */
  readonly memoryMiB: readonly number[];
  readonly lostState: number;
}

/** Events between two reloads. */
const EVENTS = 20;
const EVENTS_A_VISIT = 10;

const scriptOf = (key: string, version: number): FileChange => {
  const source = `local script = { key = "${key}" }
local kept = {}
for i = 1, 500 do kept[i] = "version ${version}, " .. i end
function script.setup() return true end
function script.protocolDetected(info)
  alerts_api.storeFlowAlert(alert_consts.alert_types.flow_misbehaviour, alert_consts.alert_severities.info, { version = ${version}, kept = #kept })
end
return script
`;
  const path = `/scripts/${key}.lua`;
  return { path, version: { file: `${key}.lua`, path, language: 'lua', source: Buffer.from(source), hash: `${key}${version}` } };
};

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
      files: [scriptOf('a', 0), scriptOf('beside', 0)],
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
      hosts.files([scriptOf('a', version)]);
      if (version % 5 === 0) {
        writer.waitUntilRead(); // so that many versions have their turn
        await turn();
      }
      if (version % Math.ceil(reloads / 10) === 0) {
        memoryMiB.push(Math.round(process.memoryUsage.rss() / 2 ** 20));
        onTenth(`${version} reloads, ${seq} events, ${memoryMiB.at(-1)} MiB`);
      }
    }
    writer.close();
    await ended;
    if (errors.length > 0) throw new Error(errors[0]);
    const lines = readFileSync(exportAlerts, 'utf8').split('\n').slice(0, -1);
    const seen = { a: new Set<string>(), beside: new Set<string>() };
    const versions = new Set<number>();
    let doubled = 0;
    for (const line of lines) {
      const alert = JSON.parse(line) as { script: 'a' | 'beside'; info: { version: number }; flow: { 'flow.id': string } };
      const of = seen[alert.script];
      if (of.has(alert.flow['flow.id'])) doubled++;
      of.add(alert.flow['flow.id']);
      if (alert.script === 'a') versions.add(alert.info.version);
    }
    return {
      reloads,
      events: seq,
      seen: seen.a.size,
      seenBeside: seen.beside.size,
      doubled,
      versions: versions.size,
      memoryMiB,
      lostState: hosts.reports().reduce((sum, script) => sum + script.stateLost, 0),
    };
  } finally {
    await hosts?.terminate();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { reloads: { type: 'string', default: '10000' } } });
  const result = await reload(Number(values.reloads), (line) => process.stdout.write(`${line}\n`));
  process.stdout.write(`${JSON.stringify(result)}\n`);
  const fine = result.seen === result.events && result.seenBeside === result.events && result.doubled === 0;
  process.stdout.write(fine ? 'no event lost, none doubled\n' : 'FAILED\n');
  process.exitCode = fine ? 0 : 1;
}
