/**
 * What an event costs that is shown to 1, 5 and 20 scripts that read five fields each, µs of CPU time:
 *
 *   npm run bench:scripts [-- --events 200000 --rounds 5]
 *
 *   lua          the script host, as it runs
 *   lua eager    the same engine, the whole of `info` made for each event
 *   typescript   the script host, as it runs
 *   native       Debian's lua5.4: the same functions over an equal table, made whole for each event (the peer)
 *
 * The four take turns, so that all see the same machine; medians of the rounds. Figures stand in docs/performance.md.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FIELDS, type FieldValue } from '../src/flows/fields.ts';
import { createEventView } from '../src/flows/view.ts';
import { native } from '../src/native.ts';
import { DEFAULT_PREFERENCES } from '../src/preferences.ts';
import { createScriptCache } from '../src/scripts/cache.ts';
import { createScriptHost, type FileChange, type ScriptHost } from '../src/scripts/host.ts';
import type { Language } from '../src/scripts/runtime.ts';
import { event, NAMES } from '../test/support/events.ts';

const { values: options } = parseArgs({
  options: { events: { type: 'string', default: '200000' }, rounds: { type: 'string', default: '5' } },
});
const EVENTS = Number(options.events);
const ROUNDS = Number(options.rounds);
const COUNTS = [1, 5, 20] as const;
const FLOWS = 1024;

/** µs, from design: an event to 1, 5 and 20 Lua scripts; to 5 in TypeScript. */
const TARGETS: Readonly<Record<string, number>> = { 'lua 1': 1.5, 'lua 5': 2.5, 'lua 20': 6, 'typescript 5': 0.5 };

const events = Array.from({ length: FLOWS }, (_, i) =>
  event(
    {
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
    },
    NAMES,
  ),
);
const offsets = events.map((_, i) => events.slice(0, i).reduce((sum, { length }) => sum + length, 0));
const bytes = new Uint8Array(events.reduce((sum, { length }) => sum + length, 0));
for (const [i, each] of events.entries()) bytes.set(each, offsets[i]);

const LUA_BODY = `if info["cli.ip"] == "10.9.9.9" or info["srv.port"] == 1 or info["bytes"] > 1e12 or info["duration"] > 1e9 or info["proto.ndpi"] == "None" then print("never") end`;
const luaScript = (n: number): string => `local script = { key = "s${n}" }
function script.setup() return true end
function script.idle(info) ${LUA_BODY} end
return script
`;
const EAGER = `local script = { key = "eager", prio = 100 }
function script.setup() return true end
function script.idle(info) next(info) end
return script
`;
const tsScript = (n: number): string => `import { defineScript } from 'flowpatrol';
export default defineScript({ key: 's${n}', title: 's${n}', idle(info) {
  if (info['cli.ip'] === '10.9.9.9' || info['srv.port'] === 1 || info.bytes > 1e12 || info.duration > 1e9 || info['proto.ndpi'] === 'None') console.log('never');
} });
`;

const fileOf = (name: string, text: string): FileChange => {
  const language: Language = name.endsWith('.ts') ? 'typescript' : 'lua';
  return { path: `/bench/${name}`, version: { file: name, path: `/bench/${name}`, language, source: Buffer.from(text), hash: name } };
};

const view = createEventView(NAMES);

async function hostWith(files: readonly FileChange[]): Promise<ScriptHost> {
  const host = await createScriptHost({
    directories: [],
    interfaceId: 0,
    interfaceName: 'bench',
    live: false,
    names: NAMES,
    preferences: () => DEFAULT_PREFERENCES,
    cache: createScriptCache({ now: () => 0 }),
    translate: () => undefined,
    sink: {
      alert: () => {},
      print: (script, _, line) => {
        throw new Error(`${script}: ${line}`);
      },
      error: (script, callback, message) => {
        throw new Error(`${script} ${callback}: ${message}`);
      },
      changes: () => {},
      loaded: () => {},
      switched: () => {},
    },
  });
  host.change(files);
  return host;
}

