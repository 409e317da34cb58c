/** Names of hosts: where they come from, which one wins, limits; and the book that fields ask. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { type FieldValue, fieldByKey } from '../../src/flows/fields.ts';
import { STATE_CLIENT_UNICAST } from '../../src/flows/record.ts';
import { createEventView, type EventView, type Names } from '../../src/flows/view.ts';
import { createGenerations } from '../../src/hosts/generations.ts';
import { createGeo } from '../../src/hosts/geo.ts';
import { createHostBook, type LearningBook, openHostBook } from '../../src/hosts/host-book.ts';
import { keyOfText, textOfKey } from '../../src/hosts/key.ts';
import { cleanName } from '../../src/hosts/names.ts';
import { createPools } from '../../src/hosts/pools.ts';
import { systemAddresses } from '../../src/hosts/system.ts';
import { createVendors, readVendors } from '../../src/hosts/vendors.ts';
import { DETAILS, type EventOf, event, NAMES } from '../support/events.ts';
import { address, ethernet, hex, ipv4, join, pcapFile, udp } from '../support/packets.ts';
import { runCapture } from '../support/run-capture.ts';

const names: Names = {
  ...NAMES,
  protocols: [...NAMES.protocols, 'MDNS', 'QUIC'],
  details: [...new Set([...DETAILS, 'dns.answer_address', 'dns.num_answers', 'http.os'])],
};

/** An event of a flow that began at a second, with details by name. */
interface Said extends Omit<EventOf, 'details' | 'first'> {
  readonly at?: number;
  readonly details?: Readonly<Record<string, string | number | Uint8Array>>;
}
const bytesOf = ({ at = 0, ...of }: Said): Uint8Array => event({ ...of, first: 1_600_000_000_000_000 + at * 1e6 } as EventOf, names);

const bookOf = (
  options: { mostHosts?: number; mostNames?: number; systemAddresses?: readonly string[]; pools?: string } = {},
): LearningBook =>
  createHostBook({
    geo: createGeo({ files: [], off: true }),
    pools: createPools(options.pools ?? '', 'pools'),
    vendors: createVendors(() => readVendors(() => ({ '00000C': 'Cisco Systems, Inc\nSan Jose' }))),
    systemAddresses: options.systemAddresses ?? [],
    ...(options.mostHosts !== undefined && { mostHosts: options.mostHosts }),
    ...(options.mostNames !== undefined && { mostNames: options.mostNames }),
  });

const nameIn = (book: LearningBook, host: string): string => book.facts(address(host), 0, host.includes(':')).name;

function learned(events: readonly Said[], book = bookOf()): LearningBook {
  const view = createEventView(names, book);
  for (const of of events) {
    view.set(bytesOf(of), 0);
    book.learn(view);
  }
  return book;
}

const dns = (name: string, answer: string, at = 0): Said => ({
  at,
  client: '10.0.0.1',
  server: '10.0.0.53',
  l4: 17,
  application: 'DNS',
  details: { host_server_name: name, 'dns.query_type': 1, 'dns.answer_address': answer },
});
const asked = (application: string, server: string, name: string, at = 0, more: Said['details'] = {}): Said => ({
  at,
  client: server.includes(':') ? 'fd00::1' : '10.0.0.1',
  server,
  l4: 6,
  application,
  details: { host_server_name: name, ...more },
});
const dhcp = (client: string, clientMac: string, name: string, at = 0): Said => ({
  at,
  client,
  clientPort: 68,
  clientMac,
  server: '255.255.255.255',
  serverPort: 67,
  l4: 17,
  application: 'DHCP',
  details: { host_server_name: name },
});
const mdns = (client: string, name: string, more: Said['details'] = {}): Said => ({
  client,
  server: client.includes(':') ? 'ff02::fb' : '224.0.0.251',
  clientPort: 5353,
  serverPort: 5353,
  l4: 17,
  application: 'MDNS',
  details: { host_server_name: name, ...more },
});
const CARD = '00:00:0c:00:00:14';

