/** Memory of scripts in TypeScript: the one that keeps more and more is found among the others, and who makes garbage is let alone. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runInContext } from 'node:vm';
import { MEMORY_LIMIT } from '../../../src/scripts/host/limits.ts';
import { closeContext, openContext, weighContexts } from '../../../src/scripts/typescript/contexts.ts';
import { CAPTURES } from '../../support/golden.ts';
import { runCli } from '../../support/run-cli.ts';
import { type Harness, start, TYPICAL, VISIT_TIME } from '../support.ts';

const MIB = 1 << 20;
const SECOND = 1_000_000;

const script = (key: string, state: string, body: string, more = ''): string => `import { defineScript } from 'flowpatrol';
${state}
export default defineScript({ key: '${key}', title: '${key}', ${more} idle(info, flow) { ${body} } });
`;
const GOOD = script('good', 'let n = 0;', 'console.log("good", ++n, info.bytes);');
/** 1 MiB more with each call. */
const KEEPS = script(
  'keeps',
  'const kept: number[][] = [];',
  'kept.push(new Array<number>(1 << 17).fill(1.5)); console.log("kept", kept.length);',
);

/** As worker.ts does it. */
async function events(harness: Harness, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    harness.run('idle', TYPICAL, VISIT_TIME + i * SECOND);
    if (harness.host.overfull()) await harness.host.relieve(harness.view);
  }
}

const goodLines = ({ lines }: Harness): string[] => lines.filter((line) => line.startsWith('good'));
const mostKept = ({ lines }: Harness): number => Math.max(0, ...lines.map((line) => Number(/^kept (\d+)/.exec(line)?.[1] ?? 0)));

test('contexts are weighed one by one: texts, objects, maps and what lies outside of the heap', async () => {
  const contexts = Array.from({ length: 6 }, openContext);
  const fill = (i: number, code: string): void => void runInContext(code, contexts[i] as (typeof contexts)[number]);
  fill(
    1,
    "globalThis.k = []; for (let i = 0; i < 1000; i++) k.push((i + '').padEnd(10000, 'x')); k.forEach((text) => text.charCodeAt(3));",
  );
  fill(2, 'globalThis.k = []; for (let i = 0; i < 50000; i++) k.push({ a: i, b: [i] });');
  fill(3, 'globalThis.k = new Float64Array(1e6);');
  fill(4, 'globalThis.k = new Map(); for (let i = 0; i < 100000; i++) k.set(i, i + 0.5);');
  closeContext(contexts[0] as (typeof contexts)[number]);
  const weights = await weighContexts();
  assert.ok(weights !== undefined);
  const sizes = contexts.map((context) => (weights.get(context) ?? 0) / MIB);
  for (const context of contexts) closeContext(context);
  assert.equal(sizes[0], 0); // it was closed, and somebody holds it still
  for (const [i, least, most] of [
    [1, 9, 13],
    [2, 3, 8],
    [3, 7, 9],
    [4, 3, 12],
    [5, 0, 0.5],
  ] as const) {
    assert.ok((sizes[i] as number) >= least && (sizes[i] as number) <= most, `${i}: ${sizes}`);
  }
});

test('the script that keeps 1 MiB more with each call is switched off at the limit and loses it; the good one misses nothing', async (t) => {
  const harness = await start(t, { 'good.ts': GOOD, 'keeps.ts': KEEPS }, { live: true });
  await events(harness, 100);
  assert.equal(goodLines(harness).length, 100);
  assert.equal(goodLines(harness).at(-1), `good 100 ${TYPICAL.bytes}`);
  const kept = mostKept(harness);
  assert.ok(kept * MIB > MEMORY_LIMIT * 0.75 && kept * MIB < MEMORY_LIMIT * 1.5, `${kept} MiB`);
  assert.match(harness.switched[0] ?? '', /^keeps off: the scripts hold more than 64 MiB of memory, and it grew most; it is off until /);
  const report = harness.reports().find(({ key }) => key === 'keeps');
  assert.equal(report?.stats.idle?.failed.memory, 1);
  assert.equal(report?.state, 'broken');
});

test('what grew counts, not what is large; it is found among many, and through typed arrays', async (t) => {
  const large = script('large', 'const kept = new Uint8Array(40 << 20).fill(1);', 'console.log(kept.length);');
  const typed = script(
    'typed',
    'const kept: Uint8Array[] = [];',
    'kept.push(new Uint8Array(1 << 20).fill(1)); console.log("kept", kept.length);',
  );
  const many = Object.fromEntries(
    Array.from({ length: 8 }, (_, i) => [`small${i}.ts`, script(`small${i}`, 'const a = new Array(1000).fill(1);', 'a[0]++;')]),
  );
  const harness = await start(t, { ...many, 'large.ts': large, 'typed.ts': typed, 'good.ts': GOOD }, { live: true });
  await events(harness, 60);
  assert.deepEqual(
    harness.switched.map((line) => line.split(' ')[0]),
    ['typed'],
  );
  assert.ok(mostKept(harness) < 40, `${mostKept(harness)} MiB`);
  assert.equal(goodLines(harness).length, 60);
});

test('a script that makes much garbage and keeps nothing runs on', async (t) => {
  const arrays =
    'const a: unknown[] = []; for (let i = 0; i < 20; i++) a.push(new Array(20000).fill(info.bytes + i)); flow.setScore(a.length);';
  const bytes = 'const a = new Uint8Array(1 << 20).fill(1); flow.setScore(a[5] as number);';
  const harness = await start(
    t,
    { 'good.ts': GOOD, 'arrays.ts': script('arrays', '', arrays), 'bytes.ts': script('bytes', '', bytes) },
    { live: true },
  );
  await events(harness, 200); // 640 MB of arrays, 200 MB of bytes
  assert.deepEqual(harness.switched, []);
  assert.equal(goodLines(harness).length, 200);
});

test('in a run: the log and an alert say that it was switched off, and the good script sees every event', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-memory-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const text = (key: string, state: string, body: string): string => `import { defineScript } from 'flowpatrol';
${state}
export default defineScript({ key: '${key}', title: '${key}', protocolDetected(_info, flow) { ${body} } });
`;
  writeFileSync(join(folder, 'good.ts'), text('good', '', "flow.alert('flow_misbehaviour', 'info');"));
  writeFileSync(
    join(folder, 'keeps.ts'),
    text('keeps', 'const kept: number[][] = [];', 'kept.push(new Array<number>(1 << 18).fill(1.5));'),
  );
  const alerts = join(folder, 'alerts.jsonl');
  const args = ['--shutdown-when-done', '--log-level', 'debug', '--scripts-dir', folder, '--export-alerts', alerts];
  const { status, stderr } = runCli(['-i', `${CAPTURES}demo.pcap`, ...args]);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /the script was switched off: the scripts hold more than 64 MiB of memory, and it grew most/);
  const raised = readFileSync(alerts, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { script: string; info?: { switched_off?: string } });
  const due = Number(/"callbacks\.protocolDetected":(\d+)/.exec(stderr)?.[1]);
  assert.ok(due > 100, stderr);
  assert.equal(raised.filter((alert) => alert.script === 'good').length, due);
  assert.match(raised.find((alert) => alert.script === 'keeps')?.info?.switched_off ?? '', /hold more than 64 MiB/);
});
