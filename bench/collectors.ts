/**
 * What a flow record costs: flows/s per CPU-second of the interface thread, from the socket to the flow table, with visits and one script.
 *
 *   npm run bench:collectors [-- --rounds 3 --records 1200000 --kinds json-1,v9]
 *
 *   this process ──starts──► a process per run: sender, flowpatrol with one interface        (--run KIND)
 *                     └────► peers: JSON.parse over the same bytes (--parse KIND); nfcapd, then nfdump over what it has written
 *
 * ZMQ messages come from libzmq's publisher, NetFlow from a UDP socket. The sender waits for the receiver, so nothing is lost and its pace is
 * the receiver's. A flow is told by four records (four partial ones of both directions, or two of each), the second half long after the first,
 * so the table is as cold as it is in life. Time-outs of 5 s make visits come while records do. Figures stand in docs/performance.md.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Publisher } from 'zeromq';
import { DEFAULT_CONFIG } from '../src/config.ts';
import { createPatrol } from '../src/patrol.ts';
import { set, template } from '../test/records/netflow/support.ts';
import { header, json, type TlvRecord, tlv } from '../test/records/zmq/encode.ts';

const KINDS = ['json-1', 'json-20', 'tlv-16', 'v5', 'v9', 'ipfix'] as const;
type Kind = (typeof KINDS)[number];

const ABOUT: Readonly<Record<Kind, string>> = {
  'json-1': 'ZMQ, JSON, 1 record a message',
  'json-20': 'ZMQ, JSON, 20 records a message',
  'tlv-16': 'ZMQ, TLV, 16 records a message',
  v5: 'NetFlow v5, 30 records a datagram',
  v9: 'NetFlow v9, 30 records a datagram',
  ipfix: 'IPFIX, 30 records a datagram',
};
/** Flows/s per CPU-second of the interface thread. */
const TARGETS: Partial<Readonly<Record<Kind, number>>> = { 'json-1': 45_000, 'json-20': 150_000, 'tlv-16': 200_000, v9: 300_000 };
const BATCH: Readonly<Record<Kind, number>> = { 'json-1': 1, 'json-20': 20, 'tlv-16': 16, v5: 30, v9: 30, ipfix: 30 };
const RECORDS_OF_A_FLOW = 4;
const TIMEOUT_S = 5;
/** Records/s that are sent at most: what scripts see of them costs the script host more than the records cost their thread. */
const PACE = 100_000;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    records: { type: 'string', default: '1200000' },
    kinds: { type: 'string', default: KINDS.join(',') },
    run: { type: 'string' },
    parse: { type: 'string' },
  },
});
const RECORDS = Number(options.records);
/** Of records that come one by one a third is enough. */
const recordsOf = (kind: Kind): number => {
  const wanted = BATCH[kind] === 1 ? RECORDS / 3 : RECORDS;
  return Math.ceil(wanted / RECORDS_OF_A_FLOW / 240) * 240 * RECORDS_OF_A_FLOW;
};

/** What is in the records. */
interface Told {
  readonly flow: number;
  readonly part: number;
}

/** Of the records; exporters tell late. */
const START_S = Math.floor(Date.now() / 1000) - 60;
const servicePort = (flow: number): number => [443, 443, 53, 443, 80, 123, 22, 8080][flow & 7] as number;
const protocolOf = (flow: number): number => ([53, 123].includes(servicePort(flow)) ? 17 : 6);