describe('sources', () => {
  test('DNS: the address of the answer has the name that was asked for', () => {
    const book = learned([dns('www.example.org', '93.184.216.34'), dns('six.example.org.', '2606:2800::1')]);
    assert.equal(nameIn(book, '93.184.216.34'), 'www.example.org');
    assert.equal(nameIn(book, '2606:2800::1'), 'six.example.org');
    assert.deepEqual(
      ['10.0.0.1', '10.0.0.53'].map((host) => nameIn(book, host)),
      ['', ''],
    );
  });

  test('DNS: no name from reverse questions, from answers that block, without an answer', () => {
    const book = learned([
      dns('4.3.2.1.in-addr.arpa', '1.2.3.4'),
      ...['0.0.0.0', '127.0.0.1', '::1', '::', '255.255.255.255', 'x'].map((answer) => dns('ads.example.org', answer)),
      { ...dns('a.example.org', ''), details: { host_server_name: 'a.example.org' } },
    ]);
    assert.equal(book.counters().namesLearned, 0);
  });

  test('TLS, QUIC and HTTP: the server has the name that the client asked for', () => {
    const book = learned([
      asked('TLS', '1.0.0.1', 'tls.example.org'),
      asked('QUIC', '1.0.0.2', 'quic.example.org'),
      { ...asked('Google', '1.0.0.3', 'google.example.org'), master: 'TLS' },
      asked('HTTP', '1.0.0.4', 'http.example.org:8080'),
      asked('HTTP', '1.0.0.5', 'behind-a-proxy.example.org', 0, { 'http.method': 'CONNECT' }),
      asked('SSH', '1.0.0.6', 'ssh'),
    ]);
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6].map((n) => nameIn(book, `1.0.0.${n}`)),
      ['tls.example.org', 'quic.example.org', 'google.example.org', 'http.example.org', '', ''],
    );
  });

  test('mDNS: the answering host; no services, no questions', () => {
    const book = learned([
      mdns('10.0.0.20', 'laptop.local', { 'dns.answer_address': '10.0.0.21' }),
      mdns('10.0.0.22', 'tv.local', { 'dns.num_answers': 1 }),
      mdns('10.0.0.23', 'asked.local'),
      mdns('10.0.0.24', '_googlecast._tcp.local', { 'dns.num_answers': 1 }),
      mdns('10.0.0.25', 'Study._ipp._tcp.local', { 'dns.num_answers': 1 }),
    ]);
    assert.deepEqual(
      [20, 21, 22, 23, 24, 25].map((n) => nameIn(book, `10.0.0.${n}`)),
      ['', 'laptop.local', 'tv.local', '', '', ''],
    );
  });

  test('DHCP: renewal by address', () => {
    const toServer = dhcp('10.0.0.7', CARD, 'laptop');
    const fromServer: Said = {
      client: '10.0.0.254',
      clientPort: 67,
      server: '10.0.0.8',
      serverPort: 68,
      l4: 17,
      application: 'DHCP',
      details: { host_server_name: 'phone' },
    };
    const book = learned([toServer, fromServer]);
    assert.deepEqual(
      ['10.0.0.7', '10.0.0.8', '10.0.0.254', '255.255.255.255'].map((host) => nameIn(book, host)),
      ['laptop', 'phone', '', ''],
    );
  });

  test('DHCP without an address: the first local address of the card afterwards, and its link-local one', () => {
    const traffic = (client: string, clientNetwork?: number): Said => ({
      client,
      clientMac: CARD,
      server: client.includes(':') ? 'ff02::1' : '8.8.8.8',
      l4: 17,
      ...(clientNetwork !== undefined && { clientNetwork }),
    });
    const book = learned([
      traffic('10.0.0.6', 0),
      dhcp('0.0.0.0', CARD, 'laptop'),
      traffic('93.184.216.34'),
      traffic('10.0.0.7', 0),
      traffic('10.0.0.8', 0),
      traffic('fe80::1'),
      traffic('2a00::1', 0),
    ]);
    assert.deepEqual(
      ['10.0.0.6', '93.184.216.34', '10.0.0.7', '10.0.0.8', 'fe80::1', '2a00::1', '0.0.0.0'].map((host) => nameIn(book, host)),
      ['', '', 'laptop', '', 'laptop', '', ''],
    );
    // the same name for the same card again keeps the address it belongs to
    learned([dhcp('0.0.0.0', CARD, 'laptop', 1), traffic('10.0.0.8', 0)], book);
    assert.deepEqual([nameIn(book, '10.0.0.7'), nameIn(book, '10.0.0.8')], ['laptop', '']);
    // as the server of a flow
    learned(
      [
        dhcp('0.0.0.0', '00:00:0c:00:00:15', 'printer'),
        { client: '10.0.0.7', server: '10.0.0.9', serverMac: '00:00:0c:00:00:15', serverNetwork: 0, l4: 6 },
      ],
      book,
    );
    assert.equal(nameIn(book, '10.0.0.9'), 'printer');
  });
});

