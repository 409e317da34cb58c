import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectorTables } from '../../src/cli/interfaces.ts';
import type { InterfaceSnapshot } from '../../src/patrol-types.ts';

const of = (more: Partial<InterfaceSnapshot>): InterfaceSnapshot => ({
  id: 0,
  name: 'eth0',
  kind: 'packet',
  state: 'running',
  clock: 1_700_000_060e6,
  position: -1,
  size: -1,
  counters: { 'flows.created': 1234, bytes: 5_000_000 },
  protocols: [],
  losses: [],
  ...more,
});

test('interfaces, and who sends to each: what it said, what got lost, since when it is silent', () => {
  const probe = {
    source: 'tcp://a:5556#7',
    name: 'edge\u001b[31m',
    version: '10.8',
    messages: 1000,
    records: 9000,
    lost: 3,
    lastContact: 1_700_000_058e6,
  };
  const lines = collectorTables([
    of({}),
    of({
      name: 'tcp://a:5556',
      kind: 'zmq',
      timeouts: { active: 120, idle: 30 },
      probes: [
        { ...probe, activeTimeout: 120, idleTimeout: 30 },
        { source: 'tcp://b:5556', messages: 0, records: 0, lost: 0, lastContact: 0, problem: 'connection refused' },
        { ...probe, source: 'c', samplingRate: 100, lastContact: 1_700_000_000e6, silentSince: 1_700_000_000e6 },
      ],
    }),
  ]);
  assert.deepEqual(lines, [
    'Interface     Kind    State    flows    bytes  time-outs',
    'eth0          packet  running  1,234  5.00 MB  -',
    'tcp://a:5556  zmq     running  1,234  5.00 MB  -t 120 -d 30',
    '',
    'tcp://a:5556',
    'From            Name       Version  messages  records  lost  time-outs     sampling  last heard',
    'tcp://a:5556#7  edge?[31m  10.8        1,000    9,000     3  -t 120 -d 30         -  2.00 s ago',
    'tcp://b:5556                               0        0     0  -                    -  connection refused',
    'c               edge?[31m  10.8        1,000    9,000     3  -                1:100  1 min 00 s ago: silent',
  ]);
});

test('what probes tell beside flows; rejected messages on request', () => {
  const collected = {
    rejected: [
      { reason: 'zmq.rejected.json', from: 'tcp://a:5556', time: 1_700_000_000e6, header: '666c', bytes: 'ab'.repeat(100), length: 300 },
    ],
    interfaces: [
      {
        exporter: '203.0.113.1',
        index: 3,
        name: 'ge-0/0/1\n',
        values: { ifSpeed: 1e9, ifAdminStatus: 'Up', ifOperStatus: 'Up', ifInOctets: 5e6, ifOutOctets: 7e6, ifInErrors: 1, ifOutErrors: 2 },
        updated: 1,
      },
      { exporter: '203.0.113.1', index: 4, name: '', values: {}, updated: 0 },
    ],
    exporters: [],
    probes: [],
    listening: [
      {
        address: '192.0.2.9',
        ports: [
          { protocol: 6, port: 22, process: 'sshd', package: 'openssh' },
          { protocol: 17, port: 53, process: '', package: '' },
        ],
      },
    ],
  };
  const lines = collectorTables([of({ name: 'tcp://a:5556', kind: 'zmq', collected })]);
  assert.deepEqual(lines.slice(2), [
    '',
    'tcp://a:5556: interfaces of exporters',
    'Exporter     Index  Name       State         speed       in      out  errors',
    '203.0.113.1      3  ge-0/0/1?  up     1,000 Mbit/s  5.00 MB  7.00 MB       3',
    '203.0.113.1      4  -          -                 -        -        -       0',
    '',
    'tcp://a:5556: listening ports',
    'Host       listens on',
    '192.0.2.9  22/tcp sshd, 53/udp',
  ]);
  assert.deepEqual(collectorTables([of({ name: 'tcp://a:5556', kind: 'zmq', collected })], { samples: true }).slice(-3), [
    'tcp://a:5556: rejected',
    'Could not be read  From          When                      bytes  Begin, in hexadecimal',
    `zmq.rejected.json  tcp://a:5556  2023-11-14T22:13:20.000Z    300  666c ${'ab'.repeat(32)}…`,
  ]);
});
