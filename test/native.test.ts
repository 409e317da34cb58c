/**
 * The addon as it was built, over captures and packets that are made here.
 * Enters: synthetic pcap files, DNS and HTTP conversations. Leaves: what libpcap, gzip and nDPI say of them.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { readNumber } from '../src/flows/record.ts';
import type { DpiHandle, PcapHandle } from '../src/native.ts';

const builder = fileURLToPath(new URL('../native/build.js', import.meta.url));
execFileSync(process.execPath, [builder], { stdio: ['ignore', 'ignore', 'inherit'] });
const addon = fileURLToPath(new URL('../native/build/flowpatrol.node', import.meta.url));
const { COLLECT_FREE, COLLECT_GIVE_UP, DPI_COMPLETE, DPI_KNOWN, DPI_SEARCHING, DPI_WORDS, native } = await import('../src/native.ts');

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'flowpatrol-native-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

// ---- captures ----

interface Frame {
  readonly data: Uint8Array;
  /** Whole microseconds. */
  readonly time: number;
  readonly wire?: number;
}

const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;

/** A pcap file (draft-ietf-opsawg-pcap) of Ethernet frames. Nanosecond files get 999 ns on top of each time. */
function pcapBytes(frames: readonly Frame[], magic = MICROSECONDS, big = false): Buffer {
  const parts: Buffer[] = [];
  const words = (...values: number[]): void => {
    const buffer = Buffer.alloc(values.length * 4);
    values.forEach((value, i) => {
      if (big) buffer.writeUInt32BE(value, i * 4);
      else buffer.writeUInt32LE(value, i * 4);
    });
    parts.push(buffer);
  };
  words(magic, big ? 0x0002_0004 : 0x0004_0002, 0, 0, 262144, 1);
  for (const { data, time, wire } of frames) {
    const micros = time % 1e6;
    words(Math.floor(time / 1e6), magic === NANOSECONDS ? micros * 1000 + 999 : micros, data.length, wire ?? data.length);
    parts.push(Buffer.from(data));
  }
  return Buffer.concat(parts);
}

let files = 0;
function file(bytes: Uint8Array): string {
  const path = join(folder, `capture-${files++}`);
  writeFileSync(path, bytes);
  return path;
}

/** Reads to the end. @returns the frames, how many reads they took, and the last answer */
function readAll(pcap: PcapHandle, chunk = 65536, most = 16): { frames: Frame[]; reads: number; last: number } {
  const bytes = new Uint8Array(chunk);
  const words = new Int32Array(most * 3);
  const times = new Float64Array(most);
  const frames: Frame[] = [];
  for (let reads = 1; ; reads++) {
    const count = native.pcapRead(pcap, bytes, words, times, most);
    if (count <= 0) return { frames, reads, last: count };
    for (let i = 0; i < count; i++) {
      const [offset, captured, wire] = words.subarray(i * 3);
      assert(offset !== undefined && captured !== undefined);
      frames.push({ data: bytes.slice(offset, offset + captured), time: times[i] ?? Number.NaN, wire });
    }
  }
}

const START = 1_700_000_000_123_456;
const some: Frame[] = Array.from({ length: 50 }, (_, i) => ({
  data: new Uint8Array(60 + ((i * 37) % 200)).fill(i),
  time: START + i * 1000,
  wire: 1500,
}));

