/**
 * The same capture gives the same events, byte for byte: however its packets come in batches, however small the ring is, and however
 * many interfaces are at work in turn.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import { COUNTERS, DECODE_COUNTERS_START } from '../../src/flows/counters.ts';
import { createFlowEngine } from '../../src/flows/engine.ts';
import { E_INTERFACE, E_LENGTH } from '../../src/flows/event.ts';
import { DEFAULT_POLICY } from '../../src/flows/policy.ts';
import { createRingBuffer, createRingReader, createRingWriter } from '../../src/flows/ring.ts';
import { createPrefixSet } from '../../src/hosts/prefixes.ts';
import { openFile } from '../../src/interfaces/pcap/source.ts';
import { native } from '../../src/native.ts';
import { createBatch, createScratch } from '../../src/packet/batch.ts';
import { createDecoder, DEFAULT_DECODE_OPTIONS } from '../../src/packet/decode.ts';
import { CAPTURES, captureNames } from '../support/golden.ts';
import { namesFor } from '../support/play.ts';

interface Interface {
  /** Takes the next batch. @returns false at the end */
  step(): boolean;
  /** Bytes of each event so far, in hexadecimal; the interface's own number is left out. */
  readonly events: readonly string[];
}

function openInterface(id: number, path: string, batchPackets: number, ringBytes: number): Interface {
  const source = openFile(path, '');
  const counters = new Float64Array(COUNTERS.length);
  const localNetworks = createPrefixSet();
  for (const network of DEFAULT_CONFIG.localNetworks) localNetworks.add(network);
  const dpi = native.dpiCreate(2000);
  const shared = createRingBuffer(ringBytes);
  const writer = createRingWriter(shared);
  const reader = createRingReader(shared);
  const events: string[] = [];
  const drain = (): void => {
    for (let at = reader.next(0); at >= 0; at = reader.next(0)) {
      const length = new DataView(reader.bytes.buffer, reader.bytes.byteOffset + at).getUint32(E_LENGTH, true);
      const event = Buffer.from(reader.bytes.slice(at, at + length));
      event.writeUInt16LE(0, E_INTERFACE);
      events.push(event.toString('hex'));
      reader.release(length);
    }
  };
  const engine = createFlowEngine({
    interfaceId: id,
    maxFlows: 1999,
    dpiPackets: DEFAULT_CONFIG.dpiPackets,
    dpi,
    names: namesFor(dpi, localNetworks.texts),
    localNetworks,
    policy: DEFAULT_POLICY,
    counters,
    visitsInline: true,
    sink: {
      bytes: writer.bytes,
      commit: writer.commit,
      reserve(length) {
        let at = writer.reserve(length);
        while (at < 0) {
          drain();
          at = writer.reserve(length);
        }
        return at;
      },
    },
  });
  const decoder = createDecoder(DEFAULT_DECODE_OPTIONS, counters.subarray(DECODE_COUNTERS_START), 1);
  const batch = createBatch(1);
  const scratch = createScratch();
  return {
    events,
    step() {
      const more = source.read(batch) >= 0;
      const read = more ? batch.count : 0;
      for (let from = 0; from < read; ) {
        batch.count = Math.min(read, from + batchPackets);
        from = decoder.decode(batch, from, scratch);
        engine.process(scratch, batch.bytes);
      }
      if (more) return true;
      engine.finish('end of file');
      drain();
      source.close();
      native.dpiClose(dpi);
      return false;
    },
  };
}

/** Events of interfaces that read the same capture, one batch each in turn. */
function run(capture: string, batchPackets: number, ringBytes: number, interfaces = 1): (readonly string[])[] {
  const all = Array.from({ length: interfaces }, (_, id) => openInterface(id, `${CAPTURES}${capture}`, batchPackets, ringBytes));
  for (let open = all; open.length > 0; ) open = open.filter((one) => one.step());
  return all.map(({ events }) => events);
}

describe('the same events, byte for byte', () => {
  for (const capture of captureNames()) {
    it(capture, () => {
      const [events] = run(capture, 128, 4 << 20);
      assert.ok(events.length > 0);
      for (const size of [1, 7, 50]) assert.deepEqual(run(capture, size, 4 << 20)[0], events, `batches of ${size}`);
      assert.deepEqual(run(capture, 128, 8 << 10)[0], events, 'a ring of 8 KiB');
      for (const [id, others] of run(capture, 33, 64 << 10, 3).entries()) assert.deepEqual(others, events, `interface ${id} of 3`);
    });
  }
});