describe('which name wins', () => {
  const host = '10.0.0.7';

  test('the stronger source, in either order', () => {
    const book = bookOf();
    const steps: [() => void, string][] = [
      [() => learned([asked('HTTP', host, 'http', 5)], book), 'http'],
      [() => learned([asked('TLS', host, 'tls', 6)], book), 'tls'],
      [() => learned([asked('HTTP', host, 'http again', 7)], book), 'http again'],
      [() => book.put(host, 'reverse', 'reverse'), 'reverse'],
      [() => learned([asked('TLS', host, 'tls', 8)], book), 'reverse'],
      [() => learned([dns('dns', host, 1)], book), 'dns'],
      [() => book.put(host, 'reverse', 'reverse'), 'dns'],
      [() => learned([mdns(host, 'mdns.local', { 'dns.num_answers': 1 })], book), 'mdns.local'],
      [() => learned([dns('dns', host, 9)], book), 'mdns.local'],
      [() => learned([dhcp(host, CARD, 'dhcp')], book), 'dhcp'],
      [() => learned([mdns(host, 'mdns.local', { 'dns.num_answers': 1 })], book), 'dhcp'],
      [() => book.put(host, 'mine', 'own'), 'mine'],
      [() => learned([dhcp(host, CARD, 'dhcp', 99)], book), 'mine'],
      [() => book.put(host, 'mine too', 'own'), 'mine too'],
    ];
    for (const [step, name] of steps) {
      step();
      assert.equal(nameIn(book, host), name);
    }
  });

  test('within a source the flow that began later, in any order of events', () => {
    const events = [dns('first', host, 1), dns('third', host, 3), dns('second', host, 2)];
    fc.assert(
      fc.property(fc.shuffledSubarray(events, { minLength: 3 }), (order) => {
        assert.equal(nameIn(learned(order), host), 'third');
      }),
    );
  });

  test('what is learned comes out once; what was put in does not come out', () => {
    const book = learned([dns('a', host, 1), dns('a', host, 2), asked('TLS', host, 'weaker', 3), dns('b', host, 4)]);
    book.put('10.0.0.9', 'from elsewhere', 'reverse');
    assert.deepEqual(book.takeLearned(), [
      { address: host, name: 'a', source: 'dns' },
      { address: host, name: 'b', source: 'dns' },
    ]);
    assert.deepEqual(book.takeLearned(), []);
    assert.equal(book.counters().namesLearned, 3);
    book.put('no address', 'x', 'own');
    book.put('10.0.0.10', '10.0.0.10', 'own');
    assert.equal(book.counters().namesLearned, 3);
  });

  test('proper names', () => {
    const rows: [string, string][] = [
      ['www.example.org.', 'www.example.org'],
      [' laptop ', 'laptop'],
      ['a\x00b\x1b[31m', 'a?b?[31m'],
      ['K\xc3\xb6ln', 'K\xc3\xb6ln'],
      ['caf\xe9', 'caf?'],
      ['a\xe2\x80\xaeb', 'a?b'], // U+202E turns text around
      ['a\xc2\x85b', 'a?b'], // U+0085 is a control character
      ['10.0.0.1', ''],
      ['2001:db8::1', ''],
      ['[2001:db8::1]', ''],
      ['.', ''],
      ['x'.repeat(300), 'x'.repeat(253)],
    ];
    for (const [raw, name] of rows) assert.equal(cleanName(raw), name, JSON.stringify(raw));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const name = cleanName(Buffer.from(bytes).toString('latin1'));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
        assert.doesNotMatch(name, /[\x00-\x1f\x7f]/);
        assert.equal(cleanName(name), name);
      }),
    );
  });
});

