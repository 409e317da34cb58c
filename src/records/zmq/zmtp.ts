/**
 * One connection in ZMTP 3.0 (ZeroMQ RFC 23), NULL mechanism, as a subscriber: bytes of the peer in, messages of two frames out.
 *
 *   greeting  FF, 8 × 00, 7F │ 3 │ 0 │ mechanism, 20 bytes │ as-server │ 31 × 00        64 bytes, both ways
 *   command   04 │ length │ 05 READY │ properties: length, name, length (4 bytes), value
 *   frame     flags: 1 = more follow, 2 = length in 8 bytes, 4 = command │ length, 1 or 8 bytes │ body
 *
 * A frame that lies in one chunk is handed on in place; one that is cut is put together in a buffer of its own. Larger ones than a
 * payload may be are skipped, so memory is bounded whatever the peer sends. Called by plain.ts.
 */
import { LARGEST_PAYLOAD } from './body.ts';

export interface ZmtpPeer {
  /** @returns false: the connection is of no use, `failed` has said why */
  feed(chunk: Buffer): boolean;
}

export interface ZmtpEvents {
  send(bytes: Buffer): void;
  /** The handshake is done. */
  ready(): void;
  /** The bytes are the chunk's, and valid during the call only. */
  message(header: Buffer, payload: Buffer): void;
  /** A message of another number of frames, or with a frame that is too large. */
  rejected(): void;
  failed(why: string): void;
}

const GREETING = 64;
/** What is sent at once: a peer that encrypts closes the connection when it reads our mechanism, so we look at its own before. */
const GREETING_START = 11;
const MORE = 1;
const LONG = 2;
const COMMAND = 4;
const LARGEST_COMMAND = 65536;
/** Headers have 40 bytes at most; a longer first frame is no header. */
const LARGEST_HEADER = 255;
const PUBLISHERS = ['PUB', 'XPUB'];

const greeting = Buffer.alloc(GREETING);
greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0]);
greeting.write('NULL', 12, 'latin1');

function command(name: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.of(COMMAND, 1 + name.length + body.length, name.length), Buffer.from(name, 'latin1'), body]);
}

function property(name: string, value: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length);
  return Buffer.concat([Buffer.of(name.length), Buffer.from(name, 'latin1'), length, Buffer.from(value, 'latin1')]);
}

const READY = command('READY', property('Socket-Type', 'SUB'));
/** Every topic: what is new is seen, and no number of a message is missing. */
const SUBSCRIBE = Buffer.of(0, 1, 1);

/** @returns the value, or undefined */
function propertyOf(bytes: Buffer, name: string): string | undefined {
  for (let at = 0; at < bytes.length; ) {
    const nameEnd = at + 1 + bytes[at];
    if (nameEnd + 4 > bytes.length) return undefined;
    const valueEnd = nameEnd + 4 + bytes.readUInt32BE(nameEnd);
    if (valueEnd > bytes.length) return undefined;
    if (bytes.toString('latin1', at + 1, nameEnd).toLowerCase() === name.toLowerCase())
      return bytes.toString('latin1', nameEnd + 4, valueEnd);
    at = valueEnd;
  }
  return undefined;
}

