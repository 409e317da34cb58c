/** Each kind of notification against a real receiver in this process: what arrives, and what failures are called. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import fc from 'fast-check';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { chatMessage } from '../../src/notify/chat.ts';
import { KINDS, type Kind, type KindName } from '../../src/notify/kinds.ts';
import { mailOf } from '../../src/notify/mail.ts';
import { checkSettings } from '../../src/notify/settings.ts';
import { syslogMessage } from '../../src/notify/syslog.ts';
import { DeliveryError, type Transport } from '../../src/notify/transport.ts';
import { signatureOf } from '../../src/notify/webhook.ts';
import { handClock, START } from '../alerts/support.ts';
import { CERTIFICATE, KEY } from './certificate.ts';
import { alertOf, httpServer, listening } from './support.ts';

function open(t: TestContext, name: KindName, settings: Readonly<Record<string, unknown>>): Transport {
  const kind: Kind = KINDS[name];
  const transport = kind.create(checkSettings(kind.settings, settings), handClock());
  t.after(() => transport.close());
  return transport;
}

const failure = async (work: Promise<void>): Promise<DeliveryError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof DeliveryError, String(error));
  return error;
};

const scratch = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-notify-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

/** One that nobody listens on. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

describe('webhook', () => {
  test('posts alerts as they are, signed, with a delivery that can be told again', async (t) => {
    const server = await httpServer(t);
    const alerts = [alertOf({ description: 'größe → 1' }), alertOf()];
    const webhook = open(t, 'webhook', { url: server.url, secret: 'hush', authorization: 'Bearer x' });
    await webhook.send({ alerts, id: 'd1', test: false });
    const [{ path, headers, body }] = server.received as [(typeof server.received)[0]];
    assert.equal(path, '/hook?token=abc');
    assert.deepEqual(JSON.parse(body), { schema: 2, test: false, alerts: JSON.parse(JSON.stringify(alerts)) as unknown });
    const seconds = Math.floor(START / 1e6);
    const signature = createHmac('sha256', 'hush').update(`${seconds}.${body}`).digest('hex');
    assert.equal(headers['x-flowpatrol-signature'], `t=${seconds},v1=${signature}`);
    assert.equal(signatureOf('hush', seconds, body), headers['x-flowpatrol-signature']);
    assert.deepEqual(
      [headers['x-flowpatrol-delivery'], headers['content-type'], headers.authorization, Number(headers['content-length'])],
      ['d1', 'application/json', 'Bearer x', Buffer.byteLength(body)],
    );
  });

  test('by TLS holds the certificate to the given authority', async (t) => {
    const server = await httpServer(t, true);
    const delivery = { alerts: [alertOf()], id: 'd', test: true };
    assert.match((await failure(open(t, 'webhook', { url: server.url }).send(delivery))).message, /self.signed certificate/);
    await open(t, 'webhook', { url: server.url, ca: CERTIFICATE }).send(delivery);
    assert.equal((JSON.parse(server.received[0]?.body ?? '{}') as { test: boolean }).test, true);
  });

  test('tells refusals for good from those that may pass', async (t) => {
    const server = await httpServer(t);
    const webhook = open(t, 'webhook', { url: server.url });
    const refusal = async (status: number, headers = {}, text = ''): Promise<DeliveryError> => {
      server.answer = (response) => void response.writeHead(status, headers).end(text);
      return failure(webhook.send({ alerts: [alertOf()], id: 'd', test: false }));
    };
    for (const status of [301, 302, 307, 400, 401, 403, 404, 410, 413]) assert.ok((await refusal(status)).permanent, String(status));
    for (const status of [408, 425, 429, 500, 502, 503]) assert.ok(!(await refusal(status)).permanent, String(status));
    assert.equal(server.received.length, 15, 'redirects are not followed');
    assert.equal((await refusal(503, { 'retry-after': '120' })).retryAfterMs, 120_000);
    assert.equal((await refusal(429, { 'retry-after': new Date(START / 1000 + 5000).toUTCString() })).retryAfterMs, 5000);
    assert.equal((await refusal(429, { 'retry-after': 'soon' })).retryAfterMs, 0);
    assert.equal((await refusal(500, {}, 'no\nroom')).message, 'the receiver answered 500: no room');
    assert.ok((await refusal(500, {}, 'x'.repeat(1e6))).message.length < 400);
  });

  test('nobody there may pass', async (t) => {
    const error = await failure(
      open(t, 'webhook', { url: `http://127.0.0.1:${await deadPort()}/` }).send({ alerts: [alertOf()], id: 'd', test: false }),
    );
    assert.match(error.message, /ECONNREFUSED/);
    assert.ok(!error.permanent);
  });
});

describe('chat', () => {
  const evil = alertOf({
    title: 'Bad <!channel> & @all',
    description: '[click](https://evil.example) *bold* `code` @here',
    severity: 'error',
  });

  test('of Slack: names become neither mentions nor links', async (t) => {
    const server = await httpServer(t);
    const chat = open(t, 'chat', { service: 'slack', url: server.url, page: 'https://fp.example' });
    await chat.send({ alerts: [alertOf({ id: 'a1' }), evil], id: 'd', test: false });
    const message = JSON.parse(server.received[0]?.body ?? '') as { text: string; attachments: Record<string, unknown>[] };
    assert.equal(message.text, 'flowpatrol: 2 alerts');
    const [first, second] = message.attachments as [Record<string, unknown>, Record<string, unknown>];
    assert.equal(first.title, '[error] Bad &lt;!channel&gt; &amp; @all');
    assert.deepEqual([first.color, first.ts], ['#dc2626', Math.floor(START / 1e6)]);
    assert.equal(second.title_link, 'https://fp.example/alerts/a1');
  });

  test('of Mattermost and Teams: nothing of a name is Markdown', () => {
    for (const service of ['mattermost', 'teams'] as const) {
      const text = JSON.stringify(chatMessage(service, [evil], false, ''));
      assert.ok(!/[^\\]\[click|@all|@here|evil\.example\)|https:\/\/evil/.test(text), text);
    }
    const card = chatMessage('teams', [evil], true, '') as {
      type: string;
      attachments: { content: { version: string; body: object[] } }[];
    };
    assert.equal(card.type, 'message');
    assert.equal(card.attachments[0]?.content.version, '1.4');
    assert.deepEqual(card.attachments[0]?.content.body[0], {
      type: 'TextBlock',
      wrap: true,
      text: 'flowpatrol: a test, an alert',
      size: 'Medium',
    });
  });
});

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  readonly secure: boolean;
  readonly user: string | undefined;
}

async function mailServer(t: TestContext, options: SMTPServerOptions = {}): Promise<{ port: number; mails: Mail[] }> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    ...{ key: KEY, cert: CERTIFICATE, authOptional: true, disableReverseLookup: true },
    onAuth({ username, password }, _, done) {
      if (password === 'right') done(null, { user: username as string });
      else done(Object.assign(new Error('no'), { responseCode: 535 }));
    },
    onData(stream, session, done) {
      let text = '';
      stream.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text,
          secure: session.secure,
          user: session.user as string | undefined,
        });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {}); // clients that do not trust it
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as { port: number }).port, mails };
}

describe('e-mail', () => {
  const SETTINGS = { host: '127.0.0.1', from: 'patrol@host.example', to: ['ann@host.example', 'bob@host.example'], ca: CERTIFICATE };

  test('is protected, logs in, and has the strongest alert first', async (t) => {
    const { port, mails } = await mailServer(t);
    const mail = open(t, 'mail', { ...SETTINGS, port, user: 'patrol', password: 'right', page: 'https://fp.example/' });
    const alerts = [
      alertOf({ title: 'Weak', severity: 'notice' }),
      alertOf({ id: 'a7', title: 'Größe\r\nBcc: x@y', severity: 'critical' }),
    ];
    await mail.send({ alerts, id: 'd9', test: false });
    const [{ from, to, text, secure, user }] = mails as [Mail];
    assert.deepEqual([from, to, secure, user], ['patrol@host.example', ['ann@host.example', 'bob@host.example'], true, 'patrol']);
    assert.match(text, /^Message-ID: <d9@flowpatrol\.invalid>/m);
    assert.match(text, /^Auto-Submitted: auto-generated/m);
    assert.ok(!/^Bcc:/m.test(text.slice(0, text.indexOf('\r\n\r\n'))), 'no header comes from the traffic');
  });

  test('by TLS from the start, and without protection, where that is wanted', async (t) => {
    const tls = await mailServer(t, { secure: true });
    await open(t, 'mail', { ...SETTINGS, port: tls.port, security: 'tls' }).send({ alerts: [alertOf()], id: 'd', test: false });
    const plain = await mailServer(t, { disabledCommands: ['STARTTLS', 'AUTH'] });
    await open(t, 'mail', { ...SETTINGS, port: plain.port, security: 'none' }).send({ alerts: [alertOf()], id: 'd', test: true });
    assert.deepEqual([tls.mails[0]?.secure, plain.mails[0]?.secure], [true, false]);
    assert.match(plain.mails[0]?.text ?? '', /^Subject: Test: \[warning\] Blacklisted: it is on a list/m);
    // what is to be protected is not sent without
    await failure(open(t, 'mail', { ...SETTINGS, port: plain.port }).send({ alerts: [alertOf()], id: 'd', test: false }));
    assert.equal(plain.mails.length, 1);
  });

  test('failures: a wrong password and a refused receiver are for good, an overfull box is not', async (t) => {
    const send = async (options: SMTPServerOptions, more = {}): Promise<DeliveryError> => {
      const { port } = await mailServer(t, options);
      return failure(open(t, 'mail', { ...SETTINGS, ...more, port }).send({ alerts: [alertOf()], id: 'd', test: false }));
    };
    assert.ok((await send({}, { user: 'patrol', password: 'wrong' })).permanent);
    const refuse = (responseCode: number): SMTPServerOptions => ({
      onRcptTo: (_, __, done) => done(Object.assign(new Error('no'), { responseCode })),
    });
    assert.ok((await send(refuse(550))).permanent);
    assert.ok(!(await send(refuse(452))).permanent);
    assert.match((await send({}, { ca: undefined })).message, /self.signed certificate/);
  });

  test('the text names time, script, flow and reason of each', () => {
    const { subject, text } = mailOf([alertOf({ id: 'a1' }), alertOf({ severity: 'error', title: 'Mining' })], false, 'https://fp.example');
    assert.equal(subject, '2 alerts, first [error] Mining: it is on a list');
    assert.match(text, /^\[error\] Mining[\s\S]*\n\n\[warning\] Blacklisted: it is on a list\n {2}time: 2026-01-01T00:00:00.000Z\n/);
    assert.match(text, / {2}script: watch \(abcdef012345\)\n[\s\S]* {2}bytes: 1000\n {2}https:\/\/fp\.example\/alerts\/a1\n$/);
  });
});

/** `LENGTH SP message` again and again. */
function frames(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, space));
    found.push(bytes.toString('utf8', space + 1, space + 1 + length));
    at = space + 1 + length;
  }
  return found;
}

