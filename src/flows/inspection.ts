/**
 * What nDPI does not tell of a payload: JA4 of client hellos over TCP and QUIC, and what the statuses ask of the name in a DNS query.
 *
 *   payload that detection is shown ──inspect──► facts of the record; details that wait for `append` ──► detail block
 */
import { createJa4 } from '../dpi/ja4.ts';
import { createQuicJa4 } from '../dpi/quic-initial.ts';
import type { Scratch } from '../packet/batch.ts';
import * as batch from '../packet/batch.ts';
import { DNS_DATA, DNS_INVALID, examineQuery } from './dns-query.ts';
import * as record from './record.ts';
import type { Records } from './table.ts';
import * as tables from './table.ts';
import type { Names } from './view.ts';

// Constants of this module: V8 folds these into machine code; imported ones it would load and check at each use.
const { S_FLAGS, S_L3, S_L3_LENGTH, S_PAYLOAD, S_SEQ, SCRATCH_WORDS } = batch;
const { FACT_DETAILS_NEW, FACT_DNS_DATA, FACT_DNS_INVALID, P_LOST, R_FACTS, R_PORTS, R_PROBLEMS, R_PV, R_STATE } = record;
const { RECORD_WORDS } = tables;

const TCP = 6;
const UDP = 17;
const DNS_PORT = 53;
/** RFC 1035, 4.2.2: over TCP a message follows its length. */
const DNS_TCP_LENGTH = 2;
/** RFC 9000, 14.1: a client pads the datagrams of its Initial packets to so many bytes. */
const QUIC_INITIAL_BYTES = 1200;

export interface Inspection {
  /** Looks at packet `index` of the scratch, whose headers lie in `chunk`, of a flow whose detection is under way. */
  inspect(id: number, scratch: Scratch, chunk: Uint8Array, index: number): void;
  /** Adds what was found to the flow's detail block. @returns the block's new length */
  append(id: number, block: Uint8Array, length: number): number;
  /** Detection of the flow is over. */
  end(id: number): void;
  /** Client hellos that could not be put together. */
  lost(): number;
}

/** A fingerprint that waits for the flow's details; QUIC's version, 0 over TCP. */
interface Hello {
  readonly ja4: string;
  readonly version: number;
}

/** Offset of the payload of a TCP or UDP packet; the headers were checked by the decoder. */
function payloadOf(words: Int32Array, w: number, chunk: Uint8Array, protocol: number): number {
  const l3 = words[w + S_L3] as number;
  const isV4 = (chunk[l3] as number) >> 4 === 4;
  const l4 = l3 + (isV4 ? ((chunk[l3] as number) & 15) * 4 : 40);
  if (!isV4 && chunk[l3 + 6] !== protocol) {
    // behind extension headers: the payload ends where the packet ends
    const end = l3 + 40 + (((chunk[l3 + 4] as number) << 8) | (chunk[l3 + 5] as number));
    return Math.max(l3 + 40, end - (words[w + S_PAYLOAD] as number));
  }
  return l4 + (protocol === TCP ? ((chunk[l4 + 12] as number) >> 4) * 4 : 8);
}

export function createInspection({ i32, u32 }: Records, names: Names): Inspection {
  const ja4 = createJa4();
  const quic = createQuicJa4();
  const hellos = new Map<number, Hello>();
  const ja4Detail = names.details.indexOf('tls.ja4');
  const versionDetail = names.details.indexOf('quic.version');

  const examineDns = (id: number, chunk: Uint8Array, at: number, end: number): void => {
    const found = examineQuery(chunk, at, end);
    if (found === 0) return;
    const facts = ((found & DNS_INVALID) !== 0 ? FACT_DNS_INVALID : 0) | ((found & DNS_DATA) !== 0 ? FACT_DNS_DATA : 0);
    const word = id * RECORD_WORDS + (R_FACTS >> 2);
    u32[word] = (u32[word] as number) | facts | FACT_DETAILS_NEW;
  };

  const put = (block: Uint8Array, length: number, detail: number, data: Uint8Array): number => {
    if (length + 4 + data.length > block.length) return length;
    block[length] = detail;
    block[length + 1] = detail >> 8;
    block[length + 2] = data.length;
    block[length + 3] = data.length >> 8;
    block.set(data, length + 4);
    return length + 4 + data.length;
  };

  return {
    inspect(id, { words }, chunk, index) {
      const w = index * SCRATCH_WORDS;
      const r = id * RECORD_WORDS;
      const protocol = (i32[r + (R_PV >> 2)] as number) & 0xff;
      if ((protocol !== TCP && protocol !== UDP) || words[w + S_PAYLOAD] === 0) return;
      const at = payloadOf(words, w, chunk, protocol);
      const captured = (words[w + S_L3] as number) + (words[w + S_L3_LENGTH] as number) - at;
      const length = Math.min(words[w + S_PAYLOAD] as number, captured);
      if (length <= 0) return;
      const ports = i32[r + (R_PORTS >> 2)] as number;
      if ((ports & 0xffff) === DNS_PORT || ports >>> 16 === DNS_PORT) {
        examineDns(id, chunk, protocol === TCP ? at + DNS_TCP_LENGTH : at, at + length);
        return;
      }
      const fromServer = ((words[w + S_FLAGS] as number) ^ (i32[r + (R_STATE >> 2)] as number)) < 0;
      if (fromServer || hellos.has(id)) return;
      if (protocol === TCP) {
        const gap = u32[r + ((R_PROBLEMS + P_LOST) >> 2)] !== 0; // of the client, up to the batch's last packet
        const found = ja4.feed(id, chunk, at, length, words[w + S_SEQ] as number, gap);
        if (found !== undefined) hellos.set(id, { ja4: found, version: 0 });
      } else if (length >= QUIC_INITIAL_BYTES && ((chunk[at] as number) & 0xc0) === 0xc0) {
        const found = quic.feed(id, chunk, at, length);
        if (found !== undefined) hellos.set(id, found);
      }
    },
    append(id, block, length) {
      const hello = hellos.get(id);
      if (hello === undefined) return length;
      const end = put(block, length, ja4Detail, Buffer.from(hello.ja4, 'latin1'));
      if (hello.version === 0) return end;
      return put(block, end, versionDetail, new Uint8Array(Uint32Array.of(hello.version).buffer));
    },
    end(id) {
      hellos.delete(id);
      ja4.end(id);
      quic.end(id);
    },
    lost() {
      const { gaps, tooLong, evicted } = ja4.dropped;
      return gaps + tooLong + evicted + quic.dropped.undecipherable + quic.dropped.unusable + quic.dropped.evicted;
    },
  };
}