describe('capture files', () => {
  for (const [name, magic, big] of [
    ['microseconds', MICROSECONDS, false],
    ['nanoseconds, cut to µs', NANOSECONDS, false],
    ['the other byte order', MICROSECONDS, true],
  ] as const) {
    it(`are read whole: ${name}`, () => {
      const pcap = native.pcapOpenFile(file(pcapBytes(some, magic, big)), '');
      assert.equal(native.pcapLinkType(pcap), 1);
      assert.deepEqual(readAll(pcap), { frames: some, reads: 5, last: -1 });
      assert.equal(readAll(pcap).last, -1);
      assert.equal(native.pcapPosition(pcap), pcapBytes(some).length);
      assert.deepEqual(native.pcapStats(pcap), [0, 0, 0]);
      assert.equal(native.pcapError(pcap), '');
      native.pcapClose(pcap);
    });
  }

  it('lose no packet to a full chunk, whatever its size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 9 }),
        (lengths, chunk, most) => {
          const frames = lengths.map((length, i) => ({ data: new Uint8Array(length).fill(i + 1), time: START + i, wire: 400 }));
          const pcap = native.pcapOpenFile(file(pcapBytes(frames)), '');
          const got = readAll(pcap, chunk, most);
          native.pcapClose(pcap);
          assert.equal(got.last, -1);
          // A frame longer than the whole chunk is cut to it.
          assert.deepEqual(
            got.frames,
            frames.map((frame) => ({ ...frame, data: frame.data.subarray(0, chunk) })),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are read from a descriptor, which the handle then owns', () => {
    const fd = openSync(file(pcapBytes(some)), 'r');
    const pcap = native.pcapOpenFile(fd, '');
    assert.equal(readAll(pcap).frames.length, 50);
    native.pcapClose(pcap);
    assert.throws(() => native.pcapOpenFile(fd, ''), { code: 'EBADF' });
  });

  it('are read from standard input', () => {
    const code = `
      const native = require(${JSON.stringify(addon)});
      const pcap = native.pcapOpenStream('-', '');
      let total = 0, count;
      while ((count = native.pcapRead(pcap, new Uint8Array(999), new Int32Array(30), new Float64Array(10), 10)) >= 0) total += count;
      console.log(total, count, native.pcapPosition(pcap));`;
    const input = pcapBytes(some);
    const run = spawnSync(process.execPath, ['-e', code], { input, encoding: 'utf8' });
    assert.deepEqual([run.stdout, run.stderr], [`50 -1 ${input.length}\n`, '']);
  });

  it('tell of damage after all packets before it', () => {
    const pcap = native.pcapOpenFile(file(pcapBytes(some).subarray(0, -10)), '');
    const got = readAll(pcap, 65536, 100);
    assert.deepEqual(got, { frames: some.slice(0, 49), reads: 2, last: -2 });
    assert.match(native.pcapError(pcap), /truncated/);
    assert.equal(readAll(pcap).last, -2);
    native.pcapClose(pcap);
  });

  it('filter', () => {
    const packets = [udp('192.0.2.1', 4000, '192.0.2.2', 53, 'a'), udp('192.0.2.1', 4000, '192.0.2.2', 54, 'b')];
    const path = file(pcapBytes(packets.map((packet) => ({ data: ethernet(packet), time: START }))));
    const pcap = native.pcapOpenFile(path, 'udp port 54');
    assert.equal(readAll(pcap).frames.length, 1);
    native.pcapClose(pcap);
    assert.throws(() => native.pcapOpenFile(path, 'no such word'), { code: 'EFILTER', message: /no such word.*syntax error/ });
  });

  it('say why they do not open', () => {
    assert.throws(() => native.pcapOpenFile(join(folder, 'missing'), ''), { code: 'ENOENT', message: /missing: No such file/ });
    assert.throws(() => native.pcapOpenFile(file(Buffer.from('no capture at all, but long enough')), ''), { code: 'EPCAP' });
    assert.throws(() => native.pcapOpenFile(file(Buffer.alloc(0)), ''), { code: 'EPCAP' });
    assert.throws(() => native.pcapOpenFile(folder, ''), { code: 'EPCAP', message: /directory/ });
  });
});

describe('interfaces', () => {
  const options = { snapLength: 256, promiscuous: false, bufferBytes: 1 << 20, filter: '', timeoutMs: 100 };

  it('are listed', () => {
    assert.match(native.pcapVersion(), /libpcap/);
    const loopback = native.pcapInterfaces().find((device) => device.loopback);
    if (loopback !== undefined)
      assert.deepEqual(Object.keys(loopback).sort(), ['addresses', 'description', 'loopback', 'name', 'running', 'up', 'wireless']);
  });

  it('deliver packets as they come, or say what is not allowed', async () => {
    const sender = createSocket('udp4');
    sender.bind(0, '127.0.0.1');
    await once(sender, 'listening');
    const { port } = sender.address();
    let pcap: PcapHandle | undefined;
    try {
      pcap = native.pcapOpenLive('lo', { ...options, filter: `udp port ${port}` });
    } catch (error) {
      assert(error instanceof Error && 'code' in error);
      assert.equal(error.code, 'EPERM');
    }
    if (pcap !== undefined) {
      const bytes = new Uint8Array(4096);
      const frames = new Int32Array(30);
      const times = new Float64Array(10);
      assert.equal(native.pcapRead(pcap, bytes, frames, times, 10), 0);
      await new Promise((done) => sender.send('x'.repeat(500), port, '127.0.0.1', done));
      const earliest = native.wallClock() - 5e6;
      let count = 0;
      for (let tries = 0; tries < 100 && count === 0; tries++) count = native.pcapRead(pcap, bytes, frames, times, 10);
      assert(count >= 1);
      assert.deepEqual([...frames.subarray(0, 3)], [0, 256, 542]);
      assert((times[0] ?? 0) > earliest);
      assert((native.pcapStats(pcap)[0] ?? 0) >= 1);
      assert.equal(native.pcapPosition(pcap), -1);
      native.pcapClose(pcap);
    }
    sender.close();
  });

  it('say why they do not open', () => {
    assert.throws(
      () => native.pcapOpenLive('no-such-device0', options),
      (error: unknown) => {
        assert(error instanceof Error && 'code' in error);
        assert.match(String(error.code), /^(ENODEV|EPERM)$/);
        assert.match(error.message, /no-such-device0/);
        return true;
      },
    );
    for (const wrong of [{ snapLength: 0 }, { snapLength: 1.5 }, { bufferBytes: -1 }, { timeoutMs: Number.NaN }]) {
      assert.throws(() => native.pcapOpenLive('lo', { ...options, ...wrong }), RangeError);
    }
  });
});

describe('gunzip', () => {
  it('feeds a capture through gzip and knows the compressed position', () => {
    const packed = gzipSync(pcapBytes(some));
    const gunzip = native.gunzipOpen(file(packed));
    const pcap = native.pcapOpenFile(gunzip.fd, '');
    assert.deepEqual(readAll(pcap, 1000).frames, some);
    assert.equal(native.gunzipPosition(gunzip.sourceFd), packed.length);
    native.pcapClose(pcap);
    assert.deepEqual(native.gunzipClose(gunzip), { status: 0, message: '' });
    assert.throws(() => native.gunzipClose(gunzip), /closed/);
  });

  it("tells gzip's own words", () => {
    const packed = gzipSync(pcapBytes(some));
    const gunzip = native.gunzipOpen(file(packed.subarray(0, packed.length - 12)));
    const pcap = native.pcapOpenFile(gunzip.fd, '');
    readAll(pcap);
    native.pcapClose(pcap);
    const end = native.gunzipClose(gunzip);
    assert.equal(end.status, 1);
    assert.match(end.message, /unexpected end of file/);
    assert.throws(() => native.gunzipOpen(join(folder, 'missing.gz')), { code: 'ENOENT' });
  });

  it('ends when the reader leaves early', () => {
    const frames = Array.from({ length: 3000 }, (_, i) => ({ data: new Uint8Array(1400).fill(i), time: START }));
    const gunzip = native.gunzipOpen(file(gzipSync(pcapBytes(frames), { level: 1 })));
    const pcap = native.pcapOpenFile(gunzip.fd, '');
    native.pcapRead(pcap, new Uint8Array(2000), new Int32Array(3), new Float64Array(1), 1);
    native.pcapClose(pcap);
    // 128 + SIGPIPE
    assert.deepEqual(native.gunzipClose(gunzip), { status: 141, message: '' });
  });
});

// ---- packets ----

const address = (text: string): number[] => text.split('.').map(Number);

/** An IPv4 packet (RFC 791) without checksums, which nDPI does not look at. */
function ipv4(from: string, to: string, protocol: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(20);
  header.set([0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol, 0, 0, ...address(from), ...address(to)]);
  header.writeUInt16BE(20 + payload.length, 2);
  return Buffer.concat([header, payload]);
}

function udp(from: string, sourcePort: number, to: string, port: number, payload: string | Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(sourcePort, 0);
  header.writeUInt16BE(port, 2);
  header.writeUInt16BE(8 + payload.length, 4);
  return ipv4(from, to, 17, Buffer.concat([header, Buffer.from(payload)]));
}

interface Segment {
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
}

function tcp(from: string, sourcePort: number, to: string, port: number, segment: Segment, payload = ''): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(sourcePort, 0);
  header.writeUInt16BE(port, 2);
  header.writeUInt32BE(segment.seq, 4);
  header.writeUInt32BE(segment.ack, 8);
  header.set([0x50, segment.flags, 0xff, 0xff], 12);
  return ipv4(from, to, 6, Buffer.concat([header, Buffer.from(payload)]));
}

