/** The lock of the data directory, between real processes. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { lockDataDirectory } from '../../src/cli/data-directory.ts';
import { CommandError } from '../../src/cli/errors.ts';

const scratch = mkdtempSync(join(tmpdir(), 'flowpatrol-lock-'));
after(() => rmSync(scratch, { recursive: true }));

const module = new URL('../../src/cli/data-directory.ts', import.meta.url).href;
const LOCKER = `
import { lockDataDirectory } from ${JSON.stringify(module)};
try {
  const lock = lockDataDirectory(process.argv[1]);
  console.log('locked');
  process.stdin.on('data', () => { lock.release(); process.exit(0); });
} catch (error) {
  console.log(error.exitCode + ' ' + error.message);
  process.exit(3);
}`;

/** A process that tries to lock, and the first line it says. */
async function locker(directory: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', LOCKER, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [said] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, said };
}

const refusal = (directory: string): CommandError => {
  try {
    lockDataDirectory(directory).release();
  } catch (error) {
    assert.ok(error instanceof CommandError, String(error));
    return error;
  }
  assert.fail('it was locked');
};

test('a second process is refused and told who is there; after kill -9 the directory is free', async () => {
  const directory = join(scratch, 'new', 'store');
  const first = await locker(directory);
  assert.equal(first.said, 'locked');

  const second = await locker(directory);
  assert.equal(second.said, `1 the data directory ${directory} is in use by process ${first.child.pid}`);
  assert.match(refusal(directory).hint, /another directory with -d/);

  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  assert.ok(existsSync(join(directory, 'flowpatrol.pid')), 'nobody cleaned up');
  const third = await locker(directory);
  assert.equal(third.said, 'locked');

  third.child.stdin?.write('end\n');
  await once(third.child, 'exit');
  assert.ok(!existsSync(join(directory, 'flowpatrol.pid')));
  lockDataDirectory(directory).release();
});

test('of many processes at once exactly one gets it', async () => {
  const directory = join(scratch, 'race');
  writeStale(directory);
  const all = await Promise.all(Array.from({ length: 4 }, () => locker(directory)));
  assert.equal(all.filter(({ said }) => said === 'locked').length, 1);
  for (const { child } of all) child.kill('SIGKILL');
});

/** As a killed process leaves it: a pid that nobody has. */
function writeStale(directory: string): void {
  lockDataDirectory(directory).release();
  writeFileSync(join(directory, 'flowpatrol.pid'), '4194999\n');
}

test('a file is no data directory', () => {
  const file = join(scratch, 'file');
  writeFileSync(file, '');
  assert.equal(refusal(file).exitCode, 2);
  assert.equal(refusal(join(file, 'below')).exitCode, 2);
});

test('where no directory can be made: said at once, with what to do', () => {
  for (const directory of ['/proc/flowpatrol', '/proc/flowpatrol/below']) {
    const { exitCode, message, hint } = refusal(directory);
    assert.equal(exitCode, 1);
    assert.ok(message.startsWith(`the data directory ${directory} cannot be made: `), message);
    assert.match(hint, /another directory with -d/);
  }
});
