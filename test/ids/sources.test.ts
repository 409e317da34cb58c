import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { IdsAlert } from '../../src/ids/alert.ts';
import { BATCH_ALERTS, IdsError, type IdsSources, openIdsSources, parseIdsOption } from '../../src/ids/sources.ts';
import { eve } from './records.ts';

describe('the option', () => {
  for (const [text, source] of [
    ['/var/log/suricata/eve.json', { kind: 'file', path: '/var/log/suricata/eve.json' }],
    ['./udp:odd', { kind: 'file', path: './udp:odd' }],
    ['udp:127.0.0.1:5514', { kind: 'udp', address: '127.0.0.1', port: 5514 }],
    ['udp:[::1]:514', { kind: 'udp', address: '::1', port: 514 }],
  ] as const) {
    test(text, () => assert.deepEqual(parseIdsOption(text), source));
  }

  for (const [text, error] of [
    ['', /no source/],
    ['-', /standard input/],
    ['tcp:127.0.0.1:514', /do not come by tcp/],
    ['udp:514', /lacks the address/],
    ['udp:', /lacks the address/],
    ['udp:::514', /is no address/],
    ['udp:::1:514', /::1 is no address/],
    ['udp:localhost:514', /localhost is no address/],
    ['udp:127.0.0.1:', /is no port/],
    ['udp:127.0.0.1:65536', /65536 is no port/],
    ['udp:127.0.0.1:syslog', /syslog is no port/],
  ] as const) {
    test(`${text || 'nothing'} is refused`, () => {
      assert.throws(
        () => parseIdsOption(text),
        (caught: unknown) => caught instanceof IdsError && error.test(caught.message) && caught.hint !== '',
      );
    });
  }
});

let directory: string;
let path: string;
let batches: (readonly IdsAlert[])[];
let said: string[];
let sources: IdsSources | undefined;

const openSources = async (
  texts: readonly string[],
  live: boolean,
  onAlerts?: (batch: readonly IdsAlert[]) => void,
): Promise<IdsSources> => {
  sources = await openIdsSources(texts, {
    live,
    onAlerts: (batch) => {
      batches.push(batch);
      onAlerts?.(batch);
    },
    log: { info: (text) => said.push(text), warn: (text) => said.push(text) },
  });
  return sources;
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ids-'));
  path = join(directory, 'eve.json');
  batches = [];
  said = [];
});

afterEach(async () => {
  await sources?.close();
  rmSync(directory, { recursive: true });
});

test('a finished file is there after one look, in batches, and everything in it is counted', async () => {
  const alerts = Array.from({ length: BATCH_ALERTS + 1 }, (_, i) => eve({ src_port: i + 1 }));
  const others = [eve({ event_type: 'dns' }), 'damage', eve({ src_ip: undefined, dest_ip: undefined }), `{${' '.repeat(70_000)}}`];
  writeFileSync(path, [...alerts, ...others].join('\n'));
  const { poll, counters } = await openSources([path], false);
  assert.equal(batches.length, 0);
  await poll();
  assert.deepEqual(
    batches.map((batch) => batch.length),
    [BATCH_ALERTS, 1],
  );
  assert.deepEqual(
    batches.flat().map((alert) => alert.sourcePort),
    alerts.map((_, i) => i + 1),
  );
  assert.deepEqual(counters(), {
    received: BATCH_ALERTS + 5,
    alerts: BATCH_ALERTS + 1,
    other: 1,
    withoutAddresses: 1,
    malformed: 1,
    tooLong: 1,
    rotations: 0,
    truncations: 0,
  });
});

test('the first damaged line of a file is shown, the others are counted', async () => {
  writeFileSync(path, 'first damage\nsecond damage\n');
  const { poll, counters } = await openSources([path], false);
  await poll();
  assert.equal(said.length, 1);
  assert.match(said[0] as string, /eve\.json: a line that is no EVE record: "first damage"/);
  assert.equal(counters().malformed, 2);
});

test('a live run begins at the end that a file has when it is opened', async () => {
  writeFileSync(path, `${eve()}\n`);
  const { poll } = await openSources([path], true);
  appendFileSync(path, `${eve({ src_port: 2 })}\n`);
  await poll();
  assert.deepEqual(
    batches.flat().map((alert) => alert.sourcePort),
    [2],
  );
});

test('syslog: alerts come in their order, without a look', async (t) => {
  let arrived = (): void => {};
  const done = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const { counters } = await openSources(['udp:127.0.0.1:0'], true, () => {
    if (batches.flat().length === 3) arrived();
  });
  const port = Number(/UDP port (\d+) of 127\.0\.0\.1/.exec(said[0] as string)?.[1]);
  const sender = createSocket('udp4');
  t.after(() => sender.close());
  const header = '<174>Jan  2 03:04:05 sensor suricata[1]: ';
  const texts = [1, 2, 3].map((i) => `${header}@cee: ${eve({ src_port: i })}`);
  for (const text of ['<13>Jan  2 03:04:05 host cron[1]: job', `${header}{"event_type":"alert"`, ...texts]) {
    await new Promise((resolve) => sender.send(text, port, '127.0.0.1', resolve));
  }
  await done;
  assert.deepEqual(
    batches.flat().map((alert) => alert.sourcePort),
    [1, 2, 3],
  );
  const { received, alerts, other, malformed } = counters();
  assert.deepEqual({ received, alerts, other, malformed }, { received: 5, alerts: 3, other: 1, malformed: 1 });
});

test('several sources at once', async () => {
  const second = join(directory, 'eve.2.json');
  writeFileSync(path, `${eve({ src_port: 1 })}\n`);
  writeFileSync(second, `${eve({ src_port: 2 })}\n`);
  const { poll, counters } = await openSources([path, second], false);
  await poll();
  assert.deepEqual(
    batches
      .flat()
      .map((alert) => alert.sourcePort)
      .sort(),
    [1, 2],
  );
  assert.equal(counters().alerts, 2);
});

test('when one cannot be opened, the others are closed again', async () => {
  const port = createSocket('udp4');
  await new Promise<void>((resolve) => port.bind(0, '127.0.0.1', resolve));
  const free = port.address().port;
  await new Promise<void>((resolve) => port.close(() => resolve()));
  const text = `udp:127.0.0.1:${free}`;
  await assert.rejects(openSources([text, text], true), /cannot be listened on/);
  await openSources([text], true);
});