const ethernet = (packet: Buffer): Buffer =>
  Buffer.concat([Buffer.from('02000000000102000000000208 00'.replaceAll(' ', ''), 'hex'), packet]);

/** DNS query for an A record, and its answer 192.0.2.80 (RFC 1035), or for another type with other data. The answer may leave the question out. */
function dns(name: string, client: string, type = 1, data = Buffer.of(192, 0, 2, 80), isRepeated = true): [Buffer, Buffer] {
  const labels = Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
    Buffer.of(0),
  ]);
  const question = Buffer.concat([labels, Buffer.of(0, type, 0, 1)]);
  const query = Buffer.concat([Buffer.of(0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0), question]);
  const record = Buffer.concat([Buffer.of(0, type, 0, 1, 0, 0, 0, 60, 0, data.length), data]);
  const named = isRepeated ? [question, Buffer.of(0xc0, 12), record] : [labels, record];
  const answer = Buffer.concat([Buffer.of(0x12, 0x34, 0x81, 0x80, 0, isRepeated ? 1 : 0, 0, 1, 0, 0, 0, 0), ...named]);
  return [udp(client, 40000, '198.51.100.53', 53, query), udp('198.51.100.53', 53, client, 40000, answer)];
}

/** Handshake, one request, one answer (RFC 9112). */
function http(client: string, path = '/a/page?x=1'): Buffer[] {
  const server = '203.0.113.80';
  const request = `GET ${path} HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: Walker/1.0\r\nAccept: */*\r\n\r\n`;
  const answer = 'HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno';
  return [
    tcp(client, 50000, server, 80, { seq: 100, ack: 0, flags: 2 }),
    tcp(server, 80, client, 50000, { seq: 700, ack: 101, flags: 18 }),
    tcp(client, 50000, server, 80, { seq: 101, ack: 701, flags: 16 }),
    tcp(client, 50000, server, 80, { seq: 101, ack: 701, flags: 24 }, request),
    tcp(server, 80, client, 50000, { seq: 701, ack: 101 + request.length, flags: 24 }, answer),
  ];
}