/** @returns µs of CPU per event */
function measure(host: ScriptHost, count: number): number {
  const began = native.threadCpu();
  for (let i = 0; i < count; i++) {
    view.set(bytes, offsets[i & (FLOWS - 1)] as number);
    host.run(view, 'idle');
  }
  return (native.threadCpu() - began) / count;
}

/** The same functions in Debian's Lua; prints µs per event for each number of scripts. */
function nativeProgram(count: number): string {
  const rows: FieldValue[][] = events.map(() => []);
  const entries: string[] = [];
  const quote = (value: FieldValue): string =>
    typeof value === 'string' ? `"${[...value].map((c) => `\\${c.charCodeAt(0).toString().padStart(3, '0')}`).join('')}"` : String(value);
  for (const { key, type, read } of FIELDS) {
    if (type === 'table') continue;
    const found = events.map((each) => {
      view.set(each, 0);
      return read(view);
    });
    if (found.some((value) => value === undefined)) continue;
    entries.push(`["${key}"] = v[${entries.length + 1}]`);
    for (const [i, value] of found.entries()) (rows[i] as FieldValue[]).push(value as FieldValue);
  }
  const scripts = Array.from({ length: 20 }, () => `function(info) ${LUA_BODY} end`);
  return `local rows = { ${rows.map((row) => `{ ${row.map(quote).join(', ')} }`).join(',\n')} }
local function make(v) return { ${entries.join(', ')} } end
local all = { ${scripts.join(',\n')} }
for _, count in ipairs { ${COUNTS.join(', ')} } do
  local began = os.clock()
  for i = 1, ${count} do
    local info = make(rows[i % #rows + 1])
    for k = 1, count do pcall(all[k], info) end
  end
  io.write((os.clock() - began) / ${count} * 1e6, "\\n")
end
`;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

const subjects = new Map<string, ScriptHost>();
for (const count of COUNTS) {
  const lua = Array.from({ length: count }, (_, i) => fileOf(`s${i}.lua`, luaScript(i)));
  subjects.set(`lua ${count}`, await hostWith(lua));
  subjects.set(`lua eager ${count}`, await hostWith([fileOf('eager.lua', EAGER), ...lua]));
  subjects.set(`typescript ${count}`, await hostWith(Array.from({ length: count }, (_, i) => fileOf(`s${i}.ts`, tsScript(i)))));
}
const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-bench-'));
try {
  const program = join(folder, 'native.lua');
  writeFileSync(program, nativeProgram(EVENTS));
  const results = new Map<string, number[]>();
  const add = (name: string, us: number): void => void results.set(name, [...(results.get(name) ?? []), us]);
  for (const host of subjects.values()) measure(host, 20_000);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, host] of subjects) add(name, measure(host, EVENTS));
    const { status, stdout, stderr } = spawnSync('lua5.4', [program], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`lua5.4 failed: ${stderr || 'is it installed? apt-get install lua5.4'}`);
    for (const [i, line] of stdout.trim().split('\n').entries()) add(`native ${COUNTS[i]}`, Number(line));
  }
  console.log(`µs of CPU per event, medians of ${ROUNDS} rounds of ${EVENTS} events (smallest..largest)`);
  for (const kind of ['lua', 'lua eager', 'typescript', 'native']) {
    const cells = COUNTS.map((count) => {
      const times = results.get(`${kind} ${count}`) ?? [];
      const target = TARGETS[`${kind} ${count}`];
      const verdict = target === undefined ? '' : median(times) <= target ? ` ≤ ${target} met` : ` > ${target} NOT MET`;
      return `${count}: ${median(times).toFixed(2)} (${Math.min(...times).toFixed(2)}..${Math.max(...times).toFixed(2)})${verdict}`;
    });
    console.log(`${kind.padEnd(10)}  ${cells.join('   ')}`);
  }
} finally {
  for (const host of subjects.values()) host.close();
  rmSync(folder, { recursive: true, force: true });
}
