import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { describe } from 'node:test';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../bin/flowpatrol', import.meta.url));
const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

/** How a Node starts the launcher: newer ones become the program, older ones (here: one without `execve`) start it as a child. */
const WAYS = [
  { way: 'becoming the program', flags: [] },
  { way: 'starting the program', flags: ['--import', 'data:text/javascript,delete process.execve'] },
] as const;

/** A capture without packets, in libpcap's format: magic, version 2.4, zone, accuracy, snap length, Ethernet. */
const EMPTY_CAPTURE = Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex');

/** A packet record: time 0, 60 bytes of 60, all zero. */
const NO_IP = Buffer.concat([Buffer.from('00000000000000003c0000003c000000', 'hex'), Buffer.alloc(60)]);

for (const { way, flags } of WAYS) {
  describe(`bin/flowpatrol, ${way}`, () => {
    const run = (args: readonly string[], input?: Buffer) =>
      spawnSync(process.execPath, [...flags, launcher, ...args], { encoding: 'utf8', ...(input && { input }) });

    test('hands over arguments, streams and exit code', () => {
      for (const args of [['help'], ['version'], ['--no-such-option']]) {
        const direct = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
        const launched = run(args);
        assert.deepEqual([launched.status, launched.stdout], [direct.status, direct.stdout], args.join(' '));
      }
      assert.notEqual(run(['--no-such-option']).status, 0);
    });

    test('hands over standard input, and keeps standard output clean', () => {
      const launched = run(['-i', '-', '--no-scripts', '--export-flows', '-', '--shutdown-when-done'], EMPTY_CAPTURE);
      assert.deepEqual([launched.status, launched.stdout], [0, ''], launched.stderr);
    });

    test('works through a link, as npm makes it', (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'launcher-'));
      t.after(() => rmSync(folder, { recursive: true }));
      const link = join(folder, 'flowpatrol');
      symlinkSync(launcher, link);
      const launched = spawnSync(process.execPath, [...flags, link, '--help'], { encoding: 'utf8' });
      assert.equal(launched.status, 0, launched.stderr);
      assert.match(launched.stdout, /flowpatrol/);
    });

    /** The launcher with a capture that does not end, once the program reads it: more than a pipe holds was taken. */
    const reading = async () => {
      const child = spawn(process.execPath, [...flags, launcher, '-i', '-', '--no-scripts'], { stdio: ['pipe', 'ignore', 'pipe'] });
      let errors = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        errors += text;
      });
      child.stdin.on('error', () => {}); // the program may end before it has read everything
      child.stdin.write(EMPTY_CAPTURE);
      if (!child.stdin.write(Buffer.concat(new Array<Buffer>(20_000).fill(NO_IP)))) await once(child.stdin, 'drain');
      return { child, errors: () => errors };
    };

    test('passes a signal on', async () => {
      const { child, errors } = await reading();
      child.kill('SIGTERM');
      child.stdin.end();
      assert.deepEqual(await once(child, 'close'), [0, null], errors());
      assert.match(errors(), /stopping/);
    });

    test('ends of the signal that the program ends of, and leaves nothing behind', async () => {
      const { child } = await reading();
      child.kill('SIGHUP');
      // `close` comes when no process has the other end of standard error any more.
      assert.deepEqual(await once(child, 'close'), [null, 'SIGHUP']);
    });
  });
}

test('npm starts the same program', () => {
  const { bin, scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    bin: Record<string, string>;
    scripts: Record<string, string>;
  };
  assert.deepEqual(bin, { flowpatrol: 'bin/flowpatrol' });
  assert.equal(scripts.start, 'node bin/flowpatrol');
});