/** As a probe with ntopng's template and 46 fields sends it; names of TLS servers and DNS queries where a flow has one. */
function probeRecord({ flow, part }: Told): Record<string, number | string> {
  const tcp = protocolOf(flow) === 6;
  const first = START_S + (flow % 20);
  return {
    '8': `10.${(flow >> 16) & 255}.${(flow >> 8) & 255}.${flow & 255}`,
    '12': `198.51.${flow % 97}.${flow % 251}`,
    '7': 1024 + (flow % 60_000),
    '11': servicePort(flow),
    '4': protocolOf(flow),
    '60': 4,
    '5': 0,
    '55': 0,
    '6': tcp ? 27 : 0,
    '1': 2345 + (flow & 1023),
    '2': 12,
    '23': 45_678 + (flow & 4095),
    '24': 34,
    '22': first + part,
    '21': first + part + 1,
    '10': 3,
    '14': 5,
    '16': 64_500,
    '17': 64_501,
    '15': '192.0.2.254',
    '56': '02:00:00:00:00:01',
    '57': '02:00:00:00:00:02',
    '58': 100,
    '59': 100,
    '61': 1,
    '130': '203.0.113.1',
    '57550': tcp ? 26 : 0,
    '57551': tcp ? 26 : 0,
    '57581': 0,
    '57582': 1,
    '57583': 0,
    '57584': 0,
    '57590': tcp ? '91.126' : '5.126',
    '57591': tcp ? 'TLS.Google' : 'DNS.Google',
    '57595': 11.25,
    '57596': 3.5,
    '57597': 20.125,
    '57660': tcp ? `www${flow % 500}.example.com` : '',
    '57652': '',
    '57653': 0,
    '57677': tcp ? '' : `www${flow % 500}.example.com`,
    '57888': 64_240,
    '57892': 65_535,
    '57981': flow % 16 === 0 ? 1 << 20 : 0,
    '58061': 42,
    '35632.57943': '192.0.2.5',
  };
}

const asTlv = (fields: Record<string, number | string>): TlvRecord =>
  Object.entries(fields).map(([key, value]) => [
    /^\d+$/.test(key) ? Number(key) : key,
    typeof value === 'number' && !Number.isInteger(value) ? { float: value } : value,
  ]);

/** The records of a message, in the order in which they are told. */
function toldBy(kind: Kind, message: number): Told[] {
  const flows = recordsOf(kind) / RECORDS_OF_A_FLOW;
  const isOneWay = kind === 'v5' || kind === 'v9' || kind === 'ipfix';
  return Array.from({ length: BATCH[kind] }, (_, i) => {
    const n = message * BATCH[kind] + i;
    // one way: both directions of a flow come one after the other
    if (isOneWay) return { flow: (n >> 1) % flows, part: (n & 1) + 2 * Math.floor(n / 2 / flows) };
    return { flow: n % flows, part: Math.floor(n / flows) };
  });
}

const payloadOf = (kind: Kind, message: number): Buffer => {
  const records = toldBy(kind, message).map(probeRecord);
  return kind === 'tlv-16' ? tlv(records.map(asTlv)) : json(records.length === 1 ? records[0] : records);
};

const FIELDS = [
  [8, 4],
  [12, 4],
  [7, 2],
  [11, 2],
  [4, 1],
  [5, 1],
  [6, 1],
  [10, 4],
  [14, 4],
  [1, 4],
  [2, 4],
] as const;
const TIMES_V9 = [
  [22, 4],
  [21, 4],
] as const;
const TIMES_IPFIX = [
  [152, 8],
  [153, 8],
] as const;
const UPTIME = 3_600_000;
const TEMPLATES = 64;