describe('limits', () => {
  test('names: the least recently used goes, and is counted', () => {
    const book = bookOf({ mostNames: 3, mostHosts: 4 });
    for (let i = 1; i <= 3; i++) book.put(`10.0.0.${i}`, `n${i}`, 'dns');
    assert.equal(nameIn(book, '10.0.0.1'), 'n1');
    book.put('10.0.0.4', 'n4', 'dns');
    assert.deepEqual(
      [1, 2, 3, 4].map((n) => nameIn(book, `10.0.0.${n}`)),
      ['n1', '', 'n3', 'n4'],
    );
    assert.equal(book.counters().namesEvicted, 1);
    // a host that is open loses its name too
    for (let i = 5; i <= 7; i++) book.put(`10.0.0.${i}`, `n${i}`, 'dns');
    assert.equal(nameIn(book, '10.0.0.4'), '');
  });

  test('names that nobody takes', () => {
    const book = learned(Array.from({ length: 8200 }, (_, i) => dns('n', `10.1.${i >> 8}.${i & 255}`)).slice(1));
    assert.equal(book.takeLearned().length, 8192);
    assert.equal(book.counters().namesUntaken, 7);
  });

  test('hosts: two generations, those in use stay', () => {
    const kept: number[] = [];
    const map = createGenerations<number, string>(4, (key) => kept.push(key));
    for (const key of [1, 2]) map.set(key, `v${key}`);
    map.set(3, 'v3');
    assert.equal(map.get(1), 'v1'); // from the old generation
    map.set(4, 'v4'); // 3 and 1 become the old one, 2 is gone
    assert.deepEqual([1, 2, 3, 4].map(map.peek), ['v1', undefined, 'v3', 'v4']);
    assert.deepEqual(kept, [1]);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.boolean())), (steps) => {
        const bounded = createGenerations<number, number>(6);
        const all = new Map<number, number>();
        for (const [index, [key, write]] of steps.entries()) {
          if (write) {
            bounded.set(key, index);
            all.set(key, index);
          } else {
            const value = bounded.get(key);
            if (value !== undefined) assert.equal(value, all.get(key));
          }
          assert.ok(bounded.size <= 6);
        }
      }),
    );
  });
});

