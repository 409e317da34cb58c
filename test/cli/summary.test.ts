/** A snapshot in, the text that people read out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bits, bytes, clock, cut, cutStart, duration, printable, short, wrap } from '../../src/cli/format.ts';
import { sampleOf, statusLine } from '../../src/cli/progress.ts';
import { shortLine } from '../../src/cli/screen.ts';
import { summary } from '../../src/cli/summary.ts';
import type { InterfaceSnapshot, ScriptSnapshot, Snapshot } from '../../src/patrol-types.ts';
import type { CallbackStats } from '../../src/scripts/report.ts';

const BEGAN = 1_700_000_000_000_000;

const office: InterfaceSnapshot = {
  id: 0,
  name: 'captures/a/rather/long/way/to/office.pcap',
  kind: 'pcap',
  state: 'ended',
  warning: 'damaged after 56789 packets: truncated dump file; tried to read 1514 captured bytes, only got 32',
  began: BEGAN,
  clock: BEGAN + 7_265_000_000,
  position: 12_345_678,
  size: 12_345_678,
  counters: { packets: 56_789, bytes: 11_437_054, 'flows.created': 1234, 'flows.active': 0, alerts: 7 },
  protocols: [
    { name: 'DNS', flows: 1000, packets: 2000, bytes: 400_000 },
    { name: 'TLS.Google', flows: 234, packets: 54_789, bytes: 11_037_054 },
  ],
  losses: [
    { name: 'malformed.ipv4-truncated', help: 'packets cut in the IPv4 header', value: 12 },
    { name: 'flows.evicted', help: 'flows ended early because the table was full (raise --max-flows)', value: 1500 },
  ],
};

const stats = (calls: number, failures: number, cpuUs: number): CallbackStats => ({
  calls,
  failures,
  failed: failures === 0 ? {} : { error: failures },
  skipped: {},
  cpuUs,
  meanUs: calls === 0 ? 0 : cpuUs / calls,
  p99Us: 0,
});

const script: ScriptSnapshot = {
  interface: office.name,
  key: 'dns',
  file: 'suspicious_dns.lua',
  path: '/scripts/suspicious_dns.lua',
  title: 'Suspicious DNS',
  description: '',
  prio: 0,
  callbacks: ['protocolDetected', 'idle'],
  state: 'on',
  stats: { protocolDetected: stats(1234, 0, 2468), idle: stats(1000, 3, 12_340) },
  alerts: 7,
  language: 'lua',
  warnings: [],
  shadowAlerts: 0,
  ownHost: false,
  stateLost: 0,
  share: 1,
  lastError: 'suspicious_dns.lua:12: attempt to index a nil value',
};
const broken: ScriptSnapshot = {
  ...script,
  key: 'broken',
  file: 'broken.lua',
  path: '/scripts/broken.lua',
  callbacks: [],
  state: 'error',
  error: "broken.lua:3: 'end' expected near <eof>",
  stats: {},
  alerts: 0,
};
const { error: _, ...loadable } = broken;
const off: ScriptSnapshot = { ...loadable, key: 'off', file: 'off.lua', path: '/scripts/off.lua', state: 'off by setup' };

const golden = (snapshot: Snapshot, expected: string): void => {
  const lines = summary(snapshot);
  assert.equal(`\n${lines.join('\n')}\n`, expected);
  for (const line of lines) assert.ok(line.length <= 80, line);
};

test('one capture, with everything that can be said of it', () => {
  golden(
    { interfaces: [office], scripts: [script, broken, off], losses: [] },
    `
Interface                       flows  packets    bytes     traffic
…ather/long/way/to/office.pcap  1,234   56,789  11.4 MB  2 h 01 min
warning: captures/a/rather/long/way/to/office.pcap: damaged after 56789 packets:
  truncated dump file; tried to read 1514 captured bytes, only got 32

Protocol    flows  packets    bytes   share
TLS.Google    234   54,789  11.0 MB  96.5 %
DNS         1,000    2,000   400 kB   3.5 %

Script              callback          calls  failures  mean µs  alerts
suspicious_dns.lua  protocolDetected  1,234         0      2.0       7
                    idle              1,000         3     12.3
last error: suspicious_dns.lua:12: attempt to index a nil value
not loaded: broken.lua:3: 'end' expected near <eof>
switched off by its setup: off.lua

Alerts: 7
Losses:
     12  packets cut in the IPv4 header (malformed.ipv4-truncated)
  1,500  flows ended early because the table was full (raise --max-flows)
         (flows.evicted)
`,
  );
});

const empty: InterfaceSnapshot = {
  id: 1,
  name: '-',
  kind: 'pcap',
  state: 'ended',
  clock: 0,
  position: -1,
  size: -1,
  counters: {},
  protocols: [],
  losses: [],
};

test('nothing came', () => {
  golden(
    { interfaces: [empty], scripts: [], losses: [] },
    `
Interface       flows  packets  bytes  traffic
standard input      0        0    0 B        -

Alerts: 0
Losses: nothing lost
`,
  );
});

test('two interfaces, one failed: sums, one row a script, names at the losses', () => {
  const eth0: InterfaceSnapshot = {
    ...office,
    id: 1,
    name: 'eth0',
    kind: 'packet',
    losses: [{ name: 'drops.kernel', help: 'packets the kernel dropped', value: 5 }],
    clock: BEGAN + 12_340_000,
  };
  const { warning: _, ...fine } = eth0;
  const failed: InterfaceSnapshot = { ...empty, name: 'x.pcap', state: 'failed', error: 'no\u001b[31m capture' };
  const quiet = { ...script, stats: { protocolDetected: stats(0, 0, 0) } };
  const { lastError: __, ...calm } = quiet;
  golden(
    { interfaces: [fine, failed], scripts: [calm, { ...calm, interface: 'x.pcap' }], losses: [] },
    `
Interface  flows  packets    bytes  traffic
eth0       1,234   56,789  11.4 MB     12 s
x.pcap         0        0      0 B        -
together   1,234   56,789  11.4 MB
failed: x.pcap: no?[31m capture

Protocol    flows  packets    bytes   share
TLS.Google    234   54,789  11.0 MB  96.5 %
DNS         1,000    2,000   400 kB   3.5 %

Script              callback          calls  failures  mean µs  alerts
suspicious_dns.lua  protocolDetected      0         0        -      14
                    idle                  0         0        -

Alerts: 7
Losses:
  5  eth0: packets the kernel dropped (drops.kernel)
`,
  );
});

test('many protocols: the largest twelve, the others in one row, nothing missing', () => {
  const protocols = Array.from({ length: 20 }, (_, i) => ({ name: `P${i}`, flows: 1, packets: 2, bytes: 1000 - i }));
  const lines = summary({ interfaces: [{ ...empty, protocols }], scripts: [], losses: [] });
  const rows = lines.filter((line) => /^(P\d|\d+ others)/.test(line));
  assert.equal(rows.length, 13);
  assert.match(rows[0] as string, /^P0 /);
  assert.match(rows[12] as string, /^8 others +8 +16 +7\.88 kB/);
});

test('status line: a capture shows how far it is, and how long it will take', () => {
  const at = (position: number, packets: number): Snapshot => ({
    interfaces: [{ ...office, state: 'running', position, counters: { ...office.counters, packets, bytes: packets * 500 } }],
    scripts: [],
    losses: [],
  });
  const first = sampleOf(at(0, 0), 0);
  const before = sampleOf(at(1_000_000, 10_000), 1000);
  const now = sampleOf(at(3_086_420, 30_000), 2000);
  assert.equal(
    statusLine(now, before, first, 120),
    '[######------------------] 25 %  20.0k pkt/s  10.0 MB/s  0:06 left  flows 1,234  alerts 7  losses 1,512',
  );
  assert.equal(statusLine(now, before, first, 40).length, 39);
  assert.match(statusLine(first, first, first, 120), /^\[-{24}\] 0 % {2}0 pkt\/s {2}0 B\/s {2}flows/);
});

test('status line: live rates in bits, interfaces that are away', () => {
  const at = (packets: number, state: InterfaceSnapshot['state']): Snapshot => ({
    interfaces: [{ ...empty, name: 'eth0', kind: 'packet', state, counters: { packets, bytes: packets * 1000, 'flows.active': 1234 } }],
    scripts: [],
    losses: [],
  });
  const first = sampleOf(at(0, 'running'), 0);
  const before = sampleOf(at(500, 'running'), 61_000);
  const now = sampleOf(at(1750, 'lost'), 62_000);
  assert.equal(statusLine(now, before, first, 120), '1:02  1.25k pkt/s  10.0 Mbit/s  flows 1,234  alerts 0  no losses  eth0 is away');
});

test('log lines for people', () => {
  assert.equal(shortLine('info', { script: 'dns', interface: 'eth0' }, 'a\tb', true), 'dns| a?b');
  assert.equal(shortLine('warn', { interface: 'eth0' }, 'gone', false), 'warning: eth0: gone');
  assert.equal(shortLine('warn', { interface: 'eth0' }, 'gone', true), '\u001b[33mwarning: \u001b[0meth0: gone');
  assert.equal(shortLine('error', { script: 'dns', callback: 'idle' }, 'x.lua:1: nil', false), 'error: script dns, idle: x.lua:1: nil');
  assert.equal(shortLine('info', {}, 'ready', true), 'ready');
});

test('numbers, sizes, times', () => {
  assert.deepEqual([0, 999, 1000, 1234, 99_949, 99_950, 999_499, 999_500, 1e9].map(bytes), [
    '0 B',
    '999 B',
    '1.00 kB',
    '1.23 kB',
    '99.9 kB',
    '100 kB',
    '999 kB',
    '1.00 MB',
    '1.00 GB',
  ]);
  assert.deepEqual([0.4, 12_345].map(short), ['0', '12.3k']);
  assert.equal(bits(1e9), '1.00 Gbit');
  assert.deepEqual([0, 9.99, 9.999, 59.6, 185, 7620, 97_200].map(duration), [
    '0.00 s',
    '9.99 s',
    '10 s',
    '1 min 00 s',
    '3 min 05 s',
    '2 h 07 min',
    '1 d 03 h',
  ]);
  assert.deepEqual([-1, 7, 3723].map(clock), ['0:00', '0:07', '1:02:03']);
  assert.equal(cut('abcdef', 4), 'abc…');
  assert.equal(cutStart('abcdef', 4), '…def');
  assert.equal(printable('a\u009b1m\u2028b'), 'a?1m?b');
  assert.deepEqual(wrap('aa bb cc', 5, '  '), ['aa bb', '  cc']);
});