/** A datagram as it is on the wire; a template now and then. */
function datagramOf(kind: Kind, message: number): Buffer {
  const told = toldBy(kind, message);
  const withTemplate = kind !== 'v5' && message % TEMPLATES === 0;
  const fields = [...FIELDS, ...(kind === 'ipfix' ? TIMES_IPFIX : TIMES_V9)];
  const templates = withTemplate ? set(kind === 'ipfix' ? 2 : 0, template(256, fields)) : Buffer.alloc(0);
  const head = { v5: 24, v9: 20, ipfix: 16 }[kind as 'v5' | 'v9' | 'ipfix'];
  const size = kind === 'v5' ? 48 : kind === 'ipfix' ? 47 : 39;
  const setHead = kind === 'v5' ? 0 : 4;
  const padding = kind === 'v5' ? 0 : (4 - ((told.length * size) % 4)) % 4;
  const bytes = Buffer.alloc(head + templates.length + setHead + told.length * size + padding);
  let at = head;
  if (kind === 'v5') {
    bytes.writeUInt16BE(5, 0);
    bytes.writeUInt16BE(told.length, 2);
    bytes.writeUInt32BE(UPTIME, 4);
    bytes.writeUInt32BE(START_S + 60, 8);
    bytes.writeUInt32BE(message * told.length, 16);
  } else if (kind === 'v9') {
    bytes.writeUInt16BE(9, 0);
    bytes.writeUInt16BE(told.length + (withTemplate ? 1 : 0), 2);
    bytes.writeUInt32BE(UPTIME, 4);
    bytes.writeUInt32BE(START_S + 60, 8);
    bytes.writeUInt32BE(message, 12);
  } else {
    bytes.writeUInt16BE(10, 0);
    bytes.writeUInt16BE(bytes.length, 2);
    bytes.writeUInt32BE(START_S + 60, 4);
    bytes.writeUInt32BE(message * told.length, 8);
  }
  templates.copy(bytes, at);
  at += templates.length;
  if (setHead > 0) {
    bytes.writeUInt16BE(256, at);
    bytes.writeUInt16BE(bytes.length - at, at + 2);
    at += setHead;
  }
  for (const { flow, part } of told) {
    const answer = (part & 1) === 1;
    const first = (flow % 20) + (part >> 1) * 2;
    const client = (10 << 24) | (flow & 0xffffff);
    const server = (198 << 24) | (51 << 16) | ((flow % 97) << 8) | (flow % 251) | 0;
    const ports = [1024 + (flow % 60_000), servicePort(flow)];
    bytes.writeInt32BE(answer ? server : client, at);
    bytes.writeInt32BE(answer ? client : server, at + 4);
    const [flags, octets, packets] = [protocolOf(flow) === 6 ? 26 : 0, answer ? 45_678 : 2345, answer ? 34 : 12];
    const [srcPort, dstPort] = answer ? [ports[1] as number, ports[0] as number] : [ports[0] as number, ports[1] as number];
    if (kind === 'v5') {
      bytes.writeUInt16BE(3, at + 12);
      bytes.writeUInt16BE(5, at + 14);
      bytes.writeUInt32BE(packets, at + 16);
      bytes.writeUInt32BE(octets, at + 20);
      bytes.writeUInt32BE(UPTIME - 60_000 + first * 1000, at + 24);
      bytes.writeUInt32BE(UPTIME - 59_000 + first * 1000, at + 28);
      bytes.writeUInt16BE(srcPort, at + 32);
      bytes.writeUInt16BE(dstPort, at + 34);
      bytes[at + 37] = flags;
      bytes[at + 38] = protocolOf(flow);
    } else {
      bytes.writeUInt16BE(srcPort, at + 8);
      bytes.writeUInt16BE(dstPort, at + 10);
      bytes[at + 12] = protocolOf(flow);
      bytes[at + 14] = flags;
      bytes.writeUInt32BE(3, at + 15);
      bytes.writeUInt32BE(5, at + 19);
      bytes.writeUInt32BE(octets, at + 23);
      bytes.writeUInt32BE(packets, at + 27);
      if (kind === 'v9') {
        bytes.writeUInt32BE(UPTIME - 60_000 + first * 1000, at + 31);
        bytes.writeUInt32BE(UPTIME - 59_000 + first * 1000, at + 35);
      } else {
        bytes.writeBigUInt64BE(BigInt((START_S + first) * 1000), at + 31);
        bytes.writeBigUInt64BE(BigInt((START_S + first + 1) * 1000), at + 39);
      }
    }
    at += size;
  }
  return bytes;
}

/** CPU seconds of a thread or of all threads of a process, by the scheduler's account. */
const schedSeconds = (path: string): number => Number(readFileSync(path, 'latin1').split(' ')[0]) / 1e9;

const threadsOf = (pid: number | string): string[] => readdirSync(`/proc/${pid}/task`);