/** Keeps what comes over all connections. */
function collector(): { take: (socket: Socket) => void; until: (test: (bytes: Buffer) => boolean) => Promise<Buffer>; sockets: Socket[] } {
  let bytes = Buffer.alloc(0);
  let look = (): void => {};
  const sockets: Socket[] = [];
  return {
    sockets,
    take(socket) {
      sockets.push(socket);
      socket.on('data', (part) => {
        bytes = Buffer.concat([bytes, part as Buffer]);
        look();
      });
      socket.on('error', () => {});
    },
    until(holds) {
      const { promise, resolve } = Promise.withResolvers<Buffer>();
      look = () => {
        if (holds(bytes)) resolve(bytes);
      };
      look();
      return promise;
    },
  };
}

describe('syslog', () => {
  const HEADER = /^<(\d+)>1 (\S+) (\S+) flowpatrol (\d+) (\S+) \[flowpatrol@32473 ((?:\w+="(?:[^"\\\]]|\\["\\\]])*" ?)+)\] (.*)$/s;

  test('property: a message has the shape of RFC 5424, whatever comes from the traffic', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a"b', 'a]b', 'a\\b', '\\"]', ''));
    fc.assert(
      fc.property(text, text, text, fc.constantFrom('debug', 'emergency', 'error'), (type, name, script, severity) => {
        const alert = alertOf({ type, script, severity, flow: { host_server_name: name } } as Parameters<typeof alertOf>[0]);
        const found = HEADER.exec(syslogMessage(alert, 16, 'böse host', false).toString('utf8'));
        assert.ok(found !== null);
        const [, priority, time, host, , messageId, data, message] = found;
        assert.equal(Number(priority), 16 * 8 + { debug: 7, emergency: 0, error: 3 }[severity as 'debug']);
        assert.deepEqual([time, host], ['2026-01-01T00:00:00.000Z', 'b_se_host']);
        assert.match(messageId as string, /^[\x21-\x7e]{1,32}$/);
        assert.equal(message, '\ufeffBlacklisted: it is on a list');
        const values = [...(data as string).matchAll(/(\w+)="((?:[^"\\\]]|\\["\\\]])*)"/g)].map(([, key, value]) => [
          key,
          (value as string).replace(/\\(.)/gs, '$1'),
        ]);
        const back = Object.fromEntries(values) as Record<string, string>;
        const round = (of: string): string => Buffer.from(of, 'utf8').toString('utf8');
        assert.deepEqual([back.script ?? '', back.name ?? '', back.client], [round(script), round(name), '10.0.0.1']);
      }),
    );
  });

  test('by UDP: a datagram each, cut at whole characters', async (t) => {
    const server = createSocket('udp4');
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const received: Buffer[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    server.on('message', (message) => {
      if (received.push(message) === 3) resolve();
    });
    const syslog = open(t, 'syslog', { host: '127.0.0.1', port: server.address().port });
    await syslog.send({ alerts: [alertOf(), alertOf(), alertOf({ description: 'ü'.repeat(3000) })], id: 'd', test: true });
    await promise;
    assert.match(received[0]?.toString('utf8') ?? '', HEADER);
    assert.match(received[0]?.toString('utf8') ?? '', / test="true"\] /);
    const long = received[2] as Buffer;
    assert.ok(long.length <= 2048 && long.length > 2040);
    assert.ok(!long.toString('utf8').includes('\ufffd'));
  });

  for (const way of ['tcp', 'tls'] as const) {
    test(`by ${way.toUpperCase()}: octets counted, over one connection, which is made anew when it has ended`, async (t) => {
      const seen = collector();
      const server = way === 'tls' ? createTlsServer({ key: KEY, cert: CERTIFICATE }, seen.take) : createServer(seen.take);
      const port = await listening(t, server);
      t.after(() => {
        for (const socket of seen.sockets) socket.destroy();
      });
      const syslog = open(t, 'syslog', { host: '127.0.0.1', port, transport: way, ...(way === 'tls' ? { ca: CERTIFICATE } : {}) });
      const send = (title: string): Promise<void> =>
        syslog.send({ alerts: [alertOf({ title }), alertOf({ title })], id: 'd', test: false });
      const has = (count: number, title: string) => (bytes: Buffer) => bytes.toString('utf8').split(`\ufeff${title}`).length === count + 1;
      await send('Größe');
      await send('Größe');
      const messages = frames(await seen.until(has(4, 'Größe')));
      assert.equal(messages.length, 4);
      for (const message of messages) assert.match(message, HEADER);
      assert.equal(seen.sockets.length, 1);
      const [socket] = seen.sockets as [Socket];
      const closed = once(socket, 'close');
      socket.end();
      await closed; // ours has answered it
      await send('Again');
      await seen.until(has(2, 'Again'));
      assert.equal(seen.sockets.length, 2);
    });
  }

  test('nobody there, and a certificate that is not trusted, may pass', async (t) => {
    const delivery = { alerts: [alertOf()], id: 'd', test: false };
    const dead = open(t, 'syslog', { host: '127.0.0.1', port: await deadPort(), transport: 'tcp' });
    assert.match((await failure(dead.send(delivery))).message, /ECONNREFUSED/);
    const server = createTlsServer({ key: KEY, cert: CERTIFICATE }, (socket) => socket.on('error', () => {}));
    server.on('tlsClientError', () => {});
    const port = await listening(t, server);
    const distrusting = open(t, 'syslog', { host: '127.0.0.1', port, transport: 'tls' });
    assert.match((await failure(distrusting.send(delivery))).message, /self.signed certificate/);
  });
});

