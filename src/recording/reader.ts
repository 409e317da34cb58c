/**
 * Reads a recording as far as it is whole: a file in, its header and then its frames out, one piece of the file in memory at a time.
 * Called by `flowpatrol test`, `replay` and `explain`.
 */
import { createReadStream, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { crc32, createGunzip } from 'node:zlib';
import { E_DETAIL, E_DETAIL_LENGTH, E_LENGTH, E_VERSION, EVENT_VERSION } from '../flows/event.ts';
import {
  type Doing,
  FRAME_BYTES,
  FRAME_DOING,
  FRAME_END,
  FRAME_EVENT,
  FRAME_INPUT,
  type Frame,
  type HostInput,
  LONGEST_HEADER,
  LONGEST_PAYLOAD,
  MAGIC,
  PREFIX_BYTES,
  padded,
  RECORDING_FORMAT,
  type RecordingEnd,
  RecordingError,
  type RecordingHeader,
} from './format.ts';

const CHUNK_BYTES = 1 << 20;

export interface RecordingReader {
  readonly header: RecordingHeader;
  /** All frames that are whole, in order, in lists as they lie in memory. */
  frames(): AsyncGenerator<readonly Frame[], void>;
  /** Why there are no more: undefined = its writer has closed it. Known when the last frame is read. */
  damage(): string | undefined;
}

/** @throws RecordingError: no such file, no recording, or one of another version */
export async function openRecordingFile(path: string): Promise<RecordingReader> {
  const refuse = (why: string): RecordingError => new RecordingError(`${path}: ${why}`);
  let stream: Readable;
  try {
    if (!statSync(path).isFile()) throw new Error('it is no file');
    stream = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  } catch (error) {
    throw refuse(`cannot be read: ${(error as Error).message}`);
  }
  const source = stream;
  if (path.endsWith('.gz')) {
    const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
    source.on('error', (error) => gunzip.destroy(error));
    stream = source.pipe(gunzip);
  }
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let buffer: Buffer = Buffer.alloc(0);
  let at = 0; // in the buffer
  let before = 0; // bytes of the recording before the buffer
  let failure: string | undefined;

  /** Reads until `length` bytes are there from `at` on. @returns false: there are not so many */
  async function need(length: number): Promise<boolean> {
    if (buffer.length - at >= length) return true;
    const parts: Buffer[] = [buffer.subarray(at)];
    before += at;
    at = 0;
    let have = parts[0]?.length ?? 0;
    while (have < length && failure === undefined) {
      try {
        const { value, done } = await chunks.next();
        if (done === true) break;
        parts.push(value);
        have += value.length;
      } catch (error) {
        failure = (error as Error).message;
      }
    }
    buffer = Buffer.concat(parts);
    return have >= length;
  }

  async function readHeader(): Promise<RecordingHeader> {
    if (!(await need(PREFIX_BYTES)) || !buffer.subarray(0, MAGIC.length).equals(MAGIC)) {
      throw refuse(failure === undefined ? 'is no recording of flowpatrol' : `cannot be read: ${failure}`);
    }
    const format = buffer.readUInt32LE(MAGIC.length);
    if (format !== RECORDING_FORMAT) throw refuse(`is a recording of format ${format}; this flowpatrol reads format ${RECORDING_FORMAT}`);
    const length = buffer.readUInt32LE(MAGIC.length + 4);
    if (length > LONGEST_HEADER || !(await need(padded(PREFIX_BYTES + length)))) throw refuse('ends within its header');
    let header: RecordingHeader;
    try {
      header = JSON.parse(buffer.toString('utf8', PREFIX_BYTES, PREFIX_BYTES + length)) as RecordingHeader;
    } catch {
      throw refuse('has a damaged header');
    }
    if (header.events !== EVENT_VERSION) {
      throw refuse(`has events of version ${header.events} (flowpatrol ${header.version}); this flowpatrol reads version ${EVENT_VERSION}`);
    }
    at = padded(PREFIX_BYTES + length);
    return header;
  }

  let damage: string | undefined = 'it has not been read to its end';
  const position = (): string => `at byte ${before + at}`;
  const cut = (): string => `it was cut off ${position()}${failure === undefined ? '' : ` (${failure})`}`;

  /** @returns the frame at `at`, which is there as a whole; a text = damage */
  function frameAt(type: number, length: number): Frame | string {
    const start = at + FRAME_BYTES;
    if (crc32(buffer.subarray(start, start + length)) !== buffer.readUInt32LE(at + 8)) return `it is damaged ${position()}`;
    if (type === FRAME_EVENT) {
      const fits =
        length >= E_DETAIL &&
        buffer.readUInt32LE(start + E_LENGTH) === length &&
        buffer.readUInt16LE(start + E_VERSION) === EVENT_VERSION &&
        buffer.readUInt32LE(start + E_DETAIL_LENGTH) <= length - E_DETAIL;
      return fits ? { type: 'event', bytes: buffer, at: start, length } : `there is a wrong event ${position()}`;
    }
    let value: unknown;
    try {
      value = JSON.parse(buffer.toString('utf8', start, start + length));
    } catch {
      return `there is no JSON ${position()}`;
    }
    if (type === FRAME_INPUT) return { type: 'input', input: value as HostInput };
    if (type === FRAME_DOING) return { type: 'doing', doing: value as Doing };
    return { type: 'end', end: value as RecordingEnd };
  }

  /** All frames that are whole in the buffer. */
  function frames(): Frame[] {
    const found: Frame[] = [];
    while (buffer.length - at >= FRAME_BYTES) {
      const length = buffer.readUInt32LE(at);
      const type = buffer.readUInt32LE(at + 4);
      const sound = crc32(buffer.subarray(at, at + 12)) === buffer.readUInt32LE(at + 12);
      if (!sound || length > LONGEST_PAYLOAD || type < FRAME_EVENT || type > FRAME_END) {
        damage = `it is damaged ${position()}`;
        return found;
      }
      const total = FRAME_BYTES + padded(length);
      wanted = total;
      if (buffer.length - at < total) return found;
      const frame = frameAt(type, length);
      if (typeof frame === 'string') {
        damage = frame;
        return found;
      }
      at += total;
      found.push(frame);
      wanted = FRAME_BYTES;
      if (frame.type === 'end') {
        damage = undefined;
        return found;
      }
    }
    return found;
  }

  let wanted = FRAME_BYTES;
  const header = await readHeader().catch((error) => {
    source.destroy();
    throw error;
  });
  return {
    header,
    async *frames() {
      const unread = damage;
      try {
        for (;;) {
          const found = frames();
          if (found.length > 0) yield found;
          if (damage !== unread) return;
          if (!(await need(wanted))) {
            damage = cut();
            return;
          }
        }
      } finally {
        source.destroy();
      }
    },
    damage: () => damage,
  };
}
