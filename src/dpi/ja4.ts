/**
 * JA4 of TLS clients over TCP: the text of the fingerprint, and how a client hello is put together from segments.
 *
 *   t13d1516h2_8daaf6152771_e5627efa2ab1
 *   │││ │ │ │  │            └ SHA-256 of the sorted extensions and the signature algorithms, 12 digits
 *   │││ │ │ │  └ SHA-256 of the sorted cipher suites, 12 digits
 *   │││ │ │ └ first and last character of the first ALPN protocol
 *   │││ │ └ extensions, at most 99      ││
 *   │││ └ cipher suites, at most 99     │└ d: the client names the server, i: it does not
 *   ││└ … version                       └ t: TCP, q: QUIC
 *
 * The format is FoxIO's, published as JA4 (TLS clients) under the BSD 3-clause licence. GREASE values (RFC 8701) do not count.
 *
 * Enters: payload of client packets, from the flow engine. Leaves: the fingerprint, once per client hello.
 */
import { hash } from 'node:crypto';
import { ALPN, CLIENT_HELLO, type ClientHello, HANDSHAKE_HEADER, messageLength, parseClientHello, SERVER_NAME } from './client-hello.ts';

const NO_HASH = '000000000000';
const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0304, '13'],
  [0x0303, '12'],
  [0x0302, '11'],
  [0x0301, '10'],
  [0x0300, 's3'],
  [0x0002, 's2'],
]);

const isGrease = (value: number): boolean => (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
const withoutGrease = (values: readonly number[]): number[] => values.filter((value) => !isGrease(value));

const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Hexadecimal, four digits each, with commas between. */
function list(values: readonly number[] | Uint16Array): string {
  let text = '';
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    text += (i === 0 ? '' : ',') + (BYTES[value >> 8] as string) + (BYTES[value & 0xff] as string);
  }
  return text;
}

const sorted = (values: readonly number[]): Uint16Array => Uint16Array.from(values).sort();
const count = (values: readonly number[]): string => String(Math.min(values.length, 99)).padStart(2, '0');
const digest = (text: string): string => hash('sha256', text).slice(0, 12);

const isAlphanumeric = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);

/** First and last character of the protocol; of its hexadecimal digits, where one of the two is no letter and no digit. */
function alpnCharacters(alpn: Uint8Array): string {
  if (alpn.length === 0) return '00';
  const first = alpn[0] as number;
  const last = alpn[alpn.length - 1] as number;
  if (isAlphanumeric(first) && isAlphanumeric(last)) return String.fromCharCode(first, last);
  return (first >> 4).toString(16) + (last & 15).toString(16);
}

/** The three parts before they are hashed: what JA4 calls its raw form is these with `_` between them. */
export function ja4Parts(hello: ClientHello, transport: 't' | 'q'): { readonly a: string; readonly b: string; readonly c: string } {
  const ciphers = withoutGrease(hello.ciphers);
  const extensions = withoutGrease(hello.extensions);
  const version = withoutGrease(hello.supportedVersions).reduce((highest, value) => Math.max(highest, value), 0) || hello.legacyVersion;
  const named = extensions.includes(SERVER_NAME) ? 'd' : 'i';
  const algorithms = withoutGrease(hello.signatureAlgorithms);
  const others = list(sorted(extensions.filter((type) => type !== SERVER_NAME && type !== ALPN)));
  return {
    a: `${transport}${VERSIONS.get(version) ?? '00'}${named}${count(ciphers)}${count(extensions)}${alpnCharacters(hello.alpn)}`,
    b: list(sorted(ciphers)),
    c: algorithms.length === 0 ? others : `${others}_${list(algorithms)}`,
  };
}

export function ja4Of(hello: ClientHello, transport: 't' | 'q'): string {
  const { a, b, c } = ja4Parts(hello, transport);
  return `${a}_${b === '' ? NO_HASH : digest(b)}_${c === '' ? NO_HASH : digest(c)}`;
}