describe('the book', () => {
  test('keys read back as the same address', () => {
    for (const text of ['0.0.0.0', '255.255.255.255', '10.0.0.1']) assert.equal(textOfKey(keyOfText(text) ?? ''), text);
    assert.equal(textOfKey(keyOfText('2001:db8::ff00:1') ?? ''), '2001:db8:0:0:0:0:ff00:1');
    assert.equal(keyOfText('example.org'), undefined);
  });

  test('a host that was open before gets its name', () => {
    const book = bookOf();
    const facts = book.facts(address('10.0.0.7'), 0, false);
    assert.equal(facts.name, '');
    learned([dns('later', '10.0.0.7')], book);
    assert.equal(book.facts(address('10.0.0.7'), 0, false).name, 'later');
    assert.equal(book.counters().opened, 1);
  });

  test('fields: name, system host, pool, vendor, operating system, kinds of addresses', () => {
    const book = bookOf({ systemAddresses: ['10.0.0.1', 'fd00::1'], pools: '[Lab]\n10.0.0.0/24\n' });
    const view = createEventView(names, book);
    const read = (of: Said, ...keys: string[]): (FieldValue | undefined)[] => {
      view.set(bytesOf(of), 0);
      book.learn(view);
      return keys.map((key) => fieldByKey.get(key)?.read(view));
    };
    assert.deepEqual(
      read(
        { ...asked('HTTP', '1.2.3.4', 'www.example.org', 0, { 'http.os': 'Linux' }), clientMac: CARD, state: STATE_CLIENT_UNICAST },
        ...['cli.host', 'srv.host', 'cli.systemhost', 'srv.systemhost', 'cli.pool_id', 'cli.pool', 'srv.pool', 'cli.vendor', 'srv.vendor'],
        ...['cli.os', 'srv.os', 'cli.broadmulticast', 'srv.broadmulticast', 'cli.devtype', 'cli.country', 'cli.asn', 'src_as'],
      ),
      ['', 'www.example.org', true, false, 1, 'Lab', 'Default', 'Cisco Systems, Inc', '', 'Linux', '', false, false, 0, '', 0, undefined],
    );
    assert.deepEqual(read(asked('TLS', '2a00::1', 'six.example.org'), 'srv.host', 'cli.systemhost', 'cli.host'), [
      'six.example.org [IPv6]',
      true,
      '',
    ]);
    assert.deepEqual(read({ client: '0.0.0.0', server: '255.255.255.255' }, 'cli.broadmulticast', 'srv.broadmulticast'), [false, true]);
    assert.deepEqual(read({ client: '::', server: 'ff02::1' }, 'cli.broadmulticast', 'srv.broadmulticast'), [false, true]);
    assert.deepEqual(read({ client: '0.1.2.3', server: '239.255.0.1' }, 'cli.broadmulticast', 'srv.broadmulticast'), [false, true]);
    assert.deepEqual(read({ client: '240.0.0.1', server: '224.0.0.0' }, 'cli.broadmulticast', 'srv.broadmulticast'), [false, true]);
    assert.deepEqual(read({ client: '2001:db8::ff', server: 'fe80::1' }, 'cli.broadmulticast', 'srv.broadmulticast'), [false, false]);
  });

  test('fields: place and autonomous system', () => {
    const book = openHostBook({ geoFiles: [], systemAddresses: systemAddresses() });
    const view = createEventView(names, book);
    view.set(bytesOf({ client: '10.0.0.1', server: '8.8.8.8', l4: 6 }), 0);
    const read = (...keys: string[]): (FieldValue | undefined)[] => keys.map((key) => fieldByKey.get(key)?.read(view));
    assert.deepEqual(read('srv.country', 'srv.city', 'srv.latitude', 'srv.asn', 'srv.as_name', 'dst_as'), [
      'US',
      '',
      0,
      15169,
      'Google LLC',
      15169,
    ]);
    assert.deepEqual(read('cli.country', 'cli.asn', 'src_as', 'cli.quota_source'), ['', 0, undefined, undefined]);
    assert.equal(book.facts(address('127.0.0.1'), 0, false).systemHost, true);
  });

  test('any bytes are an event that can be learned from', () => {
    const book = bookOf();
    const view = createEventView(names, book);
    const detail = fc.tuple(
      fc.constantFrom(...names.details),
      fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.double(), fc.ipV4(), fc.ipV6()),
    );
    fc.assert(
      fc.property(
        fc.array(detail),
        fc.constantFrom('HTTP', 'DNS', 'TLS', 'DHCP', 'MDNS', 'QUIC'),
        fc.ipV4(),
        (details, application, host) => {
          view.set(bytesOf({ client: host, server: host, application, clientPort: 68, details: Object.fromEntries(details) }), 0);
          book.learn(view);
        },
      ),
    );
    for (const { name } of book.takeLearned()) assert.equal(cleanName(name), name);
  });
});

