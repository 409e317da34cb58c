/** The web interface of the real program: first start, passwords, uploads, what is there after a restart, how it ends. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { ask as askSocket } from '../../src/api/client.ts';
import { CLI } from '../support/run-cli.ts';

const CAPTURES = resolve(import.meta.dirname, '../captures');
const scratch = mkdtempSync(join(tmpdir(), 'flowpatrol-web-'));
after(() => rmSync(scratch, { recursive: true }));

/** Listens nowhere else. */
async function listener(): Promise<Server & { readonly port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(server, { port: (server.address() as { port: number }).port });
}

async function freePort(): Promise<number> {
  const server = await listener();
  server.close();
  await once(server, 'close');
  return server.port;
}

interface Run {
  readonly child: ChildProcess;
  readonly port: number;
  /** Standard error so far. */
  said(): string;
  /** Waits until it has said this. */
  says(expected: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<number | null>;
}

async function start(t: TestContext, ...args: string[]): Promise<Run> {
  const port = await freePort();
  const child = spawn(process.execPath, [CLI, ...args, '-w', String(port)], { cwd: scratch, stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => (text += part));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    child,
    port,
    said: () => text,
    async says(expected) {
      for (;;) {
        const found = expected.exec(text);
        if (found !== null) return found;
        const over = await Promise.race([once(child.stderr as NodeJS.ReadableStream, 'data').then(() => false), ended.then(() => true)]);
        if (over && !expected.test(text)) throw new Error(`it ended without saying ${expected}:\n${text}`);
      }
    },
    ended,
  };
}

interface Visitor {
  get<T>(path: string): Promise<T>;
  send(method: string, path: string, body: RequestInit['body']): Promise<Response>;
  /** Asks until the answer is as wanted. */
  until<T>(path: string, wanted: (value: T) => boolean): Promise<T>;
}

async function visit({ port }: Run, password: string, name = 'admin'): Promise<Visitor> {
  const api = `http://127.0.0.1:${port}/api/v1`;
  const login = await fetch(`${api}/session`, { method: 'POST', body: JSON.stringify({ name, password }) });
  assert.equal(login.status, 200, await login.clone().text());
  const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const { csrf } = (await login.json()) as { csrf: string };
  const get = async <T>(path: string): Promise<T> => {
    const answer = await fetch(api + path, { headers: { cookie } });
    assert.equal(answer.status, 200, `${path}: ${await answer.clone().text()}`);
    return (await answer.json()) as T;
  };
  return {
    get,
    send: (method, path, body) =>
      fetch(api + path, { method, body, duplex: 'half', headers: { cookie, 'x-csrf-token': csrf } } as RequestInit),
    async until<T>(path: string, wanted: (value: T) => boolean): Promise<T> {
      for (;;) {
        const value = await get<T>(path);
        if (wanted(value)) return value;
      }
    },
  };
}

interface Uploads {
  readonly uploads: {
    readonly id: string;
    readonly interface: string;
    readonly state: string;
    readonly error?: string;
    readonly from?: number;
  }[];
}

test('the first start: the demo is played, an address, a password that lets in, and it stays until it is told', async (t) => {
  const run = await start(t);
  const [, password = ''] = await run.says(/user admin, password (\S+) /);
  assert.match(run.said(), /^Web interface: http:\/\/127\.0\.0\.1:\d+\/$/m);
  await run.says(/Without -d DIR everything is in memory/);
  await run.says(/All captures are read/);
  const admin = await visit(run, password);
  const { interfaces } = await admin.get<{ interfaces: { state: string; flows: number }[] }>('/status');
  assert.deepEqual(
    interfaces.map(({ state }) => state),
    Array.from({ length: 5 }, () => 'ended'),
  );
  // what was found is in the history, in memory
  const { total } = await admin.until<{ total: number }>(
    '/history/flows?limit=1',
    (found) => found.total === interfaces.reduce((sum, of) => sum + of.flows, 0),
  );
  assert.ok(total > 100);
  assert.ok((await admin.get<{ total: number }>('/alerts')).total > 0);
  run.child.kill('SIGINT');
  assert.equal(await run.ended, 0, run.said());
  assert.match(run.said(), /^Losses: nothing lost$/m);
});

describe('uploads', () => {
  test('a capture becomes an interface of its own: packet time, all callbacks, flows and alerts in the history', async (t) => {
    const run = await start(t, '-i', join(CAPTURES, 'irc.pcap'), '-d', join(scratch, 'uploads'));
    const [, password = ''] = await run.says(/user admin, password (\S+) /);
    await run.says(/All captures are read/);
    const admin = await visit(run, password);
    const first = await admin.send(
      'POST',
      '/uploads?name=../../etc/old%20capture.pcap',
      new Uint8Array(readFileSync(join(CAPTURES, 'demo.pcap'))),
    );
    assert.equal(first.status, 202, await first.clone().text());
    const second = await admin.send('POST', '/uploads?name=text.pcap', 'this is no capture at all, only some text');
    assert.equal(second.status, 202);
    const { uploads } = await admin.until<Uploads>('/uploads', (now) =>
      now.uploads.every(({ state }) => state === 'done' || state === 'failed'),
    );
    assert.deepEqual(
      uploads.map(({ interface: name, state }) => [name, state]),
      [
        ['old capture.pcap', 'done'],
        ['text.pcap', 'failed'],
      ],
    );
    const [demo, text] = uploads;
    assert.ok(demo !== undefined && text !== undefined);
    assert.ok((demo.from ?? 0) > 1.12e15 && (demo.from ?? 0) < 1.121e15, String(demo.from)); // 2005
    assert.match(text.error ?? '', /no capture/);
    assert.ok(!(text.error ?? '').includes(scratch));

    const { interfaces } = await admin.get<{ interfaces: { name: string; counters: Record<string, number> }[] }>('/interfaces');
    const counters = interfaces.find(({ name }) => name === 'old capture.pcap')?.counters ?? {};
    const flows = await admin.until<{ total: number; flows: { interface: string; ended: boolean }[] }>(
      '/history/flows?limit=1000',
      (found) => found.flows.filter(({ interface: name }) => name === 'old capture.pcap').length === counters['flows.created'],
    );
    assert.ok(flows.flows.every(({ ended }) => ended));
    const { scripts } = await admin.get<{ scripts: { interface: string; key: string; stats: Record<string, { calls: number }> }[] }>(
      '/scripts',
    );
    const idle = scripts.filter(({ interface: name }) => name === 'old capture.pcap').map(({ stats }) => stats.idle?.calls ?? 0);
    assert.ok(Math.max(...idle) === counters['flows.created'], 'all callbacks are called');
    const { alerts } = await admin.get<{ alerts: { interface: string; time: number }[] }>('/alerts?limit=1000');
    assert.ok(alerts.some(({ interface: name, time }) => name === 'old capture.pcap' && time < 1.2e15));

    // taken away: the interface goes, the history stays
    assert.equal((await admin.send('DELETE', `/uploads/${demo.id}`, '')).status, 200);
    await admin.until<{ interfaces: { name: string }[] }>('/status', (now) =>
      now.interfaces.every(({ name }) => name !== 'old capture.pcap'),
    );
    assert.equal((await admin.get<{ total: number }>('/history/flows?limit=1')).total, flows.total);
    assert.equal((await admin.send('DELETE', `/uploads/${demo.id}`, '')).status, 404);
    run.child.kill('SIGTERM');
    assert.equal(await run.ended, 0, run.said()); // what was uploaded and is no capture is no mistake of the run
    assert.ok(!existsSync(join(scratch, 'uploads', 'uploads')));
  });

  test('too large is refused, whether it is said beforehand or not', async (t) => {
    const run = await start(t, '-i', join(CAPTURES, 'irc.pcap'), '--upload-limit', '1M');
    const [, password = ''] = await run.says(/user admin, password (\S+) /);
    const admin = await visit(run, password);
    assert.equal((await admin.send('POST', '/uploads', new Uint8Array(1_100_000))).status, 413);
    let sent = 0;
    const endless = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(300_000));
        sent += 300_000;
      },
    });
    const refused = await admin.send('POST', '/uploads', endless).catch((error: Error) => error); // it may be cut off
    assert.ok(refused instanceof Error || refused.status === 413);
    assert.ok(sent > 1_000_000 && sent < 100_000_000, String(sent));
    assert.deepEqual((await admin.get<Uploads>('/uploads')).uploads, []);
  });
});

