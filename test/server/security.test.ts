/** Who gets in, and what they may: over real HTTP(S), against every operation of the document. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { openApiDocument } from '../../src/api/openapi.ts';
import { includes, ROLES } from '../../src/api/roles.ts';
import { allRoutes } from '../../src/api/routes.ts';
import { selfSigned } from '../../src/server/tls.ts';
import { createUploads } from '../../src/server/uploads.ts';
import { type Ask, json, PASSWORD, type Session, startServer, type TestServer } from './support.ts';

const API = '/api/v1';
const scratch = mkdtempSync(join(tmpdir(), 'flowpatrol-security-'));
after(() => rmSync(scratch, { recursive: true }));

const code = (answer: { text: string }): string => (JSON.parse(answer.text) as { code: string }).code;

describe('roles', () => {
  test('every operation of the document asks for its role, of sessions and of tokens', async (t) => {
    const uploads = createUploads({
      most: 1000,
      start: () => ({ id: 99, ended: new Promise(() => {}), remove() {} }),
      snapshot: () => ({ interfaces: [], scripts: [], losses: [] }),
      now: () => 0,
    });
    t.after(() => uploads.close());
    const testScript = async () => ({ alerts: [], raised: 0, lines: [], stats: {}, flows: 0 });
    const server = await startServer(t, { uploads, testScript });
    const { paths } = openApiDocument(allRoutes(server.parts), '1');
    const sessions = new Map(await Promise.all(ROLES.map(async (role) => [role, await server.login(role)] as const)));
    const tokens = new Map(ROLES.map((role) => [role, server.accounts.addToken({ name: 't', user: 'admin', role }).text] as const));
    let asked = 0;
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, { 'x-role': wanted, operationId }] of Object.entries(methods)) {
        // ending the sessions under test is not what is tested
        if (path === '/session' && method !== 'get') continue;
        if (path === '/stream') continue;
        const url = `${API}${path.replace(/\{\w+\}/g, 'nothing')}`;
        const ask: Ask = { method: method.toUpperCase(), ...(method === 'post' || method === 'put' ? { body: 'no' } : {}) };
        const nobody = await server.ask(url, ask);
        assert.deepEqual([nobody.status, code(nobody)], [401, 'not-authenticated'], `nobody: ${operationId}`);
        for (const role of ROLES) {
          assert.notEqual(wanted, 'anyone');
          const allowed = wanted !== 'anyone' && includes(role, wanted);
          for (const [how, answer] of [
            ['session', await (sessions.get(role) as Session).ask(url, ask)],
            ['token', await server.ask(url, { ...ask, headers: { authorization: `Bearer ${tokens.get(role)}` } })],
          ] as const) {
            assert.equal(answer.status === 403, !allowed, `${role} by ${how}: ${operationId}: ${answer.status}`);
            assert.notEqual(answer.status, 401, `${role} by ${how}: ${operationId}`);
            if (!allowed) assert.equal(code(answer), 'not-allowed');
          }
          asked++;
        }
      }
    }
    assert.ok(asked > 100, `${asked} operations were asked`);
  });

  test('the document is for all who know the address; what it says is in none of its answers', async (t) => {
    const { ask } = await startServer(t);
    assert.equal((await ask(`${API}/openapi.json`)).status, 200);
    const page = await ask('/api');
    assert.equal(page.status, 200);
    assert.doesNotMatch(page.text, /<script|<style| style=| on\w+=/);
  });
});

describe('sessions', () => {
  test('the cookie: HttpOnly, SameSite=Strict, Secure with TLS', async (t) => {
    const plain = await startServer(t);
    const login = await plain.ask(`${API}/session`, { method: 'POST', ...json({ name: 'viewer', password: PASSWORD }) });
    assert.match(login.headers['set-cookie']?.[0] ?? '', /^flowpatrol-3000=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Expires=/);
    const secure = await startServer(t, { tls: { ...selfSigned(['localhost'], Date.now()), own: false } });
    const answer = await secure.ask(`${API}/session`, { method: 'POST', ...json({ name: 'viewer', password: PASSWORD }) });
    assert.match(
      answer.headers['set-cookie']?.[0] ?? '',
      /^__Host-flowpatrol-3000=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure; /,
    );
  });

  test('a login never takes over the session that was there, and ends it', async (t) => {
    const server = await startServer(t);
    const planted = 'flowpatrol-3000=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
    const first = await server.ask(`${API}/session`, {
      method: 'POST',
      headers: { cookie: planted },
      ...json({ name: 'viewer', password: PASSWORD }),
    });
    const cookie = first.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    assert.notEqual(cookie, planted);
    assert.equal((await server.ask(`${API}/status`, { headers: { cookie: planted } })).status, 401);
    const second = await server.ask(`${API}/session`, {
      method: 'POST',
      headers: { cookie },
      ...json({ name: 'admin', password: PASSWORD }),
    });
    assert.equal(second.status, 200);
    assert.notEqual(second.headers['set-cookie']?.[0]?.split(';')[0], cookie);
    assert.equal((await server.ask(`${API}/status`, { headers: { cookie } })).status, 401);
  });

  test('they end: by logging out, by age, by silence, with the password, with the user', async (t) => {
    const server = await startServer(t);
    const status = async (session: Session): Promise<number> => (await session.ask(`${API}/status`)).status;
    const out = await server.login('viewer');
    assert.equal((await out.ask(`${API}/session`, { method: 'DELETE' })).status, 200);
    assert.equal(await status(out), 401);

    const silent = await server.login('viewer');
    const used = await server.login('viewer');
    for (let hour = 0; hour < 14; hour++) {
      server.clock.now += 3600e3;
      assert.equal(await status(used), 200);
    }
    assert.equal(await status(silent), 401);
    for (let hour = 14; hour < 7 * 24; hour++) {
      server.clock.now += 3600e3;
      await status(used);
    }
    server.clock.now += 1;
    assert.equal(await status(used), 401);

    const [mine, other] = [await server.login('operator'), await server.login('operator')];
    const change = json({ old: PASSWORD, password: 'another password' });
    assert.equal((await mine.ask(`${API}/session/password`, { method: 'PUT', ...change })).status, 200);
    assert.deepEqual([await status(mine), await status(other)], [200, 401]);
    await assert.rejects(server.login('operator'), /wrong-password/);

    const admin = await server.login('admin');
    assert.equal((await admin.ask(`${API}/users/operator`, { method: 'DELETE' })).status, 200);
    assert.equal(await status(mine), 401);
  });

  test('nothing that lets anybody in is kept as it is', async (t) => {
    const server = await startServer(t);
    const session = await server.login('admin');
    const made = await session.ask(`${API}/tokens`, { method: 'POST', ...json({ name: 'x', role: 'viewer' }) });
    const { text: token } = made.json<{ text: string }>();
    const secret = session.cookie.split('=')[1] as string;
    const kept = JSON.stringify([
      server.accounts.users(),
      server.accounts.tokens(),
      server.auditLog.entries(100, undefined),
      (await session.ask(`${API}/tokens`)).text,
    ]);
    for (const word of [PASSWORD, token, secret]) assert.ok(!kept.includes(word));
  });
});

describe('requests that browsers are made to send', () => {
  const change = { method: 'PUT', ...json({ value: 30 }) } as const;
  const path = `${API}/preferences/flow_max_idle`;

  test('a session changes nothing without its CSRF token, or from another origin', async (t) => {
    const server = await startServer(t);
    const admin = await server.login('admin');
    const other = await server.login('admin');
    const { cookie } = admin;
    const host = `127.0.0.1:${server.port}`;
    const refused = async (headers: Record<string, string>): Promise<void> => {
      const answer = await server.ask(path, { ...change, headers: { cookie, ...headers } });
      assert.deepEqual([answer.status, code(answer)], [403, 'not-from-here'], JSON.stringify(headers));
    };
    await refused({});
    await refused({ 'x-csrf-token': 'nonsense' });
    await refused({ 'x-csrf-token': other.csrf });
    const right = { 'x-csrf-token': admin.csrf };
    await refused({ ...right, origin: 'http://evil.example' });
    await refused({ ...right, origin: 'null' });
    await refused({ ...right, origin: `http://127.0.0.1:${server.port + 1}` });
    await refused({ ...right, 'sec-fetch-site': 'cross-site' });
    await refused({ ...right, 'sec-fetch-site': 'same-site' });
    assert.equal((await admin.ask(path, change)).status, 200);
    assert.equal(
      (await admin.ask(path, { ...change, headers: { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' } })).status,
      200,
    );
    assert.equal((await admin.ask(path)).json<{ value: number }>().value, 30);
  });

  test('nobody is logged in by another site', async (t) => {
    const server = await startServer(t);
    const login = { method: 'POST', ...json({ name: 'viewer', password: PASSWORD }) } as const;
    for (const headers of [{ origin: 'http://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
      const answer = await server.ask(`${API}/session`, { ...login, headers });
      assert.deepEqual([answer.status, code(answer)], [403, 'not-from-here']);
    }
  });

  test('a name that is not ours is refused: DNS rebinding', async (t) => {
    const server = await startServer(t, { names: ['Monitor.example'] });
    const asked = async (host: string): Promise<number> => (await server.ask('/healthz', { headers: { host } })).status;
    for (const host of ['evil.example', `evil.example:${server.port}`, 'localhost.evil.example', '127.0.0.1.evil.example']) {
      assert.equal(await asked(host), 421, host);
    }
    for (const host of ['localhost', `localhost:${server.port}`, '127.0.0.1', '[::1]:3000', 'monitor.example', 'MONITOR.example:1']) {
      assert.equal(await asked(host), 200, host);
    }
  });
});

describe('tokens', () => {
  test('what one may: its role, never more than its user, until it expires or is revoked', async (t) => {
    const server = await startServer(t);
    const operator = await server.login('operator');
    const make = (body: object) => operator.ask(`${API}/tokens`, { method: 'POST', ...json(body) });
    assert.equal(code(await make({ name: 'too much', role: 'admin' })), 'not-allowed');
    const made = (await make({ name: 'uploads', role: 'operator', expires: server.clock.now + 1000 })).json<{
      token: { id: string };
      text: string;
    }>();
    const asked = async (path: string, method = 'GET', body?: object): Promise<number> =>
      (await server.ask(API + path, { method, headers: { authorization: `Bearer ${made.text}` }, ...(body && json(body)) })).status;
    assert.equal(await asked('/status'), 200);
    assert.equal(await asked('/explain/filter', 'PUT', { filter: 'srv.port = 22' }), 200); // no CSRF token: no browser sends it by itself
    assert.equal(await asked('/preferences/flow_max_idle', 'PUT', { value: 3 }), 403);
    assert.equal(await asked('/tokens', 'POST', { name: 'another', role: 'viewer' }), 403);

    // its user may less now, and so may it
    await server.accounts.changeUser('operator', { role: 'viewer' });
    assert.equal(await asked('/explain/filter', 'PUT', { filter: '' }), 403);
    assert.equal(await asked('/status'), 200);
    server.clock.now += 1001;
    assert.equal(await asked('/status'), 401);

    const lasting = server.accounts.addToken({ name: 'lasting', user: 'viewer', role: 'viewer' });
    const headers = { authorization: `Bearer ${lasting.text}` };
    assert.equal((await server.ask(`${API}/status`, { headers })).status, 200);
    const admin = await server.login('admin');
    assert.equal((await admin.ask(`${API}/tokens/${lasting.token.id}`, { method: 'DELETE' })).status, 200);
    assert.equal(code(await server.ask(`${API}/status`, { headers })), 'wrong-token');
  });

  test('a wrong one is wrong, also beside a good session; others are nobody’s business', async (t) => {
    const server = await startServer(t);
    const viewer = await server.login('viewer');
    for (const authorization of ['Bearer fpt_nonsense', 'Bearer', 'Basic dmlld2VyOng=', 'Bearer ']) {
      assert.equal((await viewer.ask(`${API}/status`, { headers: { authorization } })).status, 401, authorization);
    }
    const { token } = server.accounts.addToken({ name: 'theirs', user: 'admin', role: 'admin' });
    assert.deepEqual((await viewer.ask(`${API}/tokens`)).json(), { tokens: [] });
    assert.equal(code(await viewer.ask(`${API}/tokens/${token.id}`, { method: 'DELETE' })), 'unknown-token');
    assert.equal(server.accounts.tokens().length, 1);
  });
});

describe('logging in', () => {
  test('too often is too often, for an address and for a user; then it is possible again', async (t) => {
    const server = await startServer(t);
    const login = async (name: string, password: string): Promise<{ status: number; wait: number }> => {
      const answer = await server.ask(`${API}/session`, { method: 'POST', ...json({ name, password }) });
      return { status: answer.status, wait: Number(answer.headers['retry-after'] ?? 0) };
    };
    for (let i = 0; i < 10; i++) assert.equal((await login(`nobody${i}`, 'wrong password')).status, 401);
    const late = await login('viewer', PASSWORD); // the right one, too
    assert.equal(late.status, 429);
    assert.ok(late.wait > 0 && late.wait <= 300);
    server.clock.now += late.wait * 1000;
    assert.equal((await login('viewer', PASSWORD)).status, 200);
    // who gets in begins anew
    for (let i = 0; i < 10; i++) assert.equal((await login('viewer', 'wrong password')).status, 401);
    const outcomes = server.auditLog.entries(100, undefined).map(({ action, outcome }) => `${action} ${outcome}`);
    assert.ok(outcomes.includes('login wrong-password') && outcomes.includes('login too-often') && outcomes.includes('login done'));
  });

  test('whether there is such a user is not to be heard', async (t) => {
    const server = await startServer(t);
    const answers = await Promise.all(
      ['viewer', 'nobody'].map((name) => server.ask(`${API}/session`, { method: 'POST', ...json({ name, password: 'wrong password' }) })),
    );
    assert.equal(answers[0]?.text, answers[1]?.text);
  });

  test('the last admin stays', async (t) => {
    const server = await startServer(t);
    const admin = await server.login('admin');
    assert.equal(code(await admin.ask(`${API}/users/admin`, { method: 'DELETE' })), 'last-admin');
    assert.equal(code(await admin.ask(`${API}/users/admin`, { method: 'PUT', ...json({ role: 'viewer' }) })), 'last-admin');
    assert.equal(
      (await admin.ask(`${API}/users`, { method: 'POST', ...json({ name: 'second', password: PASSWORD, role: 'admin' }) })).status,
      201,
    );
    assert.equal(
      code(await admin.ask(`${API}/users`, { method: 'POST', ...json({ name: 'second', password: PASSWORD, role: 'admin' }) })),
      'name-taken',
    );
    assert.equal((await admin.ask(`${API}/users/admin`, { method: 'PUT', ...json({ role: 'viewer' }) })).status, 200);
    // the role holds at once, for the session that was there too
    assert.equal((await admin.ask(`${API}/users`)).status, 403);
  });

  test('what was changed, by whom, and what was tried: without passwords', async (t) => {
    const server = await startServer(t);
    const admin = await server.login('admin');
    const viewer = await server.login('viewer');
    await admin.ask(`${API}/preferences/flow_max_idle`, { method: 'PUT', ...json({ value: 45 }) });
    await viewer.ask(`${API}/preferences/flow_max_idle`, { method: 'PUT', ...json({ value: 46 }) });
    await admin.ask(`${API}/users`, { method: 'POST', ...json({ name: 'anna', password: 'a secret of anna', role: 'viewer' }) });
    const { entries } = (await admin.ask(`${API}/audit?limit=4`)).json<{ entries: Record<string, string>[] }>();
    assert.deepEqual(
      entries.map(({ user, via, address, action, detail, outcome }) => [user, via, address, action, detail, outcome]),
      [
        ['admin', 'session', '127.0.0.1', 'POST /users', '{"name":"anna","password":"…","role":"viewer"}', 'done'],
        ['viewer', 'session', '127.0.0.1', 'PUT /preferences/flow_max_idle', '', 'not-allowed'],
        ['admin', 'session', '127.0.0.1', 'PUT /preferences/flow_max_idle', '{"value":45}', 'done'],
        ['viewer', 'session', '127.0.0.1', 'login', '', 'done'],
      ],
    );
  });
});

describe('answers', () => {
  test('headers of all of them: nothing inline, in nobody’s frame, kept by nobody', async (t) => {
    const { ask, login } = await startServer(t);
    const viewer = await login('viewer');
    const answers = [await ask('/'), await ask('/api'), await ask('/nothing.js'), await ask('/healthz'), await ask(`${API}/status`)];
    answers.push(await viewer.ask(`${API}/status`), await ask('/', { headers: { host: 'evil.example' } }), await ask(`${API}/nothing`));
    for (const { headers } of answers) {
      const policy = headers['content-security-policy'] as string;
      assert.ok(!/unsafe|\*|http:/.test(policy), policy);
      for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"])
        assert.ok(policy.includes(part));
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['x-frame-options'], 'DENY');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
      assert.equal(headers['strict-transport-security'], undefined);
      assert.equal(headers['access-control-allow-origin'], undefined);
    }
    assert.equal(answers[5]?.headers['cache-control'], 'no-store');
  });

  test('no path leads out of the pages', async (t) => {
    const pages = join(scratch, 'pages');
    mkdirSync(join(pages, 'assets'), { recursive: true });
    writeFileSync(join(pages, 'index.html'), '<!doctype html><title>page</title>');
    writeFileSync(join(pages, 'assets', 'main-abc.js'), `// ${'x'.repeat(2000)}`);
    writeFileSync(join(scratch, 'secret.txt'), 'secret');
    const server = await startServer(t, { pages });
    const raw = async (path: string): Promise<string> => {
      const socket = connect(server.port, '127.0.0.1');
      socket.end(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      return text(socket);
    };
    for (const path of [
      ...[
        '/../secret.txt',
        '/assets/../../secret.txt',
        '/%2e%2e/secret.txt',
        '/..%2fsecret.txt',
        '/assets/..%5c..%5csecret.txt',
        '//secret.txt',
      ],
      ...[
        '/%00',
        '/assets/%2e%2e%2f%2e%2e%2fsecret.txt',
        '/....//secret.txt',
        '/%c0%ae%c0%ae/secret.txt',
        `${scratch}/secret.txt`,
        '/\\..\\secret.txt',
      ],
    ]) {
      const answer = await raw(path);
      assert.doesNotMatch(answer, /^secret$/m, path);
      assert.match(answer, /^HTTP\/1\.1 (200|400|404|421)/, path);
    }
    const script = await server.ask('/assets/main-abc.js', { headers: { 'accept-encoding': 'gzip' } });
    assert.deepEqual([script.headers['content-encoding'], script.headers['content-type']], ['gzip', 'text/javascript; charset=utf-8']);
    assert.match(script.headers['cache-control'] ?? '', /immutable/);
    const index = await server.ask('/flows/some-id');
    assert.equal(index.text, '<!doctype html><title>page</title>');
    assert.equal((await server.ask('/', { headers: { 'if-none-match': index.headers.etag as string } })).status, 304);
    assert.equal((await server.ask('/assets/other.js')).status, 404);
  });

  test('what is no HTTP, and what is too much of it', async (t) => {
    const server = await startServer(t);
    const raw = async (bytes: string): Promise<string> => {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.end(bytes);
      return text(socket).catch(() => '');
    };
    assert.match(await raw('nonsense\r\n\r\n'), /^HTTP\/1\.1 400/);
    assert.match(await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431/);
    assert.match(await raw('GET / HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400/); // no Host
    const admin = await server.login('admin');
    const long = await admin.ask(`${API}/preferences/flow_max_idle`, { method: 'PUT', body: `{"value":"${'9'.repeat(70_000)}"}` });
    assert.equal(code(long), 'body-too-large');
    assert.equal((await admin.ask(`${API}/status`)).status, 200);
  });
});

describe('HTTPS', () => {
  test('a certificate of our own: names and addresses, its key, TLS 1.2 at least', async (t) => {
    const credentials = selfSigned(['localhost', 'monitor.example', '127.0.0.1', '::1', '2001:db8::7'], Date.now());
    const server = await startServer(t, { tls: { ...credentials, own: false } });
    assert.match(server.web.url(), /^https:/);
    const socket = connectTls({ host: '127.0.0.1', port: server.port, servername: 'localhost', ca: credentials.cert });
    await new Promise((resolve, reject) => socket.once('secureConnect', () => resolve(undefined)).once('error', reject));
    assert.ok(socket.authorized, String(socket.authorizationError));
    const certificate = socket.getPeerX509Certificate();
    assert.equal(certificate?.checkHost('monitor.example'), 'monitor.example');
    assert.equal(certificate?.checkIP('2001:db8::7'), '2001:db8::7');
    assert.equal(certificate?.checkHost('evil.example'), undefined);
    assert.equal(certificate?.fingerprint256, credentials.fingerprint);
    assert.equal(certificate?.ca, false);
    socket.destroy();
    const old = connectTls({
      host: '127.0.0.1',
      port: server.port,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1.1',
      rejectUnauthorized: false,
    });
    await assert.rejects(new Promise((_, reject) => old.once('error', reject)));
    assert.equal((await server.ask('/healthz')).headers['strict-transport-security'], undefined);
  });

  test('a certificate that browsers trust: they may insist on HTTPS', async (t) => {
    const server: TestServer = await startServer(t, { tls: { ...selfSigned(['localhost'], Date.now()), own: true } });
    assert.equal((await server.ask('/healthz')).headers['strict-transport-security'], 'max-age=31536000');
  });
});
