import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { type After, createFollower, type Follower, type FollowOptions } from '../../src/ids/follow.ts';

let directory: string;
let path: string;
let lines: string[];
let said: string[];
let tooLong: number;
let followers: Follower[];

/** A timer that only the test runs. */
function manualTimer(): { readonly after: After; readonly due: { ms: number; run: () => void }[] } {
  const due: { ms: number; run: () => void }[] = [];
  return {
    due,
    after: (ms, run) => {
      const timer = { ms, run };
      due.push(timer);
      return () => {
        const at = due.indexOf(timer);
        if (at >= 0) due.splice(at, 1);
      };
    },
  };
}

const follow = (options: Partial<FollowOptions> = {}): Follower => {
  const follower = createFollower({
    path,
    from: 'start',
    maxLine: 64,
    onLine: (line) => lines.push(line),
    onTooLong: () => tooLong++,
    log: { info: (text) => said.push(text), warn: (text) => said.push(text) },
    after: manualTimer().after,
    ...options,
  });
  followers.push(follower);
  return follower;
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'follow-'));
  path = join(directory, 'eve.json');
  lines = [];
  said = [];
  tooLong = 0;
  followers = [];
});

afterEach(async () => {
  await Promise.all(followers.map((follower) => follower.close()));
  rmSync(directory, { recursive: true });
});

test('from the beginning: what is there, then what comes', async () => {
  writeFileSync(path, 'one\ntwo\n');
  const follower = follow();
  await follower.poll();
  assert.deepEqual(lines, ['one', 'two']);
  appendFileSync(path, 'three\n\r\n\nfour\r\n');
  await follower.poll();
  assert.deepEqual(lines, ['one', 'two', 'three', 'four']);
});

test('from the end: only what comes', async () => {
  writeFileSync(path, 'old\n');
  const follower = follow({ from: 'end' });
  await follower.poll();
  appendFileSync(path, 'new\n');
  await follower.poll();
  assert.deepEqual(lines, ['new']);
});

test('from the end, in the middle of a line: its rest is no line', async () => {
  writeFileSync(path, 'old\nunfini');
  const follower = follow({ from: 'end' });
  await follower.poll();
  appendFileSync(path, 'shed\nnew\n');
  await follower.poll();
  assert.deepEqual(lines, ['new']);
});

test('a line that is written in parts is handed out once it is whole', async () => {
  writeFileSync(path, 'fi');
  const follower = follow();
  for (const part of ['r', 'st\nse', 'cond', '\n']) {
    await follower.poll();
    appendFileSync(path, part);
  }
  await follower.poll();
  assert.deepEqual(lines, ['first', 'second']);
});

test('a finished file needs no line end, unless its last record is cut', async () => {
  writeFileSync(path, '{"a":1}\n{"b":2}');
  await follow({ finished: true }).poll();
  assert.deepEqual(lines, ['{"a":1}', '{"b":2}']);
  lines = [];
  writeFileSync(path, '{"a":1}\n{"b":');
  await follow({ finished: true }).poll();
  assert.deepEqual(lines, ['{"a":1}']);
});

test('a file that is not there yet is waited for and said once, then read from its beginning', async () => {
  const follower = follow({ from: 'end' });
  await follower.poll();
  await follower.poll();
  writeFileSync(path, 'one\n');
  await follower.poll();
  assert.deepEqual(lines, ['one']);
  assert.deepEqual(said, [`${path} is not there yet: waiting for it`, `${path} is there now: following it`]);
});

test('neither is a directory needed', async () => {
  path = join(directory, 'later', 'eve.json');
  const follower = follow();
  await follower.poll();
  mkdirSync(join(directory, 'later'));
  writeFileSync(path, 'one\n');
  await follower.poll();
  assert.deepEqual(lines, ['one']);
});

test('what is no file is said', async () => {
  path = directory;
  await follow().poll();
  assert.match(said[0] as string, /is not a regular file/);
});

