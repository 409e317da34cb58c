import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { R_STATUS } from '../../src/flows/record.ts';
import { PRIORITY, predominant, STATUSES } from '../../src/flows/statuses.ts';
import { createEventView } from '../../src/flows/view.ts';
import { type EventOf, event, NAMES } from '../support/events.ts';

/** A view of an event that does not begin where its bytes begin. */
function viewOf(of: EventOf): ReturnType<typeof createEventView> {
  const bytes = event(of);
  const around = new Uint8Array(64 + bytes.length + 64).fill(0xee);
  around.set(bytes, 64);
  const view = createEventView(NAMES);
  view.set(around.subarray(8), 56);
  return view;
}

describe('event view', () => {
  test('header: callbacks in calling order, times, statuses, flow id', () => {
    const view = viewOf({
      callbacks: ['idle', 'statusChanged', 'protocolDetected'],
      end: 'end of file',
      time: 1_569_859_251_123_456,
      visit: 7,
      interfaceId: 3,
      seq: 42,
      status: 2 ** 40 + 2 ** 31 + 1,
      statusBefore: 2 ** 13,
    });
    assert.deepEqual(view.callbacks(), ['protocolDetected', 'statusChanged', 'idle']);
    assert.equal(view.endReason(), 'end of file');
    assert.equal(view.time(), 1_569_859_251_123_456);
    assert.equal(view.visit(), 7);
    assert.equal(view.interfaceId(), 3);
    assert.equal(view.seq(), 42);
    assert.equal(view.flowId(), 'k3x9-3-42');
    assert.equal(view.status(), 2 ** 40 + 2 ** 31 + 1);
    assert.equal(view.statusLow(), 0x80000001);
    assert.equal(view.statusHigh(), 256);
    assert.equal(view.statusBefore(), 8192);
    assert.equal(view.u32(R_STATUS), 0x80000001);
  });

  test('IPv4 and key words', () => {
    const view = viewOf({ client: '192.168.1.20', server: '255.0.0.1', clientPort: 51514, serverPort: 80, l4: 6, vlan: 4095 });
    assert.equal(view.client(), '192.168.1.20');
    assert.equal(view.server(), '255.0.0.1');
    assert.equal(view.clientWord(0), 3232235796);
    assert.equal(view.clientPort(), 51514);
    assert.equal(view.serverPort(), 80);
    assert.equal(view.l4(), 6);
    assert.equal(view.vlan(), 4095);
    assert.equal(view.isIpv6(), false);
  });

  // RFC 5952, section 4 and 5: [bytes as eight words, text]
  const texts: [string, string][] = [
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['fe80:0:0:0:0:0:0:0', 'fe80::'],
    ['1:0:0:0:0:0:0:2', '1::2'],
    ['0:0:1:0:0:0:2:0', '0:0:1::2:0'],
    ['ABCD:EF01:2345:6789:ABCD:EF01:2345:6789', 'abcd:ef01:2345:6789:abcd:ef01:2345:6789'],
    ['0:0:0:0:0:ffff:c000:0201', '::ffff:192.0.2.1'],
  ];
  for (const [words, text] of texts) {
    test(`IPv6 text ${text}`, () => {
      const view = viewOf({ client: words, server: words });
      assert.equal(view.client(), text);
      assert.equal(view.server(), text);
    });
  }

  test('details: bytes one character each, numbers, absent ones', () => {
    const view = viewOf({
      application: 'HTTP',
      master: 'TLS',
      category: 'Web',
      breed: 'Acceptable',
      confidence: 'DPI',
      risks: [1, 33],
      details: { host_server_name: Uint8Array.of(0x66, 0xff, 0x00, 0xe9, 0x2e), 'http.return_code': 404 },
    });
    assert.equal(view.hasDetail(), true);
    assert.equal(view.application(), 7);
    assert.equal(view.master(), 91);
    assert.equal(view.category(), 5);
    assert.equal(view.breed(), 1);
    assert.equal(view.confidence(), 4);
    assert.equal(view.risksLow(), 2);
    assert.equal(view.risksHigh(), 2);
    assert.equal(view.text('host_server_name'), 'f\xff\x00\xe9.');
    assert.equal(view.number('http.return_code'), 404);
    assert.equal(view.number('host_server_name'), undefined);
    assert.equal(view.text('http.url'), undefined);
    assert.deepEqual([view.is('HTTP'), view.is('TLS'), view.is('DNS')], [true, true, false]);
  });

  test('without a detail block nothing is known', () => {
    const view = viewOf({});
    assert.equal(view.hasDetail(), false);
    assert.deepEqual([view.application(), view.category(), view.risksLow()], [0, 0, 0]);
    assert.equal(view.text('host_server_name'), undefined);
    assert.equal(view.is('HTTP'), false);
  });

  test('moving on leaves nothing of the event before', () => {
    const view = createEventView(NAMES);
    view.set(event({ application: 'HTTP', details: { host_server_name: 'a.example' } }), 0);
    assert.equal(view.text('host_server_name'), 'a.example');
    view.set(event({ application: 'HTTP', details: { 'http.url': '/' } }), 0);
    assert.equal(view.text('host_server_name'), undefined);
    assert.equal(view.text('http.url'), '/');
  });

  test('an entry that reaches beyond the block, and unknown ids, are left out', () => {
    const bytes = event({ application: 'HTTP', details: { 'http.url': '/', host_server_name: 'a.example' } });
    const data = new DataView(bytes.buffer);
    const block = 104 + 384;
    data.setUint16(block + 16, 999, true); // the URL's id
    data.setUint16(block + 16 + 4 + 1 + 2, 5000, true); // the length of the name
    const view = createEventView(NAMES);
    view.set(bytes, 0);
    assert.equal(view.text('http.url'), undefined);
    assert.equal(view.text('host_server_name'), undefined);
    assert.equal(view.application(), 7);
  });
});

describe('statuses', () => {
  test('every id is declared once, in order, and all but 0 have a place', () => {
    assert.deepEqual(
      STATUSES.map((status) => status.id),
      Array.from({ length: STATUSES.length }, (_, id) => id),
    );
    assert.deepEqual(
      [...PRIORITY].sort((a, b) => a - b),
      Array.from({ length: STATUSES.length - 1 }, (_, i) => i + 1),
    );
  });

  test('the strongest wins', () => {
    const of = (...ids: number[]): number => predominant(ids.reduce((bits, id) => bits | (1 << id), 0) >>> 0, 0);
    assert.equal(of(), 0);
    assert.equal(of(0), 0);
    assert.equal(of(12, 13, 26), 13);
    assert.equal(of(6, 22), 22);
    assert.equal(of(17, 18, 19, 25), 19);
    assert.equal(of(12, 25), 12);
    assert.equal(of(27, 15), 27);
  });
});
