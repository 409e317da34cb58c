/**
 * µs of CPU per event of TypeScript scripts that read 5 fields each:
 *
 *   node bench/typescript-scripts.ts [EVENTS]
 *
 * `by name`: the callback reads `info.bytes` and the like and does nothing else with `info`; `as a whole`: it hands it to a function.
 */
import { createEventView } from '../src/flows/view.ts';
import { EMPTY_BOOK } from '../src/hosts/book.ts';
import { DEFAULT_PREFERENCES } from '../src/preferences.ts';
import { createScriptCache } from '../src/scripts/cache.ts';
import { createEffects } from '../src/scripts/effects.ts';
import { createTypeScriptRuntime } from '../src/scripts/typescript/runtime.ts';
import { event, NAMES } from '../test/support/events.ts';

const EVENTS = Number(process.argv[2] ?? 1_000_000);
const FLOWS = 1024;
const ROUNDS = 5;

const READ =
  "info['cli.ip'] === '10.9.9.9' || info['srv.port'] === 1 || info.bytes > 1e12 || info.duration > 1e9 || info['proto.ndpi'] === 'None'";
const SCRIPTS = {
  'by name': (n: number) => `import { defineScript } from 'flowpatrol';
export default defineScript({ key: 's${n}', idle(info, flow) { if (${READ}) flow.setStatus('blacklisted'); } });`,
  'as a whole': (n: number) => `import { defineScript, type Info } from 'flowpatrol';
const matches = (info: Info): boolean => ${READ};
export default defineScript({ key: 's${n}', idle(info, flow) { if (matches(info)) flow.setStatus('blacklisted'); } });`,
};

const events = Array.from({ length: FLOWS }, (_, i) =>
  event({
    seq: i + 1,
    client: `10.0.${i >> 8}.${i & 255}`,
    server: '192.0.2.7',
    clientPort: 40_000 + i,
    serverPort: 443,
    l4: 6,
    first: 1e15,
    last: 1e15 + i * 1e6,
    application: 'TLS',
    cli2srv: { lengths: [60, 1500, 60 + (i & 255)] },
    details: { host_server_name: 'www.example.org' },
  }),
);

// one after the other, as in the ring
const offsets = events.map((_, i) => events.slice(0, i).reduce((sum, { length }) => sum + length, 0));
const bytes = new Uint8Array(events.reduce((sum, { length }) => sum + length, 0));
events.forEach((each, i) => {
  bytes.set(each, offsets[i]);
});

function measure(kind: keyof typeof SCRIPTS, scripts: number): number {
  const effects = createEffects();
  const runtime = createTypeScriptRuntime({
    interfaceId: 0,
    interfaceName: 'bench',
    live: false,
    seed: 0,
    names: NAMES,
    hosts: EMPTY_BOOK,
    effects,
    cache: createScriptCache({ now: () => 0 }),
    translate: () => undefined,
    running: new Int32Array(1),
    preferences: () => DEFAULT_PREFERENCES,
    directories: [],
  });
  const numbers = Array.from({ length: scripts }, (_, i) => i + 1);
  for (const number of numbers) {
    const source = new TextEncoder().encode(SCRIPTS[kind](number));
    runtime.load(number, { file: `s${number}.ts`, path: `/s${number}.ts`, language: 'typescript', source, hash: '' });
  }
  runtime.arrange('idle', numbers);
  const view = createEventView(NAMES);
  const observer = { failed: (_: number, __: string, message: string) => console.error(message), took() {}, grew() {} };
  const run = (count: number): void => {
    for (let i = 0; i < count; i++) {
      view.set(bytes, offsets[i & (FLOWS - 1)] as number);
      runtime.run({ view, callback: 'idle', chosen: undefined, timed: (i & 15) === 0 }, observer);
    }
  };
  run(50_000);
  const times = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    run(EVENTS / ROUNDS);
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * ROUNDS) / EVENTS;
  });
  runtime.close();
  return times.sort((a, b) => a - b)[ROUNDS >> 1] as number;
}

for (const kind of Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[]) {
  const figures = [1, 5, 20].map((scripts) => `${scripts}: ${measure(kind, scripts).toFixed(3)}`);
  console.log(`${kind.padEnd(10)}  ${figures.join('  ')} µs`);
}