test('a script is tried on a capture: what it would raise, and nothing of it is kept', async (t) => {
  const run = await start(t, '-i', join(CAPTURES, 'irc.pcap'));
  const [, password = ''] = await run.says(/user admin, password (\S+) /);
  await run.says(/All captures are read/);
  const admin = await visit(run, password);
  const before = await admin.get<{ total: number }>('/alerts');
  const capture = new Uint8Array(readFileSync(join(CAPTURES, 'retransmissions.pcap')));
  const answer = await admin.send('POST', '/scripts/bad_line/test?name=demo.pcap', capture);
  assert.equal(answer.status, 200, await answer.clone().text());
  const { alerts, raised, flows, stats } = (await answer.json()) as {
    alerts: { script: string; title: string; flow: Record<string, unknown> }[];
    raised: number;
    flows: number;
    stats: Record<string, { calls: number }>;
  };
  assert.ok(raised > 0 && alerts.length === raised, String(raised));
  assert.ok(alerts.every(({ script, title, flow }) => script === 'bad_line' && title !== '' && flow['cli.ip'] !== undefined));
  assert.ok((stats.statusChanged?.calls ?? 0) > 0 && flows === 1);
  const broken = await admin.send('POST', '/scripts/bad_line/test', 'no capture');
  assert.match(((await broken.json()) as { error: string }).error, /no capture/);
  assert.equal((await admin.send('POST', '/scripts/nothing/test', 'x')).status, 404);
  assert.equal((await admin.get<{ total: number }>('/alerts')).total, before.total);
});