describe('file', () => {
  test('a line that was cut off stays alone', async (t) => {
    const path = join(scratch(t), 'alerts.jsonl');
    writeFileSync(path, '{"id":"cut o');
    const alert = alertOf();
    await open(t, 'file', { path }).send({ alerts: [alert], id: 'd', test: false });
    const [cut, whole = ''] = readFileSync(path, 'utf8').trimEnd().split('\n');
    assert.equal(cut, '{"id":"cut o');
    assert.equal((JSON.parse(whole) as { id: string }).id, alert.id);
  });

  test('has a line per alert, and is made anew when it was moved away', async (t) => {
    const path = join(scratch(t), 'alerts.jsonl');
    const file = open(t, 'file', { path });
    const alerts = [alertOf({ description: 'two\nlines' }), alertOf()];
    await file.send({ alerts, id: 'd', test: false });
    renameSync(path, `${path}.1`);
    await file.send({ alerts: [alertOf()], id: 'd', test: true });
    const lines = (name: string): unknown[] =>
      readFileSync(name, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
    assert.deepEqual(lines(`${path}.1`), JSON.parse(JSON.stringify(alerts)));
    assert.equal((lines(path)[0] as { test: boolean }).test, true);
  });

  test('a folder that is not there is said', async (t) => {
    const error = await failure(open(t, 'file', { path: '/nowhere/alerts.jsonl' }).send({ alerts: [alertOf()], id: 'd', test: false }));
    assert.match(error.message, /ENOENT/);
  });
});

describe('command', () => {
  test('gets the alert on standard input and its words as they are, without a shell and without our environment', async (t) => {
    const out = join(scratch(t), 'out');
    process.env.FLOWPATROL_TEST_SECRET = 'hush';
    t.after(() => delete process.env.FLOWPATROL_TEST_SECRET);
    const copy = 'process.stdin.pipe(fs.createWriteStream(process.argv[1]))';
    const program = `${copy}; fs.writeFileSync(process.argv[1] + '.args', JSON.stringify([process.argv.slice(2), process.env]))`;
    const words = [process.execPath, '-e', program, out, '$(touch x); `id`', '*'];
    const alert = alertOf({ id: 'a1', severity: 'error' });
    await open(t, 'command', { command: words }).send({ alerts: [alert], id: 'd', test: false });
    assert.deepEqual(JSON.parse(readFileSync(out, 'utf8')), JSON.parse(JSON.stringify(alert)));
    const [args, env] = JSON.parse(readFileSync(`${out}.args`, 'utf8')) as [string[], Record<string, string>];
    assert.deepEqual(args, ['$(touch x); `id`', '*']);
    assert.deepEqual([env.FLOWPATROL_ALERT_ID, env.FLOWPATROL_SEVERITY, env.FLOWPATROL_TEST_SECRET], ['a1', 'error', undefined]);
  });

  test('one that reads nothing is fine; one that fails says why', async (t) => {
    const sh = (script: string): Transport => open(t, 'command', { command: ['/bin/sh', '-c', script] });
    const alerts = [alertOf({ description: 'x'.repeat(1e6) })];
    await sh('exit 0').send({ alerts, id: 'd', test: false });
    const failed = await failure(sh('echo no room >&2; exit 3').send({ alerts, id: 'd', test: false }));
    assert.equal(failed.message, 'the command ended with 3: no room');
    assert.ok(!failed.permanent);
    const missing = await failure(open(t, 'command', { command: ['/nowhere/x'] }).send({ alerts, id: 'd', test: false }));
    assert.match(missing.message, /ENOENT/);
    assert.ok(missing.permanent);
  });

  test('is killed after its time with what it has started', async (t) => {
    const file = join(scratch(t), 'pid');
    writeFileSync(file, '');
    const command = ['/bin/sh', '-c', `sleep 300 & echo $! > ${file}; wait`];
    const error = await failure(open(t, 'command', { command, limit: 1 }).send({ alerts: [alertOf()], id: 'd', test: false }));
    assert.match(error.message, /did not end within 1 s and was killed/);
    const state = (): string => {
      try {
        return readFileSync(`/proc/${Number(readFileSync(file, 'utf8'))}/stat`, 'utf8').split(') ')[1]?.[0] ?? '';
      } catch {
        return 'gone';
      }
    };
    while (!['gone', 'Z', 'X'].includes(state())) await new Promise((resolve) => setImmediate(resolve)); // the kernel takes its time
  });
});
