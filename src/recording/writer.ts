/**
 * Writes a recording: events and doings in, a file out. Called by a script host's thread, which turns no event loop: so everything is
 * synchronous, and a slow disk makes the host wait (its ring fills, and a live interface sheds and counts).
 *
 *   event(), input(), doing() ──► buffer in shared memory, 1 MiB ──full or flush()──► file
 *
 * The buffer outlives the thread: a host that has to be ended from outside leaves it to the next one, which goes on where it stopped.
 *
 *   state   i32 filled, with the position that holds in bit 30 │ i32 flags │ f64 position 0 │ f64 position 1
 *           │ f64 seq, visit of the last event │ f64 events, alerts │ data
 *
 * What is in the buffer counts once `filled` says so, and a write counts once the bit is turned, both in one store: whenever the thread is
 * ended, the next one writes the same bytes at the same place.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { E_SEQ, E_VISIT } from '../flows/event.ts';
import {
  type Doing,
  encodeHeader,
  FRAME_BYTES,
  FRAME_DOING,
  FRAME_END,
  FRAME_EVENT,
  FRAME_INPUT,
  type HostInput,
  padded,
  RecordingError,
  type RecordingHeader,
  sealFrame,
} from './format.ts';

const FILLED = 0;
const FLAGS = 1;
const BEGUN = 1;
const POSITION = 1; // and 2
const LAST_SEQ = 3;
const LAST_VISIT = 4;
const EVENTS = 5;
const ALERTS = 6;
const STATE_BYTES = 64;
const TURN = 1 << 30;

const BUFFER_BYTES = 1 << 20;
/** Fast rather than small: it is done between two events. */
const GZIP = { level: 1 };

/** Memory of a recording for `openRecording`; kept by who may have to replace the writing thread. */
export const createRecordingState = (bytes = BUFFER_BYTES): SharedArrayBuffer => new SharedArrayBuffer(STATE_BYTES + padded(bytes));

/**
 * Which events are kept: all of them (a recording that can be replayed), or those at which scripts did something (what `flowpatrol test`
 * needs to know).
 */
export type RecordedEvents = 'all' | 'with doings';

export interface RecordingWriter {
  /** An event, before scripts see it. `bytes` stay as they are until the next call. */
  event(bytes: Uint8Array, at: number, length: number): void;
  input(input: HostInput): void;
  doing(doing: Doing): void;
  /** Bytes in the file from here on can be read. */
  flush(): void;
  /** Says that nothing is missing, and closes the file. */
  close(): void;
}

export interface RecordingOptions {
  readonly events?: RecordedEvents;
  /** Of the thread before; a new one without it. */
  readonly state?: SharedArrayBuffer;
}

/** @throws RecordingError, also of each function: the file cannot be written */
export function openRecording(path: string, header: RecordingHeader, options: RecordingOptions = {}): RecordingWriter {
  const state = options.state ?? createRecordingState();
  const words = new Int32Array(state, 0, 2);
  const doubles = new Float64Array(state, 0, STATE_BYTES / 8);
  const data = new Uint8Array(state, STATE_BYTES);
  const zipped = path.endsWith('.gz');
  const everything = options.events !== 'with doings';
  let pending: { readonly bytes: Uint8Array; readonly at: number; readonly length: number } | undefined;

  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw new RecordingError(`the recording ${path} cannot be written: ${(error as Error).message}`);
    }
  };
  const begun = (words[FLAGS] as number) === BEGUN;
  const file = guarded(() => openSync(path, begun ? 'r+' : 'w'));

  const filled = (): number => Atomics.load(words, FILLED) & (TURN - 1);
  const turned = (): number => Atomics.load(words, FILLED) & TURN;
  const position = (): number => doubles[POSITION + (turned() === 0 ? 0 : 1)] as number;

  /** Bytes go to the end of the file, and the buffer is empty. */
  function write(bytes: Uint8Array): void {
    const out = zipped ? gzipSync(bytes, GZIP) : bytes;
    const at = position();
    guarded(() => {
      for (let done = 0; done < out.length; ) done += writeSync(file, out, done, out.length - done, at + done);
    });
    const turn = turned() === 0 ? TURN : 0;
    doubles[POSITION + (turn === 0 ? 0 : 1)] = at + out.length;
    Atomics.store(words, FILLED, turn);
  }

  function flush(): void {
    if (filled() > 0) write(data.subarray(0, filled()));
  }

  function frame(type: number, payload: Uint8Array, from: number, length: number): void {
    const total = FRAME_BYTES + padded(length);
    if (total > data.length - filled()) flush();
    const own = total > data.length ? new Uint8Array(total) : undefined;
    const target = own ?? data;
    const at = own === undefined ? filled() : 0;
    const start = at + FRAME_BYTES;
    // an event is shorter than a call of `set` costs, yet that is what is fastest
    target.set(payload.subarray(from, from + length), start);
    target.fill(0, start + length, at + total);
    sealFrame(target, at, type, length);
    if (own === undefined) Atomics.store(words, FILLED, turned() | (at + total));
    else write(own);
  }

  function json(type: number, value: object): void {
    const payload = Buffer.from(JSON.stringify(value), 'utf8');
    frame(type, payload, 0, payload.length);
  }

  function keep({ bytes, at, length }: { readonly bytes: Uint8Array; readonly at: number; readonly length: number }): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, length);
    const [seq, visit] = [view.getFloat64(E_SEQ, true), view.getUint32(E_VISIT, true)];
    // the thread before was ended while scripts looked at it
    if (doubles[EVENTS] !== 0 && seq === doubles[LAST_SEQ] && visit === doubles[LAST_VISIT]) return;
    frame(FRAME_EVENT, bytes, at, length);
    doubles[LAST_SEQ] = seq;
    doubles[LAST_VISIT] = visit;
    doubles[EVENTS] = (doubles[EVENTS] as number) + 1;
  }

  if (!begun) {
    const head = encodeHeader(header);
    write(head);
    words[FLAGS] = BEGUN;
  }

  return {
    event(bytes, at, length) {
      pending = { bytes, at, length };
      if (!everything) return;
      keep(pending);
      pending = undefined;
    },
    input: (input) => json(FRAME_INPUT, input),
    doing(doing) {
      if (pending !== undefined && doing.type !== 'loaded' && doing.type !== 'switched') {
        keep(pending);
        pending = undefined;
      }
      json(FRAME_DOING, doing);
      if (doing.type === 'alert') doubles[ALERTS] = (doubles[ALERTS] as number) + 1;
    },
    flush,
    close() {
      json(FRAME_END, { events: doubles[EVENTS], alerts: doubles[ALERTS] });
      flush();
      guarded(() => closeSync(file));
    },
  };
}