export function createZmtpPeer(events: ZmtpEvents): ZmtpPeer {
  let greeted = false;
  let ready = false;
  let failed = false;
  /** Bytes of the greeting, then of each frame's flags and length, that have come so far. */
  const start = Buffer.alloc(GREETING);
  let started = 0;
  let flags = 0;
  let length = -1;
  /** Of the body of a frame that is cut. */
  let partial = Buffer.alloc(4096);
  let gathered = 0;
  let skipping = false;
  /** Of the message. */
  const heads = new Map<number, Buffer>();
  let head: Buffer | undefined;
  let frames = 0;
  let bad = false;

  const fail = (why: string): void => {
    failed = true;
    events.failed(why);
  };

  /** @returns what is wrong with it, '' for nothing */
  const greetingFault = (): string => {
    if (start[0] !== 0xff || (start[9] & 1) !== 1) return 'the peer does not speak ZMTP: is this the port of a probe?';
    if (start[10] < 3) return `the peer speaks ZMTP ${start[10]}, which is older than 3.0: its ZeroMQ library is older than 4.0`;
    const mechanism = start.toString('latin1', 12, 32).replace(/\0.*$/s, '');
    if (mechanism === 'CURVE') {
      return 'the probe encrypts (CURVE) and this endpoint does not: add ?curve to the endpoint, or switch encryption off at the probe';
    }
    return mechanism === 'NULL' ? '' : `the probe wants the security mechanism ${mechanism || '(none)'}, which is not spoken here`;
  };

  const readGreeting = (): void => {
    const fault = greetingFault();
    if (fault !== '') {
      fail(fault);
      return;
    }
    greeted = true;
    started = 0;
    events.send(greeting.subarray(GREETING_START));
    events.send(READY);
  };

  const readCommand = (body: Buffer): void => {
    const nameEnd = 1 + (body[0] ?? 0);
    const name = body.toString('latin1', 1, nameEnd);
    const rest = body.subarray(nameEnd);
    if (name === 'ERROR') fail(`the probe refuses: ${rest.toString('latin1', 1, 1 + (rest[0] ?? 0)) || 'without a reason'}`);
    else if (name === 'PING') events.send(command('PONG', Buffer.from(rest.subarray(2, 18))));
    else if (name === 'READY' && !ready) readReady(propertyOf(rest, 'Socket-Type') ?? '(none)');
  };

  const readReady = (type: string): void => {
    if (!PUBLISHERS.includes(type)) {
      fail(`the peer is a ZeroMQ socket of type ${type}, not a publisher: is this the port of a probe?`);
      return;
    }
    ready = true;
    events.send(SUBSCRIBE);
    events.ready();
  };

  const endMessage = (payload: Buffer | undefined): void => {
    if (bad || frames !== 2 || head === undefined || payload === undefined) events.rejected();
    else events.message(head, payload);
    head = undefined;
    frames = 0;
    bad = false;
  };

  /** @param body undefined: it was skipped */
  const readFrame = (body: Buffer | undefined): void => {
    if ((flags & COMMAND) !== 0) {
      if (body !== undefined) readCommand(body);
      return;
    }
    if (!ready) {
      fail('the peer sends messages before the handshake is over');
      return;
    }
    frames++;
    if (body === undefined) bad = true;
    else if (frames === 1) {
      if (body.length > LARGEST_HEADER) bad = true;
      else {
        head = heads.get(body.length);
        if (head === undefined) heads.set(body.length, (head = Buffer.alloc(body.length)));
        for (let i = 0; i < body.length; i++) head[i] = body[i];
      }
    }
    if ((flags & MORE) === 0) endMessage(body);
  };

  /** Takes flags and length of the next frame. @returns the byte after what it took */
  const readStart = (chunk: Buffer, at: number): number => {
    while (at < chunk.length) {
      start[started++] = chunk[at++];
      if (started === 1) {
        flags = start[0];
        if (flags > 7) {
          fail('the peer breaks the protocol (flags of a frame)');
          return at;
        }
      } else if (started === ((flags & LONG) === 0 ? 2 : 9)) {
        length = (flags & LONG) === 0 ? start[1] : start.readUInt32BE(1) * 0x1_0000_0000 + start.readUInt32BE(5);
        started = 0;
        gathered = 0;
        skipping = length > ((flags & COMMAND) === 0 ? LARGEST_PAYLOAD : LARGEST_COMMAND);
        return at;
      }
    }
    return at;
  };

  const gather = (chunk: Buffer, at: number): number => {
    const taken = Math.min(length - gathered, chunk.length - at);
    if (!skipping) {
      if (partial.length < length) {
        const larger = Buffer.alloc(Math.min(LARGEST_PAYLOAD, Math.max(length, partial.length * 2)));
        larger.set(partial.subarray(0, gathered));
        partial = larger;
      }
      partial.set(chunk.subarray(at, at + taken), gathered);
    }
    gathered += taken;
    return at + taken;
  };

  events.send(greeting.subarray(0, GREETING_START));

  return {
    feed(chunk) {
      let at = 0;
      while (!greeted && !failed && at < chunk.length) {
        start[started++] = chunk[at++];
        if (started === GREETING || (started === 11 && start[10] < 3) || (started === 1 && start[0] !== 0xff)) readGreeting();
      }
      while (!failed && at < chunk.length) {
        if (length < 0) {
          at = readStart(chunk, at);
          if (failed || length < 0) break;
        }
        if (gathered === 0 && !skipping && chunk.length - at >= length) {
          const body = chunk.subarray(at, at + length);
          at += length;
          length = -1;
          readFrame(body);
          continue;
        }
        at = gather(chunk, at);
        if (gathered < length) break;
        const size = length;
        length = -1;
        gathered = 0;
        readFrame(skipping ? undefined : partial.subarray(0, size));
        skipping = false;
      }
      return !failed;
    },
  };
}