/** Bytes that wait at a UDP port, and datagrams that the kernel has dropped there. */
function udpQueue(port: number): { readonly waiting: number; readonly dropped: number } {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const sum = { waiting: 0, dropped: 0 };
  for (const table of ['/proc/net/udp', '/proc/net/udp6']) {
    for (const line of readFileSync(table, 'latin1').split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/);
      if (columns[1]?.endsWith(suffix) !== true) continue;
      sum.waiting += Number.parseInt(columns[4]?.split(':')[1] ?? '0', 16);
      sum.dropped += Number(columns[12]);
    }
  }
  return sum;
}

/** @returns waits until so many records may have been sent */
function createPace(): (records: number) => Promise<void> {
  const began = performance.now();
  return async (records) => {
    const early = (records / PACE) * 1000 - (performance.now() - began);
    if (early > 1) await wait(early);
  };
}

/** Sends all datagrams; the receiver never has more than a burst to do. */
async function sendDatagrams(kind: Kind, port: number): Promise<void> {
  const socket = createSocket('udp4');
  const messages = recordsOf(kind) / BATCH[kind];
  const pace = createPace();
  for (let message = 0; message < messages; ) {
    await pace(message * BATCH[kind]);
    const sent: Promise<void>[] = [];
    for (let i = 0; i < 60 && message < messages; i++, message++) {
      const { promise, resolve } = Promise.withResolvers<void>();
      socket.send(datagramOf(kind, message), port, '127.0.0.1', () => resolve());
      sent.push(promise);
    }
    await Promise.all(sent);
    while (udpQueue(port).waiting > 60_000) await new Promise(setImmediate);
  }
  while (udpQueue(port).waiting > 0) await wait(1);
  socket.close();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

interface Run {
  readonly kind: Kind;
  readonly records: number;
  /** CPU seconds of the interface thread until all records are in the table, and until its end: last visits of all flows. */
  readonly reading: number;
  readonly cpu: number;
  readonly whole: number;
  readonly flows: number;
  readonly visits: number;
  readonly events: number;
  readonly losses: readonly string[];
}

/** One run, in a process of its own. */
async function runOne(kind: Kind): Promise<Run> {
  const isZmq = BATCH[kind] !== 30;
  // made before, so that the sender leaves the machine to the receiver; each flow is told again and again by the same bytes
  const payloads = isZmq ? Array.from({ length: recordsOf(kind) / RECORDS_OF_A_FLOW / BATCH[kind] }, (_, i) => payloadOf(kind, i)) : [];
  const port = await freePort();
  const publisher = isZmq ? new Publisher({ sendHighWaterMark: 100_000, linger: 0 }) : undefined;
  await publisher?.bind(`tcp://127.0.0.1:${port}`);
  const name = isZmq ? `tcp://127.0.0.1:${port}` : `netflow://127.0.0.1:${port}?transport=udp&buffer=4m`;
  const say = (_: object, text: string): void => console.error(text);
  const patrol = createPatrol(
    {
      ...DEFAULT_CONFIG,
      interfaces: [name],
      activeTimeout: TIMEOUT_S,
      idleTimeout: TIMEOUT_S,
      scriptDirectories: [fileURLToPath(new URL('./scripts', import.meta.url))],
    },
    { debug: () => {}, info: () => {}, warn: say, error: say },
    () => (isZmq ? 'zmq' : 'netflow'),
  );
  const counter = (wanted: string): number => {
    const of = patrol.snapshot().interfaces[0];
    if (of?.state === 'failed') throw new Error(`the interface has failed: ${of.error}`);
    return of?.counters[wanted] ?? 0;
  };
  const before = new Set(threadsOf('self'));
  await patrol.start();
  while (patrol.snapshot().interfaces[0]?.state !== 'running') await wait(5);
  // the interface thread is the first that a patrol makes
  const thread = threadsOf('self')
    .filter((id) => !before.has(id))
    .map(Number)
    .sort((a, b) => a - b)[0];
  const clock = `/proc/self/task/${thread}/schedstat`;

  const told = { time: Math.floor(Date.now() / 1000), timeout: { lifetime: TIMEOUT_S, idle: TIMEOUT_S }, bytes: 1, packets: 1 };
  let id = 0;
  if (publisher !== undefined) {
    // what is published before the connection is there is lost
    while (counter('zmq.topics.event') === 0) {
      await publisher.send([header(36, { topic: 'event', id: ++id, source: 1 }), json(told)]);
      await wait(5);
    }
  }
  const messages = recordsOf(kind) / BATCH[kind];
  const whole = process.cpuUsage();
  const began = schedSeconds(clock);
  if (publisher === undefined) await sendDatagrams(kind, port);
  else {
    const flags = kind === 'tlv-16' ? 2 : 0;
    const seen = counter('zmq.messages');
    const pace = createPace();
    const window = Math.max(500, Math.floor(20_000 / BATCH[kind]));
    for (let message = 0; message < messages; message++) {
      await publisher.send([header(36, { id: ++id, source: 1, flags }), payloads[message % payloads.length] as Buffer]);
      if (message % window === 0) while (counter('zmq.messages') - seen < message - window) await wait(1);
      if ((message * BATCH[kind]) % 2000 < BATCH[kind]) await pace(message * BATCH[kind]);
    }
  }
  for (let tries = 0; counter('records') < recordsOf(kind) && tries < 5000; tries++) await wait(1);
  const reading = schedSeconds(clock) - began;
  let last = reading + began;
  const watch = setInterval(() => {
    try {
      last = schedSeconds(clock);
    } catch {
      clearInterval(watch);
    }
  }, 1);
  await patrol.stop();
  clearInterval(watch);
  publisher?.close();
  const used = process.cpuUsage(whole);
  const of = patrol.snapshot().interfaces[0];
  return {
    kind,
    records: counter('records'),
    reading,
    cpu: last - began,
    whole: (used.user + used.system) / 1e6,
    flows: counter('flows.created'),
    visits: counter('visits'),
    events: counter('events'),
    losses: of?.losses.map(({ name: lost, value }) => `${lost} ${value}`) ?? [],
  };
}

/** Flows/s of JSON.parse over the same bytes, and nothing else. */
function parseOne(kind: Kind): number {
  const messages = Math.min(recordsOf(kind) / BATCH[kind], 200_000 / BATCH[kind]);
  const payloads = Array.from({ length: messages }, (_, i) => payloadOf(kind, i));
  const rates: number[] = [];
  for (let run = 0; run < 5; run++) {
    const before = process.cpuUsage();
    let flows = 0;
    for (const payload of payloads) {
      const parsed: unknown = JSON.parse(payload.toString('utf8'));
      flows += Array.isArray(parsed) ? parsed.length : 1;
    }
    const { user, system } = process.cpuUsage(before);
    if (run > 0) rates.push((flows * 1e6) / (user + system));
  }
  return median(rates);
}

/** Records/s per CPU-second of nfcapd, and of nfcapd and nfdump, which sums flows up. */
async function nfdumpOne(kind: Kind): Promise<{ readonly capture: number; readonly both: number; readonly dropped: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'collectors-'));
  try {
    const port = await freePort();
    const capturing = spawn('nfcapd', ['-w', folder, '-l', folder, '-p', String(port), '-b', '127.0.0.1', '-t', '3600'], {
      stdio: 'ignore',
    });
    const path = `/proc/${capturing.pid}/task`;
    while (!/:/.test(readFileSync('/proc/net/udp', 'latin1')) || udpQueuePresent(port) === false) await wait(5);
    await sendDatagrams(kind, port);
    await wait(50);
    const dropped = udpQueue(port).dropped;
    const cpu = readdirSync(path).reduce((sum, id) => sum + schedSeconds(`${path}/${id}/schedstat`), 0);
    capturing.kill('SIGTERM');
    await once(capturing, 'exit');
    const time = spawnSync('bash', ['-c', `TIMEFORMAT='%U %S'; time nfdump -R "$0" -q -b -n 1 -s record/bytes >/dev/null`, folder], {
      encoding: 'utf8',
    });
    const [user = 0, system = 0] = time.stderr.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
    return { capture: recordsOf(kind) / cpu, both: recordsOf(kind) / (cpu + user + system), dropped };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const udpQueuePresent = (port: number): boolean => {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  return readFileSync('/proc/net/udp', 'latin1').includes(suffix);
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const thousands = (value: number): string => Math.round(value).toLocaleString('en-US');

const child = (...args: string[]): string => {
  const run = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--records', String(RECORDS), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.status !== 0) throw new Error(`a run has failed: ${args.join(' ')}`);
  return run.stdout;
};

async function main(): Promise<void> {
  const kinds = KINDS.filter((kind) => options.kinds.split(',').includes(kind));
  const rounds = Number(options.rounds);
  const ours = new Map<Kind, Run[]>(kinds.map((kind) => [kind, []]));
  const peers = new Map<string, number[]>();
  const peer = (name: string, value: number): void => void peers.set(name, [...(peers.get(name) ?? []), value]);
  const hasNfdump = spawnSync('nfcapd', ['-V']).error === undefined;
  for (let round = 0; round < rounds; round++) {
    for (const kind of kinds) {
      ours.get(kind)?.push(JSON.parse(child('--run', kind)) as Run);
      if (kind === 'json-1' || kind === 'json-20') peer(`JSON.parse alone, ${ABOUT[kind].slice(11)}`, Number(child('--parse', kind)));
      else if (kind !== 'tlv-16' && hasNfdump) {
        const { capture, both, dropped } = await nfdumpOne(kind);
        if (dropped > 0) console.error(`nfcapd: the kernel dropped ${dropped} datagrams`);
        peer(`nfcapd, ${ABOUT[kind]}`, capture);
        peer(`nfcapd and nfdump -s record, ${ABOUT[kind]}`, both);
      }
      console.error(`round ${round + 1}: ${kind}`);
    }
  }
  console.log(`collectors, ${rounds} interleaved rounds, medians (min..max), records/s per CPU-second`);
  console.log(`cpu: ${cpus()[0]?.model} | cores: ${cpus().length} | node: ${process.version}\n`);
  console.log(
    `${'interface thread: socket, decoder, table, visits'.padEnd(58)} records/s            min..max   target             process  losses`,
  );
  for (const [kind, runs] of ours) {
    const rates = runs.map(({ records, cpu }) => records / cpu);
    const whole = median(runs.map(({ records, whole: of }) => records / of));
    const target = TARGETS[kind];
    const verdict = target === undefined ? '' : `${thousands(target)} ${median(rates) >= target ? 'met' : 'NOT MET'}`;
    const losses = runs.flatMap((run) => run.losses).join(', ') || 'none';
    console.log(
      `${ABOUT[kind].padEnd(58)} ${thousands(median(rates)).padStart(9)} ${`${thousands(Math.min(...rates))}..${thousands(Math.max(...rates))}`.padStart(19)} ${verdict.padStart(16)} ${thousands(whole).padStart(11)}  ${losses}`,
    );
    const [run] = runs;
    if (run !== undefined) {
      console.log(
        `  ${thousands(run.flows)} flows, ${thousands(run.events)} events, ${run.visits} visits; without the last visits ${thousands(median(runs.map(({ records, reading }) => records / reading)))}`,
      );
    }
  }
  console.log('\npeers (whole processes)');
  for (const [name, rates] of peers) {
    console.log(
      `${name.padEnd(58)} ${thousands(median(rates)).padStart(9)} ${`${thousands(Math.min(...rates))}..${thousands(Math.max(...rates))}`.padStart(19)}`,
    );
  }
  if (!hasNfdump) console.log('nfcapd is not installed: no peer for NetFlow');
}

if (options.run !== undefined) {
  console.log(JSON.stringify(await runOne(options.run as Kind)));
  process.exit(0);
} else if (options.parse !== undefined) console.log(parseOne(options.parse as Kind));
else await main();
