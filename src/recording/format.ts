/**
 * A recording as bytes, little-endian: what goes into a script host, and what comes out of it, in the order of time.
 *
 *   "FPREC" CR LF 0x1a │ u32 format │ u32 length │ header, JSON │ padding to 8 │ frames …
 *
 *   frame   u32 length of the payload │ u32 type │ u32 CRC-32 of the payload │ u32 CRC-32 of these 12 bytes │ payload │ padding to 8
 *
 *     1 event    the bytes of a lifecycle event (flows/event.ts)
 *     2 input    HostInput as JSON: what the host was told between two events
 *     3 doing    Doing as JSON: what a script did at the event before it
 *     4 end      RecordingEnd as JSON: nothing is missing
 *
 * All JSON is UTF-8; texts in Latin-1 form stay so in it. The CRC (ISO-HDLC, that of gzip, RFC 1952) of the lengths has its own place, so that
 * a damaged length is seen before it is believed. A file whose name ends in `.gz` is the same in members of gzip.
 */
import { crc32 } from 'node:zlib';
import type { Callback } from '../flows/event.ts';
import type { Names } from '../flows/view.ts';
import type { HostData as HostBookData } from '../hosts/host-book.ts';
import type { Preferences } from '../preferences.ts';
import type { CacheChange } from '../scripts/cache.ts';
import type { CallTrace, FlowChange, ScriptAlert } from '../scripts/host.ts';
import type { ScriptSwitch } from '../scripts/report.ts';
import type { Language, PrintLevel } from '../scripts/runtime.ts';

export const MAGIC = Buffer.from('FPREC\r\n\x1a', 'latin1');
export const RECORDING_FORMAT = 1;
/** Bytes before the header's JSON. */
export const PREFIX_BYTES = MAGIC.length + 8;
export const FRAME_BYTES = 16;
/** A longer payload is damage. */
export const LONGEST_PAYLOAD = 512 << 20;
export const LONGEST_HEADER = 64 << 20;

export const FRAME_EVENT = 1;
export const FRAME_INPUT = 2;
export const FRAME_DOING = 3;
export const FRAME_END = 4;

export interface RecordingHeader {
  /** Of flowpatrol. */
  readonly version: string;
  /** EVENT_VERSION of its events. */
  readonly events: number;
  /** ISO 8601, when it was begun. */
  readonly began: string;
  readonly interface: { readonly id: number; readonly name: string; readonly kind: 'packet' | 'pcap' };
  readonly live: boolean;
  /** Of hashes and random numbers of scripts. */
  readonly seed: number;
  /** Callbacks that are called at all. */
  readonly callbacks: readonly Callback[];
  /** Folders of scripts, for what they require; the files there are not in the recording. */
  readonly directories: readonly string[];
  /** The same for the user's texts. */
  readonly locales: readonly string[];
  /** Code of the user's language. */
  readonly language: string;
  readonly names: Names;
  readonly hosts: HostBookData;
  /** Those at the start. */
  readonly preferences: Preferences;
}

/** A script's file in a new state; without source it is gone or was not readable. */
export interface RecordedFile {
  readonly path: string;
  readonly language?: Language;
  readonly hash?: string;
  readonly source?: string;
  readonly error?: string;
}

/** What the host is told from outside. */
export type HostInput =
  | { readonly type: 'files'; readonly files: readonly RecordedFile[] }
  | { readonly type: 'switch'; readonly key: string; readonly to: ScriptSwitch }
  | { readonly type: 'preferences'; readonly preferences: Preferences }
  | { readonly type: 'cache'; readonly changes: readonly CacheChange[] }
  | { readonly type: 'names'; readonly names: readonly { readonly address: string; readonly name: string }[] };

/** What scripts do; all but `loaded` and `switched` belong to the event before them. */
export type Doing =
  | { readonly type: 'alert'; readonly alert: ScriptAlert }
  | {
      readonly type: 'print';
      readonly script: string;
      readonly level: PrintLevel;
      readonly line: string;
      readonly callback: Callback | 'load';
    }
  | { readonly type: 'error'; readonly script: string; readonly callback: Callback | 'load'; readonly message: string }
  | { readonly type: 'changes'; readonly callback: Callback; readonly changes: readonly FlowChange[] }
  | { readonly type: 'loaded'; readonly script: string; readonly version?: string; readonly replaced: boolean }
  | { readonly type: 'switched'; readonly script: string; readonly on: boolean; readonly reason: string }
  | { readonly type: 'trace'; readonly callback: Callback; readonly scripts: readonly CallTrace[] };

export interface RecordingEnd {
  readonly events: number;
  readonly alerts: number;
}

export type Frame =
  /** Valid until the next frame is asked for. */
  | { readonly type: 'event'; readonly bytes: Uint8Array; readonly at: number; readonly length: number }
  | { readonly type: 'input'; readonly input: HostInput }
  | { readonly type: 'doing'; readonly doing: Doing }
  | { readonly type: 'end'; readonly end: RecordingEnd };

/** A recording that cannot be read or written. */
export class RecordingError extends Error {}

export const padded = (length: number): number => (length + 7) & ~7;

/** Bytes of a file's beginning. */
export function encodeHeader(header: RecordingHeader): Uint8Array {
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const bytes = Buffer.alloc(padded(PREFIX_BYTES + json.length));
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(RECORDING_FORMAT, MAGIC.length);
  bytes.writeUInt32LE(json.length, MAGIC.length + 4);
  json.copy(bytes, PREFIX_BYTES);
  return bytes;
}

/** Writes a frame's head at `at` of `target`; its payload stands behind it. */
export function sealFrame(target: Uint8Array, at: number, type: number, length: number): void {
  const data = new DataView(target.buffer, target.byteOffset + at, FRAME_BYTES);
  data.setUint32(0, length, true);
  data.setUint32(4, type, true);
  data.setUint32(8, crc32(target.subarray(at + FRAME_BYTES, at + FRAME_BYTES + length)), true);
  data.setUint32(12, crc32(target.subarray(at, at + 12)), true);
}
