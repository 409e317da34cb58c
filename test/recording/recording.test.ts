/** Recordings: what is written is read, and a file that was cut or damaged is read as far as it is whole. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { EVENT_VERSION } from '../../src/flows/event.ts';
import { DEFAULT_PREFERENCES } from '../../src/preferences.ts';
import { type Doing, encodeHeader, type Frame, type HostInput, RecordingError, type RecordingHeader } from '../../src/recording/format.ts';
import { openRecordingFile } from '../../src/recording/reader.ts';
import { createRecordingState, openRecording } from '../../src/recording/writer.ts';
import { event, NAMES } from '../support/events.ts';

const directory = mkdtempSync(join(tmpdir(), 'flowpatrol-recording-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const newFile = (ending = ''): string => join(directory, `${++files}.fpr${ending}`);

const HEADER: RecordingHeader = {
  version: '0.1.0',
  events: EVENT_VERSION,
  began: '2026-01-01T00:00:00.000Z',
  interface: { id: 0, name: 'eth0', kind: 'packet' },
  live: true,
  seed: 1,
  callbacks: ['protocolDetected', 'idle'],
  directories: [],
  locales: [],
  language: 'en',
  names: NAMES,
  hosts: { geoFiles: [], systemAddresses: ['192.0.2.1'] },
  preferences: DEFAULT_PREFERENCES,
};

type Item = { readonly event: Uint8Array } | { readonly input: HostInput } | { readonly doing: Doing };

const eventOf = (seq: number, name: string): Uint8Array =>
  event({ client: '10.0.0.1', server: '10.0.0.2', l4: 17, seq, visit: seq, details: { host_server_name: name } });

const items = fc
  .array(
    fc.oneof(
      fc.record({ kind: fc.constant('event' as const), text: fc.string({ maxLength: 300 }) }),
      fc.record({ kind: fc.constant('input' as const), text: fc.string({ unit: 'binary' }) }),
      fc.record({ kind: fc.constant('doing' as const), text: fc.string({ unit: 'binary' }) }),
    ),
    { maxLength: 30 },
  )
  .map((list) =>
    list.map(({ kind, text }, i): Item => {
      if (kind === 'event') return { event: eventOf(i + 1, Buffer.from(text).toString('latin1')) };
      if (kind === 'input') return { input: { type: 'switch', key: text, to: 'off' } };
      return { doing: { type: 'print', script: 's', level: 'print', line: text, callback: 'idle' } };
    }),
  );

function write(path: string, list: readonly Item[], bytes: number, flushed: (i: number) => boolean = () => false): void {
  const writer = openRecording(path, HEADER, { state: createRecordingState(bytes) });
  list.forEach((item, i) => {
    if ('event' in item) writer.event(item.event, 0, item.event.length);
    else if ('input' in item) writer.input(item.input);
    else writer.doing(item.doing);
    if (flushed(i)) writer.flush();
  });
  writer.close();
}

const itemOf = (frame: Frame): Item | undefined => {
  if (frame.type === 'event') return { event: new Uint8Array(frame.bytes.subarray(frame.at, frame.at + frame.length)) };
  if (frame.type === 'input') return { input: frame.input };
  return frame.type === 'doing' ? { doing: frame.doing } : undefined;
};

async function read(
  path: string,
): Promise<{ readonly list: Item[]; readonly damage: string | undefined; readonly header: RecordingHeader }> {
  const reader = await openRecordingFile(path);
  const list: Item[] = [];
  for await (const frames of reader.frames()) list.push(...frames.map(itemOf).filter((item) => item !== undefined));
  return { list, damage: reader.damage(), header: reader.header };
}

test('what is written is read, whatever the sizes and the flushes, plain and with gzip', async () => {
  await fc.assert(
    fc.asyncProperty(items, fc.integer({ min: 64, max: 4096 }), fc.boolean(), fc.func(fc.boolean()), async (list, bytes, zip, flushed) => {
      const path = newFile(zip ? '.gz' : '');
      write(path, list, bytes, flushed);
      const found = await read(path);
      assert.deepEqual(found.list, list);
      assert.deepEqual(found.header, HEADER);
      assert.equal(found.damage, undefined);
    }),
    { numRuns: 60 },
  );
});

test('a file that was cut off is read as far as it is whole', async () => {
  await fc.assert(
    fc.asyncProperty(items, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), async (list, part, zip) => {
      const path = newFile(zip ? '.gz' : '');
      write(path, list, 700);
      const whole = readFileSync(path);
      const header = zip ? gzipSync(encodeHeader(HEADER), { level: 1 }).length : encodeHeader(HEADER).length;
      writeFileSync(path, whole.subarray(0, header + Math.floor((whole.length - 1 - header) * part)));
      const found = await read(path);
      assert.deepEqual(found.list, list.slice(0, found.list.length));
      // what is cut off may be nothing but gzip's own end
      if (found.damage === undefined) assert.deepEqual([zip, found.list], [true, list]);
      else assert.match(found.damage, /^it was cut off at byte \d+/);
    }),
    { numRuns: 60 },
  );
});

test('nothing behind damage is believed, and nothing damaged', async () => {
  await fc.assert(
    fc.asyncProperty(items, fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 255 }), async (list, part, flip) => {
      const path = newFile();
      write(path, list, 4096);
      const bytes = readFileSync(path);
      const header = encodeHeader(HEADER).length;
      const place = header + Math.floor((bytes.length - 1 - header) * part);
      bytes.writeUInt8(bytes.readUInt8(place) ^ flip, place);
      writeFileSync(path, bytes);
      const found = await read(path);
      assert.deepEqual(found.list, list.slice(0, found.list.length));
      // between two frames lie up to seven bytes that nobody reads
      if (found.list.length < list.length) assert.match(found.damage ?? '', /^it (is damaged|was cut off) at byte \d+/);
    }),
    { numRuns: 100 },
  );
});

test('a thread that is ended leaves its buffer to the next one: nothing is lost, and its last event is there once', async () => {
  for (const ending of ['', '.gz']) {
    const path = newFile(ending);
    const state = createRecordingState();
    const events = [1, 2, 3].map((seq) => eventOf(seq, `n${seq}`));
    const [one, two, three] = events as [Uint8Array, Uint8Array, Uint8Array];
    const first = openRecording(path, HEADER, { state });
    first.event(one, 0, one.length);
    first.flush();
    first.event(two, 0, two.length);
    const next = openRecording(path, HEADER, { state });
    next.event(two, 0, two.length);
    next.event(three, 0, three.length);
    next.close();
    const { list, damage } = await read(path);
    assert.deepEqual([list, damage], [events.map((bytes) => ({ event: bytes })), undefined]);
  }
});

test('only events at which scripts did something, where no more is wanted', async () => {
  const path = newFile();
  const writer = openRecording(path, HEADER, { events: 'with doings' });
  const doing: Doing = { type: 'print', script: 's', level: 'print', line: 'x', callback: 'idle' };
  const [one, two] = [eventOf(1, 'a'), eventOf(2, 'b')];
  writer.doing({ type: 'loaded', script: 's', replaced: false });
  writer.event(one, 0, one.length);
  writer.event(two, 0, two.length);
  writer.doing(doing);
  writer.doing(doing);
  writer.close();
  assert.deepEqual((await read(path)).list.slice(1), [{ event: two }, { doing }, { doing }]);
});

test('what is no recording is refused with its reason', async () => {
  const refused = (path: string, why: RegExp): Promise<void> =>
    assert.rejects(openRecordingFile(path), (error: Error) => error instanceof RecordingError && why.test(error.message));
  const path = newFile();
  await refused(path, /cannot be read: .*no such file/);
  writeFileSync(path, '');
  await refused(path, /is no recording/);
  writeFileSync(path, encodeHeader({ ...HEADER, events: 99 }));
  await refused(path, /has events of version 99 \(flowpatrol 0\.1\.0\)/);
  const header = Buffer.from(encodeHeader(HEADER));
  writeFileSync(path, header.subarray(0, header.length - 8));
  await refused(path, /ends within its header/);
  header.writeUInt32LE(7, 8);
  writeFileSync(path, header);
  await refused(path, /is a recording of format 7; this flowpatrol reads format 1/);
  const zipped = newFile('.gz');
  appendFileSync(zipped, 'no gzip at all');
  await refused(zipped, /cannot be read: incorrect header check/);
  assert.throws(() => openRecording(join(directory, 'nowhere', 'x'), HEADER), /cannot be written: .*no such file/);
});