test('rotation: the old file is read to its end, the new one from its beginning', async () => {
  writeFileSync(path, 'one\n');
  const follower = follow();
  await follower.poll();
  appendFileSync(path, 'two\n');
  renameSync(path, `${path}.1`);
  await follower.poll();
  appendFileSync(`${path}.1`, 'three\n');
  writeFileSync(path, ''); // the new file is there, the writer has not been told yet
  await follower.poll();
  appendFileSync(`${path}.1`, 'four\n');
  appendFileSync(path, 'five\n');
  await follower.poll();
  assert.deepEqual(lines, ['one', 'two', 'three', 'four', 'five']);
  assert.equal(follower.rotations(), 1);
  assert.deepEqual(said, []);
});

test('a file that was deleted and made anew', async () => {
  writeFileSync(path, 'one\n');
  const follower = follow();
  await follower.poll();
  unlinkSync(path);
  await follower.poll();
  writeFileSync(path, 'two\n');
  await follower.poll();
  assert.deepEqual(lines, ['one', 'two']);
});

test('truncation: again from the beginning', async () => {
  writeFileSync(path, 'a long first line\nunfinished');
  const follower = follow();
  await follower.poll();
  truncateSync(path);
  appendFileSync(path, 'two\n');
  await follower.poll();
  assert.deepEqual(lines, ['a long first line', 'unfinished', 'two']);
  assert.equal(follower.truncations(), 1);
});

test('a line that is too long is skipped, however it comes', async () => {
  writeFileSync(path, `${'x'.repeat(64)}\n${'y'.repeat(65)}\nshort\n${'z'.repeat(1000)}`);
  const follower = follow();
  await follower.poll();
  appendFileSync(path, `${'z'.repeat(1000)}\nlast\n`);
  await follower.poll();
  assert.deepEqual(lines, ['x'.repeat(64), 'short', 'last']);
  assert.equal(tooLong, 2);
});

test('looks every second, and soon after the system tells of a change', async () => {
  const { after, due } = manualTimer();
  writeFileSync(path, 'one\n');
  const follower = follow({ after });
  await follower.poll();
  assert.deepEqual(
    due.map(({ ms }) => ms),
    [1000],
  );
  appendFileSync(path, 'two\n');
  while (due[0]?.ms !== 100) await new Promise((resolve) => setImmediate(resolve)); // the system's word comes by the event loop
  assert.equal(due.length, 1);
  due.shift()?.run();
  await follower.poll();
  assert.deepEqual(lines, ['one', 'two']);
});

test('the second alone is enough', async () => {
  const { after, due } = manualTimer();
  path = join(directory, 'later', 'eve.json'); // nothing there that could be watched
  const follower = follow({ after });
  await follower.poll();
  mkdirSync(join(directory, 'later'));
  writeFileSync(path, 'one\n');
  assert.equal(due[0]?.ms, 1000);
  due.shift()?.run();
  await follower.poll();
  assert.deepEqual(lines, ['one']);
});

test('after close nothing is handed out and no timer is left', async () => {
  const { after, due } = manualTimer();
  writeFileSync(path, 'one\n');
  const follower = follow({ after });
  await follower.poll();
  appendFileSync(path, 'two\n');
  await follower.close();
  await follower.poll();
  assert.deepEqual(lines, ['one']);
  assert.deepEqual(due, []);
});

test('no line is lost, doubled or reordered by any sequence of writes, rotations and looks', async () => {
  type Step = { readonly do: 'write' | 'rotate' | 'look'; readonly text: string };
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ do: fc.constant('write' as const), text: fc.stringMatching(/^[a-z\n]{1,40}$/) }),
    fc.record({ do: fc.constantFrom('look' as const, 'rotate' as const), text: fc.constant('') }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      for (const file of [path, `${path}.1`]) if (existsSync(file)) unlinkSync(file);
      lines = [];
      const follower = follow({ maxLine: 2000 });
      let written = '';
      for (const { do: action, text } of steps) {
        if (action === 'write') {
          appendFileSync(path, text);
          written += text;
        } else {
          await follower.poll();
          if (action === 'rotate' && existsSync(path)) {
            // a writer rotates between two records, and there is a look between two rotations
            appendFileSync(path, '\n');
            written += '\n';
            renameSync(path, `${path}.1`);
          }
        }
      }
      await follower.poll();
      await follower.close();
      const whole = written.slice(0, written.lastIndexOf('\n') + 1);
      assert.deepEqual(
        lines,
        whole.split('\n').filter((line) => line !== ''),
      );
    }),
    { numRuns: 150 },
  );
});