const HANDSHAKE_RECORD = 0x16;
const RECORD_HEADER = 5;
/** Longest stream of records that is kept for one hello: a record is at most as long (RFC 8446 5.1). */
const MOST_BYTES = 16 << 10;
/** Flows whose hello is incomplete. Most are complete with their second segment, so few wait at a time. */
const MOST_FLOWS = 1024;
const FIRST_BYTES = 2 << 10;
/** Segments of a flow that are kept because others before them are missing; they have no more than {@link MOST_BYTES} together. */
const MOST_EARLY = 8;

/** Client hellos that were begun and never read. */
export interface Ja4Dropped {
  /** A segment was missing until detection was over. */
  gaps: number;
  /** Longer than 16 KiB. */
  tooLong: number;
  /** The oldest had to go, as too many flows were waiting. */
  evicted: number;
}

export interface Ja4 {
  /**
   * Takes the payload of a client's packet: `payloadLength` bytes of `chunk` from `payloadOffset` on. `seq` is the TCP sequence number of its
   * first byte. Segments may come in any order, and again. `gap`: the client's segments have left a gap, so that one which begins no
   * hello may belong to one whose beginning is late; without it such a segment is not kept.
   *
   * @returns the fingerprint, when the hello is complete with this packet
   */
  feed(flow: number, chunk: Uint8Array, payloadOffset: number, payloadLength: number, seq: number, gap?: boolean): string | undefined;
  /** Forgets the flow: it has ended, or its detection is over. */
  end(flow: number): void;
  /** Flows whose hello is incomplete. */
  waiting(): number;
  readonly dropped: Readonly<Ja4Dropped>;
}

/** Part of a stream of records; `length` bytes of `bytes` are in use, none before its first segment has come. */
interface Pending {
  bytes: Uint8Array;
  length: number;
  nextSeq: number;
  /** Segments behind a gap. */
  readonly early: Early[];
}

interface Early {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

const newcomer = (): Pending => ({ bytes: new Uint8Array(0), length: 0, nextSeq: 0, early: [] });

type Outcome = 'no hello' | 'more' | { readonly message: Uint8Array; readonly from: number; readonly to: number };

/** The handshake message that begins at `from`, when it is whole and a client hello. */
function messageIn(bytes: Uint8Array, from: number, to: number): Outcome {
  if (from < to && bytes[from] !== CLIENT_HELLO) return 'no hello';
  if (from + HANDSHAKE_HEADER > to) return 'more';
  const end = from + messageLength(bytes, from);
  return end > to ? 'more' : { message: bytes, from, to: end };
}

/** Looks for a whole client hello in records that begin at `from`; it may be spread over several of them. */
function helloIn(bytes: Uint8Array, from: number, to: number): Outcome {
  let joined: Uint8Array | undefined; // content of all records, once there is a second one
  let length = 0;
  for (let at = from; at < to; ) {
    if (bytes[at] !== HANDSHAKE_RECORD || (at + 1 < to && bytes[at + 1] !== 3)) return 'no hello';
    const start = at + RECORD_HEADER;
    if (start > to) return 'more';
    const size = ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number);
    if (size === 0) return 'no hello';
    at = start + size;
    const end = Math.min(at, to);
    if (joined === undefined) {
      const outcome = messageIn(bytes, start, end);
      if (outcome !== 'more' || at >= to) return outcome;
      joined = new Uint8Array(to - from);
    }
    joined.set(bytes.subarray(start, end), length);
    length += end - start;
  }
  return joined === undefined ? 'more' : messageIn(joined, 0, length);
}

