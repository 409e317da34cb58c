/** Captures that are paused, slowed down and asked while they are read: the events stay the same, and questions are answered. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createApi } from '../../src/api/app.ts';
import { SOCKET_USER } from '../../src/api/roles.ts';
import { type Config, DEFAULT_CONFIG } from '../../src/config.ts';
import { createPatrol } from '../../src/patrol.ts';
import type { CaptureSnapshot, Patrol } from '../../src/patrol-types.ts';
import { dependencies } from '../api/support.ts';
import { CAPTURES } from '../support/golden.ts';
import { ethernet, ipv4, pcapFile, udp } from '../support/packets.ts';

const scratch = mkdtempSync(join(tmpdir(), 'flowpatrol-regulated-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const nothing = (): void => {};
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const CAPTURE = join(CAPTURES, 'demo.pcap');
let runs = 0;

function open(config: Partial<Config>): { patrol: Patrol; events: string } {
  const events = join(scratch, `events-${++runs}.jsonl`);
  const whole: Config = { ...DEFAULT_CONFIG, interfaces: [CAPTURE], scripts: false, pcapCallbacks: 'all', exportEvents: events, ...config };
  return { patrol: createPatrol(whole, log, () => 'pcap'), events };
}

const capture = (patrol: Patrol): CaptureSnapshot => patrol.snapshot().interfaces[0]?.capture as CaptureSnapshot;
/** Asks until it is so; what is asked for comes from another thread. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(setImmediate);
}
/** Without what says which run it was. */
const textOf = (file: string): string => {
  const text = readFileSync(file, 'utf8');
  const run = /"flow\.id":"([0-9a-z]+)[-.:]/.exec(text)?.[1];
  return run === undefined ? text : text.replaceAll(run, 'RUN');
};

test('any speed, changes of it and pauses: the same events', async (t) => {
  const fast = open({});
  await fast.patrol.start();
  await fast.patrol.done;
  const expected = textOf(fast.events);
  assert.ok(expected.split('\n').length > 20);

  const paced = open({ speed: 3000 });
  await paced.patrol.start();
  t.after(() => paced.patrol.stop());
  await until(() => (capture(paced.patrol).read ?? 0) > 0);
  assert.equal(paced.patrol.regulate(0, { paused: true }), 'done');
  assert.equal(capture(paced.patrol).paused, true);
  assert.equal(capture(paced.patrol).left, undefined);
  const answers = await paced.patrol.queryFlows({ filter: '', sort: 'bytes', descending: true, limit: 10 });
  assert.equal(answers.length, 1, 'one that is paused answers');
  const position = async (): Promise<number | undefined> => {
    await paced.patrol.queryFlows({ filter: '', sort: 'bytes', descending: true, limit: 10 });
    return paced.patrol.snapshot().interfaces[0]?.position;
  };
  for (let i = 0; i < 5; i++) await position(); // the batch that was under way has passed, and its position is told
  const stands = await position();
  assert.equal(await position(), stands);
  assert.equal(paced.patrol.snapshot().interfaces[0]?.state, 'running');
  paced.patrol.regulate(0, { speed: 100_000, paused: false });
  await paced.patrol.done;
  assert.deepEqual(capture(paced.patrol), { paused: false, speed: 100_000, read: 1, left: 0 });
  assert.equal(textOf(paced.events), expected);
  assert.equal(paced.patrol.regulate(0, { paused: true }), 'over');
  assert.equal(paced.patrol.regulate(7, { paused: true }), 'unknown');
});

test('the programming interface pauses and resumes, and says why it cannot', async () => {
  const { patrol } = open({ speed: 1 });
  await patrol.start();
  await until(() => patrol.snapshot().interfaces[0]?.state === 'running');
  const api = createApi({ ...dependencies({}), snapshot: patrol.snapshot, regulate: patrol.regulate }, () => SOCKET_USER);
  const post = async (id: string, body: object): Promise<{ status: number; body: { capture?: CaptureSnapshot; code?: string } }> => {
    const answer = await api.request(`/api/v1/interfaces/${id}/pace`, { method: 'POST', body: JSON.stringify(body) });
    return { status: answer.status, body: (await answer.json()) as { capture?: CaptureSnapshot; code?: string } };
  };
  const paused = await post('0', { paused: true });
  assert.equal(paused.status, 200);
  assert.equal(paused.body.capture?.paused, true);
  assert.equal(paused.body.capture?.speed, 1);
  assert.equal((await post('9', { paused: true })).body.code, 'unknown-interface');
  assert.equal((await post('0', { speed: -1 })).status, 400);
  assert.equal((await post('0', { speed: 0.0001 })).body.code, 'wrong-value');
  assert.equal((await post('0', { paused: false, speed: 0 })).body.capture?.paused, false);
  await patrol.done;
  assert.equal((await post('0', { paused: true })).body.code, 'wrong-value');
});

test('while a slow script keeps the ring full, and the flows are at their end, questions are answered', async () => {
  const flows = 8000; // one event of each nearly fills the ring; their last ones do
  const visitFlows = 400; // the script is switched off from its next visit on
  const many = join(scratch, 'many.pcap');
  const packets = Array.from({ length: flows }, (_, i) => ({
    time: 1e15 + Math.floor(i / visitFlows) * 5e6 + (i % visitFlows),
    bytes: ethernet({}, ipv4({}, udp({ from: 1024 + i }, 'x'))),
  }));
  writeFileSync(many, pcapFile(packets));
  writeFileSync(
    join(scratch, 'slow.ts'),
    `import { defineScript } from 'flowpatrol';
     let x = 1;
     export default defineScript({
       key: 'slow',
       title: 'Slow until it is switched off',
       protocolDetected(info, flow) {
         for (let i = 0; i < 500000; i++) x = (x * 31 + i) & 0xffff;
         if (x > 70000) flow.alert('x', 'error', {});
       },
     });`,
  );
  const { patrol } = open({
    interfaces: [many],
    scripts: true,
    scriptDirectories: [scratch],
    exportEvents: '/dev/null',
    dpi: false,
    preferences: { flow_max_idle: 3600 },
  });
  const counter = (name: string): number => patrol.snapshot().interfaces[0]?.counters[name] ?? 0;
  await patrol.start();
  await until(() => counter('flows.ended') > 0);
  const [answer] = await patrol.queryFlows({ filter: '', sort: 'bytes', descending: true, limit: 10 });
  assert.ok(answer !== undefined && answer.total > 0 && answer.events.length === 10);
  assert.ok(counter('flows.ended') < flows / 4, 'while it waits for the script, which is far behind');
  patrol.scripts.switch(undefined, 'slow', 'off');
  await patrol.done;
  assert.equal(counter('flows.ended'), flows);
  assert.equal(counter('events.lost'), 0);
  assert.ok((patrol.snapshot().scripts[0]?.stats.protocolDetected?.calls ?? 0) < flows);
});