/** Handshake, then lines in turn; the server speaks first. */
function dialogue(port: number, ...lines: string[]): Buffer[] {
  const [client, server] = ['192.0.2.5', '203.0.113.21'];
  let [seq, ack] = [101, 701];
  const packets = [
    tcp(client, 50001, server, port, { seq: 100, ack: 0, flags: 2 }),
    tcp(server, port, client, 50001, { seq: 700, ack: 101, flags: 18 }),
    tcp(client, 50001, server, port, { seq, ack, flags: 16 }),
  ];
  lines.forEach((line, i) => {
    const text = `${line}\r\n`;
    if (i % 2 === 0) {
      packets.push(tcp(server, port, client, 50001, { seq: ack, ack: seq, flags: 24 }, text));
      ack += text.length;
    } else {
      packets.push(tcp(client, 50001, server, port, { seq, ack, flags: 24 }, text));
      seq += text.length;
    }
  });
  return packets;
}

/** Hands (flow, packet) pairs over in one call. @returns the answers */
function hand(dpi: DpiHandle, pairs: readonly (readonly [number, Uint8Array])[]): number[] {
  const bytes = Buffer.concat(pairs.map(([, packet]) => packet));
  const requests = new Int32Array(pairs.length * DPI_WORDS).fill(-1);
  let offset = 0;
  pairs.forEach(([flow, packet], i) => {
    requests.set([flow, offset, packet.length], i * DPI_WORDS);
    offset += packet.length;
  });
  const times = Float64Array.from(pairs, (_, i) => START + i * 1000);
  native.dpiProcess(dpi, new Uint8Array(bytes), requests, times, pairs.length);
  return pairs.map((_, i) => requests[i * DPI_WORDS + 3] ?? Number.NaN);
}

const numeric =
  /^(entropy|risk_score.*|http\.(return_code|request_version)|dns\.(?!answer_address).*|login\.state|tls\.(version|.*_cipher|not_before|not_after))$/;

