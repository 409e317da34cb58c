import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { IdsError } from '../../src/ids/option.ts';
import { listenSyslog, syslogPayload } from '../../src/ids/syslog.ts';

const log = { warn: (text: string) => assert.fail(text) };

describe('the JSON object of a message', () => {
  const json = '{"event_type":"alert","a":{"b":"[]"}}';
  for (const [name, message] of [
    ['bare', json],
    ['bare, with a cookie', `@cee: ${json}`],
    ['RFC 3164', `<174>Jan  2 03:04:05 sensor suricata[123]: ${json}`],
    ['RFC 3164 without host', `<174>Jan  2 03:04:05 suricata[123]: ${json}`],
    ['RFC 3164 without process', `<174>Jan  2 03:04:05 sensor suricata: ${json}`],
    ['RFC 3164 with a cookie', `<174>Jan  2 03:04:05 sensor suricata[123]: @cee: ${json}`],
    ['RFC 3164 with an ISO time', `<174>2024-01-02T03:04:05.678901+02:00 sensor suricata[123]: @cee:${json}`],
    ['priority only', `<174>${json}`],
    ['RFC 5424', `<174>1 2024-01-02T03:04:05.678901+02:00 sensor suricata 123 - - ${json}`],
    ['RFC 5424 with nothing known', `<0>1 - - - - - - ${json}`],
    ['RFC 5424 with a byte order mark', `<174>1 2024-01-02T03:04:05Z sensor suricata 123 eve - \ufeff${json}`],
    ['RFC 5424 with structured data', `<174>1 - sensor suricata 123 - [a@1 b="{\\"]\\\\" c="x"][d@1] @cee: ${json}`],
    ['with a line end', `<174>Jan  2 03:04:05 sensor suricata[1]: ${json}\r\n`],
    ['with a NUL', `<174>Jan  2 03:04:05 sensor suricata[1]: ${json}\0`],
  ] as const) {
    test(name, () => assert.equal(syslogPayload(message), json));
  }

  for (const message of [
    '',
    '<13>Jan  2 03:04:05 host cron[1]: job done',
    '<13>Jan  2 03:04:05 host app[1]: got {"a":1}',
    '<13>1 - host app - - [x y="{"] text',
    '<13>1 - host app - - [x y="{"',
  ]) {
    test(`none in ${message || 'an empty message'}`, () => assert.equal(syslogPayload(message), undefined));
  }

  test('whatever comes, it begins with a brace or is none', () => {
    fc.assert(
      fc.property(
        fc.tuple(
          fc.constantFrom('', '<1>', '<1>1 - - - - - ', '<1>1 - - - - - ['),
          fc.string({ unit: fc.constantFrom(...'<1> -[]{}":\\a') }),
        ),
        (parts) => {
          const payload = syslogPayload(parts.join(''));
          assert.ok(payload === undefined || payload.startsWith('{'));
        },
      ),
    );
  });
});

for (const address of ['127.0.0.1', '::1']) {
  test(`datagrams to ${address} are messages`, async (t) => {
    const messages: string[] = [];
    let arrived = (): void => {};
    const listener = await listenSyslog({
      address,
      port: 0,
      log,
      onMessage: (payload) => {
        messages.push(payload);
        if (payload === '{"last":1}') arrived();
      },
    });
    t.after(() => listener.close());
    const sender = createSocket(address === '::1' ? 'udp6' : 'udp4');
    t.after(() => sender.close());
    const done = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    for (const text of ['<13>Jan  2 03:04:05 host cron[1]: job', '{"first":"ü"}', `{"long":"${'x'.repeat(20_000)}"}`, '{"last":1}']) {
      await new Promise((resolve) => sender.send(text, listener.port, address, resolve));
    }
    await done;
    assert.deepEqual(
      messages.map((message) => message.slice(0, 7)),
      ['{"first', '{"long"', '{"last"'],
    );
    assert.equal(listener.others(), 1);
  });
}

test('a port that is taken is an error that says what to do', async (t) => {
  const other = createSocket('udp4');
  t.after(() => other.close());
  other.bind(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address();
  await assert.rejects(listenSyslog({ address: '127.0.0.1', port, log, onMessage: () => {} }), (error: unknown) => {
    assert.ok(error instanceof IdsError);
    assert.match(error.message, new RegExp(`^udp:127.0.0.1:${port} cannot be listened on: `));
    assert.match(error.hint, /another program/);
    return true;
  });
});

test('so is an address of another machine', async () => {
  await assert.rejects(listenSyslog({ address: '192.0.2.1', port: 0, log, onMessage: () => {} }), (error: unknown) => {
    assert.match((error as IdsError).hint, /does not have the address/);
    return true;
  });
});
