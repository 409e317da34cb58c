/** The control socket and its client: the real ones, in a data directory. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createApi } from '../../src/api/app.ts';
import { ask, NotRunning, Refused } from '../../src/api/client.ts';
import type { FlowList } from '../../src/api/rows.ts';
import { serveControl } from '../../src/api/socket.ts';
import type { Status } from '../../src/api/status.ts';
import { asAdmin, dependencies, flowsOf, queryOver } from './support.ts';

const scratch = mkdtempSync(join(tmpdir(), 'flowpatrol-socket-'));
after(() => rmSync(scratch, { recursive: true }));
const directory = (): string => mkdtempSync(join(scratch, 'd-'));

test('it answers its owner alone, and is gone afterwards', async () => {
  const data = directory();
  await assert.rejects(ask(data, 'GET', '/status'), NotRunning);
  const before = process.umask();
  const control = await serveControl(createApi(dependencies({ directory: data }), asAdmin), data);
  assert.equal(process.umask(), before);
  assert.equal(statSync(join(data, 'control.sock')).mode & 0o777, 0o600);
  assert.equal((await ask<Status>(data, 'GET', '/status')).version, '1.2.3');
  await ask(data, 'PUT', '/preferences/flow_max_idle', { value: 90 });
  assert.equal((await ask<{ value: number }>(data, 'GET', '/preferences/flow_max_idle')).value, 90);
  await assert.rejects(
    ask(data, 'PUT', '/preferences/flow_max_idle', { value: 0 }),
    (error) => error instanceof Refused && error.problem.code === 'wrong-value',
  );
  await control.close();
  assert.ok(!existsSync(join(data, 'control.sock')));
  await assert.rejects(ask(data, 'GET', '/status'), NotRunning);
});

test('flows come through whole, however many', async () => {
  const data = directory();
  const flows = flowsOf('demo.pcap');
  const many = { names: flows.names, events: Array.from({ length: 2000 }, (_, i) => flows.events[i % flows.events.length] as Uint8Array) };
  const control = await serveControl(createApi(dependencies({ queryFlows: queryOver([many]) }), asAdmin), data);
  const list = await ask<FlowList>(data, 'GET', '/flows?limit=2000');
  assert.equal(list.flows.length, 2000);
  await control.close();
});

test('what a killed process left is taken over; one that answers is not', async () => {
  const data = directory();
  const path = join(data, 'control.sock');
  // a process that is killed leaves its socket
  const code = "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";
  spawnSync(process.execPath, ['-e', code, path]);
  assert.ok(existsSync(path));
  await assert.rejects(ask(data, 'GET', '/status'), NotRunning);
  const control = await serveControl(createApi(dependencies(), asAdmin), data);
  await assert.rejects(serveControl(createApi(dependencies(), asAdmin), data), /another process answers at/);
  assert.equal((await ask<Status>(data, 'GET', '/status')).version, '1.2.3');
  await control.close();
});

test('an answer that is under way does not hold up the end, and the query is told', async () => {
  const data = directory();
  const { promise: asked, resolve: begun } = Promise.withResolvers<AbortSignal>();
  const never = createApi(
    dependencies({
      queryFlows: (_, signal) => {
        begun(signal as AbortSignal);
        return new Promise(() => {});
      },
    }),
    asAdmin,
  );
  const control = await serveControl(never, data);
  const asking = ask(data, 'GET', '/flows');
  const signal = await asked;
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
  await Promise.all([control.close(), assert.rejects(asking), aborted]);
});

test('a path that is too long for a socket, and a directory that cannot be written', async () => {
  const long = join(directory(), 'x'.repeat(120));
  mkdirSync(long);
  await assert.rejects(serveControl(createApi(dependencies(), asAdmin), long), /longer than 107 bytes/);
  const file = join(directory(), 'file');
  writeFileSync(file, '');
  await assert.rejects(serveControl(createApi(dependencies(), asAdmin), file), /cannot be made/);
});

test('somebody else answers there, without a word of HTTP', async () => {
  const data = directory();
  const server = createServer((socket) => socket.end('no\r\n\r\n')).listen(join(data, 'control.sock'));
  await assert.rejects(ask(data, 'GET', '/status'));
  server.close();
});