/** The detail block as an object. */
function collect(dpi: DpiHandle, flow: number, flags: number, room = 8192): Record<string, string | number> & { app: string } {
  const out = new Uint8Array(room).fill(0xee);
  const length = native.dpiCollect(dpi, flow, flags, out);
  const view = new DataView(out.buffer, 0, length);
  const names = native.dpiDetailNames();
  const details: Record<string, string | number> & { app: string } = {
    app: native.dpiProtocols(dpi)[view.getUint16(0, true)] ?? '',
    master: native.dpiProtocols(dpi)[view.getUint16(2, true)] ?? '',
    category: native.dpiCategories(dpi)[view.getUint16(4, true)] ?? '',
    breed: native.dpiBreeds(dpi)[view.getUint8(6)] ?? '',
    confidence: native.dpiConfidences()[view.getUint8(7)] ?? '',
    length,
  };
  let at = 16;
  while (at < length) {
    const name = names[view.getUint16(at, true)] ?? '';
    const bytes = view.getUint16(at + 2, true);
    details[name] = numeric.test(name)
      ? (readNumber(view, at + 4, bytes) ?? Number.NaN)
      : Buffer.from(out.subarray(at + 4, at + 4 + bytes)).toString();
    at += 4 + bytes;
  }
  assert.equal(at, length);
  assert(out.subarray(length).every((byte) => byte === 0xee));
  return details;
}