test('a second start: users, sessions, history and alerts are there; the password file has the last word', async (t) => {
  const data = join(scratch, 'kept');
  const args = ['-i', join(CAPTURES, 'demo.pcap'), '--pcap-callbacks', 'all', '-d', data];
  const first = await start(t, ...args);
  const [, password = ''] = await first.says(/user admin, password (\S+) /);
  await first.says(/All captures are read/);
  const admin = await visit(first, password);
  const { total } = await admin.until<{ total: number }>('/alerts', ({ total: found }) => found >= 5);
  // the control socket answers the same, as its owner
  assert.equal((await askSocket<{ total: number }>(data, 'GET', '/alerts')).total, total);
  assert.equal((await askSocket<{ role: string; via: string }>(data, 'GET', '/session')).via, 'socket');
  first.child.kill('SIGTERM');
  assert.equal(await first.ended, 0, first.said());
  assert.equal(statSync(join(data, 'settings.db')).mode & 0o777, 0o600);

  const file = join(scratch, 'password');
  writeFileSync(file, 'from the file\nand not this line');
  const second = await start(t, '-i', join(CAPTURES, 'irc.pcap'), '-d', data, '--password-file', file);
  await second.says(/All captures are read/);
  assert.doesNotMatch(second.said(), /user admin, password/);
  const again = await visit(second, 'from the file');
  const { total: later, alerts } = await again.get<{ total: number; alerts: { interface: string }[] }>('/alerts?limit=1000');
  assert.ok(later >= total && alerts.filter(({ interface: name }) => name.endsWith('demo.pcap')).length === total);
  const wrong = await fetch(`http://127.0.0.1:${second.port}/api/v1/session`, {
    method: 'POST',
    body: JSON.stringify({ name: 'admin', password }),
  });
  assert.equal(wrong.status, 401);
  second.child.kill('SIGTERM');
  assert.equal(await second.ended, 0);
});

describe('how it begins and ends', () => {
  test('a port that is taken: what to do, exit code 1', async (t) => {
    const taken = await listener();
    t.after(() => taken.close());
    const child = spawn(process.execPath, [CLI, '-i', join(CAPTURES, 'irc.pcap'), '-w', String(taken.port)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (part: string) => (said += part));
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 1);
    assert.match(
      said,
      new RegExp(
        `cannot listen at 127\\.0\\.0\\.1:${taken.port}: the port is taken\n {2}another port: -w ${taken.port + 1}, or none: --no-web`,
      ),
    );
  });

  test('--shutdown-when-done ends it after the captures, with the web interface until then', async (t) => {
    const run = await start(t, '--shutdown-when-done');
    assert.equal(await run.ended, 0, run.said());
    assert.match(run.said(), /^Web interface: /m);
    assert.match(run.said(), /^Losses: nothing lost$/m);
  });

  test('a certificate of our own is kept with its fingerprint', async (t) => {
    const data = join(scratch, 'tls');
    const args = ['-i', join(CAPTURES, 'irc.pcap'), '-d', data, '--tls-self-signed', '--shutdown-when-done'];
    const first = await start(t, ...args);
    const [, fingerprint] = await first.says(/^Web interface: https:[^\n]*\n {2}certificate, SHA-256: ([0-9A-F:]{95})$/m);
    await first.ended;
    assert.equal(statSync(join(data, 'tls', 'key.pem')).mode & 0o777, 0o600);
    const second = await start(t, ...args);
    assert.equal((await second.says(/SHA-256: ([0-9A-F:]{95})/))[1], fingerprint);
    assert.equal(await second.ended, 0);
  });
});
