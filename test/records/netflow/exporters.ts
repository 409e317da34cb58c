/**
 * Real exporters for the tests: `softflowd` and `nfpcapd` with `nfreplay` (Debian packages softflowd, nfdump), made to export a capture to a
 * socket of the test, and what `tshark` says the capture holds.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Taken } from './support.ts';

export const capture = (name: string): string => new URL(`../../captures/${name}`, import.meta.url).pathname;

/** Runs a program to its end. @throws Error that names the package to install where the program is missing */
async function run(program: string, args: readonly string[], debian: string): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const [code] = await Promise.race([
    once(child, 'close'),
    once(child, 'error').then(([error]) => {
      throw new Error(`${program} does not start (${error.message}). These tests need it: apt-get install ${debian}`);
    }),
  ]);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${output}`);
  return output;
}

/** What comes to a socket while `exporter` runs; an own last datagram says that all before it are in. */
async function collect(exporter: (port: number) => Promise<unknown>): Promise<Buffer[]> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const datagrams: Buffer[] = [];
  const end = Buffer.from('end');
  const done = new Promise<void>((resolve) => {
    socket.on('message', (bytes) => (bytes.equals(end) ? resolve() : datagrams.push(bytes)));
  });
  await exporter(port);
  socket.send(end, port, '127.0.0.1');
  await done;
  socket.close();
  return datagrams;
}

type Version = 5 | 9 | 10;

/** Makes `softflowd` export a capture. @param args more of them, such as `-b` for both directions in one record */
export const exportTo = (port: number, file: string, version: Version, args: readonly string[] = []): Promise<unknown> =>
  run('softflowd', ['-r', file, '-n', `127.0.0.1:${port}`, '-v', String(version), '-d', ...args], 'softflowd');

export const softflowd = (file: string, version: Version, args: readonly string[] = []): Promise<Buffer[]> =>
  collect((port) => exportTo(port, file, version, args));

export const nfreplay = async (file: string, version: 5 | 9): Promise<Buffer[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-nfdump-'));
  try {
    await run('nfpcapd', ['-r', file, '-l', folder], 'nfdump');
    const files = readdirSync(folder).filter((name) => name.startsWith('nfcapd.'));
    return await collect(async (port) => {
      for (const one of files)
        await run('nfreplay', ['-r', join(folder, one), '-H', '127.0.0.1', '-p', String(port), '-v', String(version)], 'nfdump');
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** A capture with other times, in a temporary file: its first packet comes at `first`, s since 1970. Classic pcap, little-endian, µs. */
export function shifted(file: string, first: number): { readonly file: string; readonly by: number; remove(): void } {
  const bytes = Buffer.from(readFileSync(file));
  if (bytes.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error(`${file} is no little-endian pcap with µs`);
  const by = first - bytes.readUInt32LE(24);
  for (let at = 24; at < bytes.length; at += 16 + bytes.readUInt32LE(at + 8)) bytes.writeUInt32LE(bytes.readUInt32LE(at) + by, at);
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-shifted-'));
  const to = join(folder, 'shifted.pcap');
  writeFileSync(to, bytes);
  return { file: to, by, remove: () => rmSync(folder, { recursive: true }) };
}

/** Of one direction of a conversation; times in µs. */
export interface Totals {
  packets: number;
  bytes: number;
  first: number;
  last: number;
  flags: number;
}

const add = (all: Map<string, Totals>, key: string, { packets, bytes, first, last, flags }: Totals): void => {
  const totals = all.get(key);
  if (totals === undefined) all.set(key, { packets, bytes, first, last, flags });
  else {
    totals.packets += packets;
    totals.bytes += bytes;
    totals.first = Math.min(totals.first, first);
    totals.last = Math.max(totals.last, last);
    totals.flags |= flags;
  }
};

const ICMP = [1, 58];

const captures = new Map<string, Map<string, Totals>>();
const ETHERNET = 14;
const IPV6 = 40;

/**
 * Directions of all conversations by "protocol source port > destination port", as `tshark` dissects the capture's outer IP headers.
 * @param counted bytes of IP packets, or of frames behind their Ethernet header: `softflowd` counts padding, too
 */
export function inCapture(file: string, counted: 'packets' | 'frames'): Map<string, Totals> {
  const known = captures.get(`${counted} ${file}`);
  if (known !== undefined) return known;
  const fields = ['ip.src', 'ip.dst', 'ipv6.src', 'ipv6.dst', 'ip.proto', 'tcp.srcport', 'tcp.dstport', 'udp.srcport', 'udp.dstport'];
  fields.push('ip.len', 'ipv6.plen', 'frame.time_epoch', 'tcp.flags', 'ipv6.nxt', 'frame.len');
  const args = [
    '-r',
    file,
    '-n',
    '-o',
    'ip.defragment:FALSE',
    '-T',
    'fields',
    '-E',
    'occurrence=f',
    ...fields.flatMap((name) => ['-e', name]),
  ];
  const all = new Map<string, Totals>();
  for (const line of execFileSync('tshark', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')) {
    const [src4, dst4, src6, dst6, proto, tcpSrc, tcpDst, udpSrc, udpDst, length, plen, time, flags, next, frame] = line.split('\t');
    if (!src4 && !src6) continue;
    const protocol = Number(src4 ? proto : next);
    const ports = protocol === 6 ? [tcpSrc, tcpDst] : protocol === 17 ? [udpSrc, udpDst] : ['0', '0'];
    const at = Math.round(Number(time) * 1e6);
    add(all, `${protocol} ${src4 || src6} ${ports[0] || 0} > ${dst4 || dst6} ${ports[1] || 0}`, {
      packets: 1,
      bytes: counted === 'frames' ? Number(frame) - ETHERNET : src4 ? Number(length) : Number(plen) + IPV6,
      first: at,
      last: at,
      flags: protocol === 6 ? Number(flags) & 0xff : 0,
    });
  }
  captures.set(`${counted} ${file}`, all);
  return all;
}

/** The same of flow records. */
export function inRecords(records: readonly Taken[]): Map<string, Totals> {
  const all = new Map<string, Totals>();
  for (const record of records) {
    const { protocol = 0, source, destination, inPackets = 0, inBytes = 0, outPackets = 0, outBytes = 0, first = 0, last = 0 } = record;
    const [srcPort, dstPort] = ICMP.includes(protocol) ? [0, 0] : [record.srcPort, record.dstPort];
    if (inPackets > 0) {
      const flags = record.srcTcpFlags ?? 0;
      add(all, `${protocol} ${source} ${srcPort} > ${destination} ${dstPort}`, { packets: inPackets, bytes: inBytes, first, last, flags });
    }
    if (outPackets > 0) {
      const flags = record.dstTcpFlags ?? 0;
      add(all, `${protocol} ${destination} ${dstPort} > ${source} ${srcPort}`, {
        packets: outPackets,
        bytes: outBytes,
        first,
        last,
        flags,
      });
    }
  }
  return all;
}