describe('detection', () => {
  it('has names for everything', () => {
    const dpi = native.dpiCreate(1);
    assert.match(native.dpiVersion(), /^4\.2/);
    const protocols = native.dpiProtocols(dpi);
    assert(protocols.length > 250);
    assert.equal(protocols[0], 'Unknown');
    assert.equal(protocols[5], 'DNS');
    assert.equal(native.dpiCategories(dpi)[14], 'Network');
    assert.equal(native.dpiBreeds(dpi)[1], 'Acceptable');
    assert.equal(native.dpiRisks()[5], 'Known Protocol on Non Standard Port');
    assert.equal(native.dpiRisks()[0], '');
    assert.equal(native.dpiConfidences().at(-1), 'DPI');
    const names = native.dpiDetailNames();
    assert.equal(new Set(names).size, names.length);
    native.dpiClose(dpi);
  });

  it('knows DNS and HTTP with their details, interleaved in one call', () => {
    const dpi = native.dpiCreate(10);
    const web = http('192.0.2.7');
    const [query, answer] = dns('www.example.com', '192.0.2.7');
    const order = [web[0], query, web[1], web[2], answer, web[3], web[4]].map((packet) => packet ?? Buffer.alloc(0));
    const flows = [3, 9, 3, 3, 9, 3, 3];
    const answers = hand(
      dpi,
      order.map((packet, i) => [flows[i] ?? 0, packet] as const),
    );
    assert.deepEqual(answers.slice(0, 4), [DPI_SEARCHING, DPI_KNOWN, DPI_SEARCHING, DPI_SEARCHING]);
    assert.equal(answers[4], DPI_COMPLETE);
    assert(native.dpiMemory(dpi)[0] > 0);
    assert.equal(native.dpiMemory(dpi)[1], 2);

    const named = collect(dpi, 9, COLLECT_FREE);
    assert.equal(named.app, 'DNS');
    assert.equal(named.category, 'Network');
    assert.equal(named.confidence, 'DPI');
    assert.equal(named.host_server_name, 'www.example.com');
    assert.equal(named['dns.query_type'], 1);
    assert.equal(named['dns.num_answers'], 1);
    assert.equal(named['dns.reply_code'], 0);

    const page = collect(dpi, 3, COLLECT_GIVE_UP | COLLECT_FREE);
    assert.equal(page.app, 'HTTP');
    assert.equal(page.host_server_name, 'www.example.org');
    assert.equal(page['http.url'], 'www.example.org/a/page?x=1');
    assert.equal(page['http.method'], 'GET');
    assert.equal(page['http.user_agent'], 'Walker/1.0');
    assert.equal(page['http.return_code'], 200);
    assert.deepEqual(native.dpiMemory(dpi), [0, 0]);
    native.dpiClose(dpi);
  });

  it('tells the answers of DNS: type and first address', () => {
    const dpi = native.dpiCreate(4);
    const told = (flow: number, packets: readonly Buffer[]): unknown[] => {
      hand(
        dpi,
        packets.map((packet) => [flow, packet]),
      );
      const { 'dns.query_type': query, 'dns.answer_type': type, 'dns.answer_address': address } = collect(dpi, flow, COLLECT_FREE);
      return [query, type, address];
    };
    assert.deepEqual(told(0, dns('www.example.com', '192.0.2.7')), [1, 1, '192.0.2.80']);
    const ipv6 = Buffer.from('20010db8000000000000000000000080', 'hex');
    assert.deepEqual(told(1, dns('www.example.com', '192.0.2.7', 28, ipv6)), [28, 28, '2001:db8::80']);
    const pointer = Buffer.from('\x03one\x07example\x00', 'latin1');
    assert.deepEqual(told(2, dns('80.2.0.192.in-addr.arpa', '192.0.2.7', 12, pointer)), [12, 12, undefined]);
    // nDPI then counts no query
    assert.equal(told(3, dns('80.2.0.192.in-addr.arpa', '192.0.2.7', 12, pointer, false))[0], 12);
    // an application by the name alone owns nothing of what was read
    const [query, answer] = dns('utorrent.com', '192.0.2.7');
    hand(dpi, [
      [0, query],
      [0, answer],
    ]);
    const named = collect(dpi, 0, COLLECT_FREE);
    assert.deepEqual([named.master, named.app, named['dns.query_type'], named['bittorrent.hash']], ['DNS', 'BitTorrent', 1, undefined]);
    native.dpiClose(dpi);
  });

  it('tells who logs in and how it went, never the password', () => {
    const dpi = native.dpiCreate(1);
    const ftp = dialogue(21, '220 ready', 'USER ann', '331 password', 'PASS s3cret', '530 no', 'QUIT');
    const pop = dialogue(110, '+OK ready', 'USER bob', '+OK', 'PASS s3cret', '+OK', 'STAT');
    for (const [packets, app, user] of [
      [ftp, 'FTP_CONTROL', 'ann'],
      [pop, 'POP3', 'bob'],
    ] as const) {
      hand(
        dpi,
        packets.map((packet) => [0, packet]),
      );
      const login = collect(dpi, 0, COLLECT_GIVE_UP | COLLECT_FREE);
      assert.deepEqual([login.app, login['login.user']], [app, user]);
      assert.doesNotMatch(JSON.stringify(login), /s3cret/);
    }
    native.dpiClose(dpi);
  });

  it('finds the risks of URLs, and scores them', () => {
    const dpi = native.dpiCreate(1);
    const risks = (path: string): unknown[] => {
      hand(
        dpi,
        http('192.0.2.9', path).map((packet) => [0, packet]),
      );
      const out = new Uint8Array(8192);
      native.dpiCollect(dpi, 0, 0, out);
      const bits = new DataView(out.buffer).getBigUint64(8, true);
      const names = native.dpiRisks().filter((_, id) => (bits & (1n << BigInt(id))) !== 0n);
      return [names, collect(dpi, 0, COLLECT_FREE).risk_score];
    };
    assert.deepEqual(risks('/a/page?x=1'), [[], undefined]);
    assert.deepEqual(risks('/a/../../etc/passwd'), [['HTTP Suspicious URL'], 100]);
    const [names, score] = risks('/a?id=1%27%20OR%20%271%27=%271');
    assert.deepEqual(names, ['SQL Injection']);
    assert(Number(score) > 0);
    native.dpiClose(dpi);
  });

  it('answers a complete flow without looking again, until its number is freed', () => {
    const dpi = native.dpiCreate(1);
    const [query, answer] = dns('one.example', '192.0.2.8');
    assert.deepEqual(
      hand(dpi, [
        [0, query],
        [0, answer],
        [0, Buffer.alloc(0)],
        [0, query],
      ]),
      [DPI_KNOWN, DPI_COMPLETE, DPI_COMPLETE, DPI_COMPLETE],
    );
    assert.equal(collect(dpi, 0, 0).host_server_name, 'one.example');
    assert.equal(collect(dpi, 0, COLLECT_FREE).host_server_name, 'one.example');
    assert.deepEqual(hand(dpi, [[0, http('192.0.2.9')[0] ?? query]]), [DPI_SEARCHING]);
    assert.equal(collect(dpi, 0, COLLECT_FREE).app, 'Unknown');
    native.dpiClose(dpi);
  });

  it('gives up with a guess', () => {
    const dpi = native.dpiCreate(2);
    hand(dpi, [[1, http('192.0.2.9')[0] ?? Buffer.alloc(0)]]);
    assert.equal(collect(dpi, 1, 0).app, 'Unknown');
    const guess = collect(dpi, 1, COLLECT_GIVE_UP);
    assert.equal(guess.app, 'HTTP');
    assert.equal(guess.confidence, 'Match by port');
    assert.equal(native.dpiMemory(dpi)[1], 1);
    native.dpiClose(dpi);
  });

  it('has an empty block for a flow that it never saw', () => {
    const dpi = native.dpiCreate(2);
    for (const flags of [0, COLLECT_GIVE_UP, COLLECT_FREE]) {
      const out = new Uint8Array(16).fill(1);
      assert.equal(native.dpiCollect(dpi, 0, flags, out), 16);
      assert(out.every((byte) => byte === 0));
    }
    native.dpiClose(dpi);
  });

  it('leaves out whole entries that have no room', () => {
    const dpi = native.dpiCreate(1);
    hand(
      dpi,
      http('192.0.2.10').map((packet) => [0, packet] as const),
    );
    const whole = collect(dpi, 0, 0);
    for (let room = 16; room <= Number(whole.length); room++) {
      const part = collect(dpi, 0, 0, room);
      assert(Number(part.length) <= room);
      for (const [name, value] of Object.entries(part)) if (name !== 'length') assert.equal(value, whole[name]);
    }
    native.dpiClose(dpi);
  });

  it('shows nDPI no packet of another transport, or without a whole header', () => {
    const dpi = native.dpiCreate(1);
    const [syn = Buffer.alloc(0), , , request = Buffer.alloc(0)] = http('192.0.2.11');
    const broken = Buffer.from(request);
    broken[32] = 0xf0; // data offset 60 of a payload that is shorter
    assert.deepEqual(
      hand(dpi, [
        [0, syn],
        [0, dns('x.example', '192.0.2.11')[0]],
        [0, broken.subarray(0, 60)],
        [0, request.subarray(0, 39)],
        [0, Buffer.alloc(0)],
        [0, request],
      ]),
      [DPI_SEARCHING, DPI_SEARCHING, DPI_SEARCHING, DPI_SEARCHING, DPI_SEARCHING, DPI_KNOWN],
    );
    assert.equal(native.dpiRefused(dpi), 4);
    assert.equal(collect(dpi, 0, COLLECT_FREE).app, 'HTTP');
    native.dpiClose(dpi);
  });

  it('survives packets of any bytes and many flows at once', () => {
    const dpi = native.dpiCreate(2000);
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 0, max: 1999 }),
        fc.boolean(),
        fc.boolean(),
        (noise, flow, wrapped, tcpIt) => {
          const packet = wrapped ? ipv4('192.0.2.1', '192.0.2.2', tcpIt ? 6 : 17, noise) : noise;
          const [answer] = hand(dpi, [[flow, packet]]);
          assert(answer === DPI_SEARCHING || answer === DPI_KNOWN || answer === DPI_COMPLETE);
          collect(dpi, flow, noise.length % 4);
        },
      ),
      { numRuns: 500 },
    );
    native.dpiClose(dpi);
  });
});