export function createJa4(): Ja4 {
  const pending = new Map<number, Pending>();
  const dropped: Ja4Dropped = { gaps: 0, tooLong: 0, evicted: 0 };

  const fingerprint = (outcome: Outcome): string | undefined => {
    if (typeof outcome === 'string') return undefined;
    const hello = parseClientHello(outcome.message, outcome.from, outcome.to);
    return hello && ja4Of(hello, 't');
  };

  /** Makes room for a flow. A hello that waits for its beginning puts no other one out. */
  function enter(flow: number, waiting: Pending): void {
    if (!pending.has(flow) && pending.size >= MOST_FLOWS) {
      if (waiting.length === 0) return;
      for (const oldest of pending.keys()) {
        pending.delete(oldest);
        break;
      }
      dropped.evicted++;
    }
    pending.set(flow, waiting);
  }

  /** Keeps the begin of a hello. @returns false when it is too long */
  function begin(waiting: Pending, chunk: Uint8Array, offset: number, length: number, seq: number): boolean {
    if (length > MOST_BYTES) {
      dropped.tooLong++;
      return false;
    }
    waiting.bytes = new Uint8Array(Math.max(FIRST_BYTES, length));
    waiting.bytes.set(chunk.subarray(offset, offset + length));
    waiting.length = length;
    waiting.nextSeq = (seq + length) | 0;
    return true;
  }

  function keepEarly({ early }: Pending, chunk: Uint8Array, offset: number, length: number, seq: number): void {
    const kept = early.reduce((sum, { bytes }) => sum + bytes.length, length);
    if (early.length < MOST_EARLY && kept <= MOST_BYTES) early.push({ seq, bytes: chunk.slice(offset, offset + length) });
  }

  /** Adds a segment that leaves no gap. @returns false when the hello cannot be completed any more */
  function append(waiting: Pending, chunk: Uint8Array, offset: number, length: number, seq: number): boolean {
    const known = (waiting.nextSeq - seq) | 0;
    const fresh = length - known;
    if (fresh <= 0) return true;
    const total = waiting.length + fresh;
    if (total > MOST_BYTES) {
      dropped.tooLong++;
      return false;
    }
    if (total > waiting.bytes.length) {
      const larger = new Uint8Array(Math.min(MOST_BYTES, total * 2));
      larger.set(waiting.bytes);
      waiting.bytes = larger;
    }
    waiting.bytes.set(chunk.subarray(offset + known, offset + length), waiting.length);
    waiting.length = total;
    waiting.nextSeq = (waiting.nextSeq + fresh) | 0;
    return true;
  }

  /** Adds the segments that a gap has kept back. @returns as {@link append} */
  function appendEarly(waiting: Pending): boolean {
    const { early } = waiting;
    for (let i = 0; i < early.length; ) {
      const { seq, bytes } = early[i] as Early;
      if (((waiting.nextSeq - seq) | 0) < 0) {
        i++;
        continue;
      }
      early.splice(i, 1);
      if (!append(waiting, bytes, 0, bytes.length, seq)) return false;
      i = 0;
    }
    return true;
  }

  /** The fingerprint, when nothing is missing any more. */
  function complete(flow: number, waiting: Pending): string | undefined {
    const outcome = appendEarly(waiting) ? helloIn(waiting.bytes, 0, waiting.length) : 'no hello';
    if (outcome !== 'more') pending.delete(flow);
    return fingerprint(outcome);
  }

  return {
    dropped,
    waiting: () => pending.size,
    end(flow) {
      if (pending.size === 0) return;
      const waiting = pending.get(flow);
      if (waiting === undefined) return;
      if (waiting.length > 0 && waiting.early.length > 0) dropped.gaps++;
      pending.delete(flow);
    },
    feed(flow, chunk, payloadOffset, payloadLength, seq, gap) {
      if (payloadLength === 0) return undefined;
      const known = pending.size === 0 ? undefined : pending.get(flow);
      if (known === undefined || known.length === 0) {
        const outcome =
          chunk[payloadOffset] === HANDSHAKE_RECORD ? helloIn(chunk, payloadOffset, payloadOffset + payloadLength) : 'no hello';
        if (outcome === 'no hello') {
          if (gap !== true) return undefined;
          const waiting = known ?? newcomer();
          keepEarly(waiting, chunk, payloadOffset, payloadLength, seq);
          enter(flow, waiting);
          return undefined;
        }
        if (outcome !== 'more') {
          if (known !== undefined) pending.delete(flow);
          return fingerprint(outcome);
        }
        const waiting = known ?? newcomer();
        if (!begin(waiting, chunk, payloadOffset, payloadLength, seq)) return undefined;
        enter(flow, waiting);
        return waiting.early.length === 0 ? undefined : complete(flow, waiting);
      }
      if (((known.nextSeq - seq) | 0) < 0) {
        keepEarly(known, chunk, payloadOffset, payloadLength, seq);
        return undefined;
      }
      if (append(known, chunk, payloadOffset, payloadLength, seq)) return complete(flow, known);
      pending.delete(flow);
      return undefined;
    },
  };
}