describe('with the real detection', () => {
  const folder = mkdtempSync(path(tmpdir(), 'names-'));
  after(() => rmSync(folder, { recursive: true }));
  const learnedFrom = (file: string): LearningBook => {
    const book = bookOf();
    runCapture(file, {}, (view: EventView) => book.learn(view));
    return book;
  };
  const capture = (name: string): string => path(import.meta.dirname, '..', 'captures', name);

  test('QUIC, HTTP', () => {
    assert.equal(nameIn(learnedFrom(capture('quic.pcap')), '157.240.201.15'), 'scontent-ams4-1.xx.fbcdn.net');
    const http = learnedFrom(capture('http-dns.pcap')).takeLearned();
    assert.ok(
      http.some(({ source }) => source === 'http'),
      JSON.stringify(http),
    );
  });

  test('the same capture, the same names', () => {
    const [first, second] = [learnedFrom(capture('http-dns.pcap')), learnedFrom(capture('http-dns.pcap'))];
    assert.deepEqual(first.takeLearned(), second.takeLearned());
  });

  /** `a.local` and its like as labels, in hexadecimal. */
  const labels = (name: string): string =>
    `${name
      .split('.')
      .map((label) => label.length.toString(16).padStart(2, '0') + Buffer.from(label).toString('hex'))
      .join('')}00`;
  const datagram = (from: string, to: string, ports: readonly [number, number], payload: string): Uint8Array =>
    ethernet({ from: CARD }, ipv4({ from, to }, udp({ from: ports[0], to: ports[1] }, hex(payload))));

  test('DNS: question and answer', () => {
    const file = path(folder, 'dns.pcap');
    const question = `${labels('www.example.com')}00010001`;
    const toServer = datagram('10.0.0.1', '10.0.0.53', [5000, 53], `00010100 0001 0000 0000 0000 ${question}`);
    const fromServer = datagram(
      '10.0.0.53',
      '10.0.0.1',
      [53, 5000],
      `00018180 0001 0001 0000 0000 ${question} c00c 0001 0001 0000003c 0004 5db8d822`,
    );
    writeFileSync(
      file,
      pcapFile([
        { time: 1_600_000_000_000_000, bytes: toServer },
        { time: 1_600_000_000_010_000, bytes: fromServer },
      ]),
    );
    const book = learnedFrom(file);
    assert.equal(nameIn(book, '93.184.216.34'), 'www.example.com');
    assert.equal(book.counters().namesLearned, 1);
  });

  test('mDNS: an announcement, a question, a service', () => {
    const file = path(folder, 'mdns.pcap');
    const message = (host: number, payload: string): { time: number; bytes: Uint8Array } => ({
      time: 1_600_000_000_000_000 + host,
      bytes: datagram(`192.168.1.${host}`, '224.0.0.251', [5353, 5353], payload),
    });
    writeFileSync(
      file,
      pcapFile([
        message(20, `00008400 0000 0001 0000 0000 ${labels('laptop.local')} 0001 8001 00000078 0004 c0a80114`),
        message(21, `00000000 0001 0000 0000 0000 ${labels('laptop.local')} 0001 0001`),
        message(22, `00008400 0000 0001 0000 0000 ${labels('_ipp._tcp.local')} 000c 0001 00000078 0002 c00c`),
      ]),
    );
    const book = learnedFrom(file);
    assert.deepEqual(
      [20, 21, 22].map((n) => nameIn(book, `192.168.1.${n}`)),
      ['laptop.local', '', ''],
    );
  });

  test('DHCP', () => {
    const hostName = `0c06${Buffer.from('laptop').toString('hex')}`;
    const request = hex(
      `01010600 12345678 00000000 00000000 00000000 00000000 00000000 020000000014 ${'00'.repeat(202)} 63825363 350103 ${hostName} 37020103 ff`,
    );
    const file = path(folder, 'dhcp.pcap');
    const frame = (from: string, to: string, port: number, payload: Uint8Array): Uint8Array =>
      ethernet({ from: CARD }, ipv4({ from, to }, udp({ from: port, to: port - 1 }, payload)));
    writeFileSync(
      file,
      pcapFile([
        { time: 1_600_000_000_000_000, bytes: frame('0.0.0.0', '255.255.255.255', 68, request) },
        { time: 1_600_000_001_000_000, bytes: frame('192.168.1.20', '8.8.8.8', 5000, join('hello')) },
      ]),
    );
    assert.equal(nameIn(learnedFrom(file), '192.168.1.20'), 'laptop');
  });
});