describe('the addon', () => {
  it('refuses handles that are closed, foreign or none', () => {
    const pcap = native.pcapOpenFile(file(pcapBytes(some)), '');
    const dpi = native.dpiCreate(1);
    assert.throws(() => native.pcapLinkType(dpi as unknown as PcapHandle), TypeError);
    assert.throws(() => native.dpiMemory(pcap as unknown as DpiHandle), TypeError);
    for (const none of [undefined, null, 1, {}, 'pcap']) assert.throws(() => native.pcapClose(none as unknown as PcapHandle), TypeError);
    native.pcapClose(pcap);
    native.dpiClose(dpi);
    assert.throws(() => native.pcapClose(pcap), { code: 'ECLOSED' });
    assert.throws(() => readAll(pcap), { code: 'ECLOSED' });
    assert.throws(() => native.pcapPosition(pcap), { code: 'ECLOSED' });
    assert.throws(() => native.dpiClose(dpi), { code: 'ECLOSED' });
    assert.throws(() => native.dpiCollect(dpi, 0, 0, new Uint8Array(99)), { code: 'ECLOSED' });
  });

  it('checks lengths, offsets and types', () => {
    const pcap = native.pcapOpenFile(file(pcapBytes(some)), '');
    const dpi = native.dpiCreate(4);
    const bytes = new Uint8Array(100);
    const frames = new Int32Array(6);
    const times = new Float64Array(2);
    for (const most of [0, -1, 3, 1.5, Number.NaN, 2 ** 40])
      assert.throws(() => native.pcapRead(pcap, bytes, frames, times, most), RangeError);
    assert.throws(() => native.pcapRead(pcap, new Uint8Array(0), frames, times, 1), RangeError);
    assert.throws(() => native.pcapRead(pcap, bytes, frames, new Float64Array(1), 2), RangeError);
    assert.throws(() => native.pcapRead(pcap, frames as unknown as Uint8Array, frames, times, 1), TypeError);
    for (const request of [
      [5, 0, 1],
      [-1, 0, 1],
      [0, -1, 1],
      [0, 0, -1],
      [0, 100, 1],
      [0, 1, 100],
      [0, 2 ** 31 - 1, 2 ** 31 - 1],
    ]) {
      assert.throws(() => native.dpiProcess(dpi, bytes, Int32Array.from([...request, 0]), times, 1), RangeError);
    }
    assert.throws(() => native.dpiProcess(dpi, bytes, new Int32Array(4), times, 2), RangeError);
    assert.throws(() => native.dpiProcess(dpi, bytes, new Int32Array(40), times, 3), RangeError);
    assert.throws(() => native.dpiCollect(dpi, 5, 0, bytes), RangeError);
    assert.throws(() => native.dpiCollect(dpi, 0, 4, bytes), RangeError);
    assert.throws(() => native.dpiCollect(dpi, 0, 0, new Uint8Array(15)), RangeError);
    for (const flows of [0, -1, 2 ** 27, Number.POSITIVE_INFINITY]) assert.throws(() => native.dpiCreate(flows), RangeError);
    for (const size of [0, -1, 0.5, 2 ** 50]) assert.throws(() => native.allocate(size), RangeError);
    assert.throws(() => native.pcapOpenFile('a\0b', ''), RangeError);
    assert.throws(() => native.pcapOpenFile(-1, ''), RangeError);
    assert.throws(() => native.gunzipPosition(-1), RangeError);
    native.pcapClose(pcap);
    native.dpiClose(dpi);
  });

  it('allocates zeroed memory', () => {
    const words = new Float64Array(native.allocate(8_000_000));
    assert.equal(words.length, 1_000_000);
    assert(words.every((word) => word === 0));
    words.fill(1);
    assert.equal(native.allocate(1).byteLength, 1);
  });

  it('has clocks', () => {
    assert(Math.abs(native.wallClock() / 1000 - Date.now()) < 10_000);
    const cpu = native.threadCpu();
    for (let i = 0; native.threadCpu() <= cpu; i++) assert(i < 1e8);
  });

  it('frees what was forgotten', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    const open = (): number => readdirSync('/proc/self/fd').length;
    const path = file(pcapBytes(some));
    const packed = file(gzipSync(pcapBytes(some)));
    const start = open();
    (() => {
      for (let i = 0; i < 20; i++) native.pcapOpenFile(path, '');
      const gunzip = native.gunzipOpen(packed);
      native.pcapClose(native.pcapOpenFile(gunzip.fd, ''));
      hand(native.dpiCreate(5), [[0, dns('lost.example', '192.0.2.3')[0]]]);
      native.allocate(1 << 20);
    })();
    assert(open() > start);
    for (let turn = 0; turn < 100 && open() > start; turn++) {
      collectGarbage();
      await new Promise((done) => setImmediate(done));
    }
    assert(open() <= start); // fewer, where the collector found what tests before this one left
  });

  it('runs in several workers at once', async () => {
    const code = `
      const native = require(${JSON.stringify(addon)});
      const dpi = native.dpiCreate(10);
      require('node:worker_threads').parentPort.postMessage(native.dpiProtocols(dpi).length);`;
    const workers = Array.from({ length: 4 }, () => new Worker(code, { eval: true }));
    const counts = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
    await Promise.all(workers.map((worker) => worker.terminate()));
    const dpi = native.dpiCreate(1);
    assert.deepEqual(counts, new Array(4).fill(native.dpiProtocols(dpi).length));
    native.dpiClose(dpi);
  });
});
