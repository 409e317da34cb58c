/**
 * TCP packets made from a flow's record: detection is told of a handshake when the flow's first payload comes.
 *
 *   record (addresses, ports, client) ──► IPv4 or IPv6 header, TCP header without payload ──► bytes for nDPI
 */
import * as batch from '../packet/batch.ts';
import * as record from './record.ts';
import type { Records } from './table.ts';
import * as tables from './table.ts';

// Constants of this module: V8 folds these into machine code; imported ones it would load and check at each use.
const { BATCH_PACKETS, INTRODUCTION_BYTES, PV_IPV6 } = batch;
const { R_A, R_B, R_PORTS, R_PV, R_STATE, R_V6 } = record;
const { RECORD_WORDS } = tables;

/** SYN, SYN+ACK, ACK. */
export const INTRODUCTIONS = 3;
/** Room of one packet: an IPv6 and a TCP header, and what nDPI may look at beyond. */
export const INTRODUCTION = INTRODUCTION_BYTES / (BATCH_PACKETS * INTRODUCTIONS);

const TCP = 6;

/** Writes a packet of flow `id` to `bytes` at `at`. @returns its length */
export type Introduce = (bytes: Uint8Array, at: number, id: number, fromServer: boolean, flags: number, seq: number, ack: number) => number;

export function createIntroduction({ i32, v6 }: Records): Introduce {
  return (bytes, at, id, fromServer, flags, seq, ack) => {
    const r = id * RECORD_WORDS;
    const fromB = (i32[r + (R_STATE >> 2)] as number) < 0 !== fromServer;
    const put32 = (to: number, value: number): void => {
      bytes[to] = value >>> 24;
      bytes[to + 1] = value >>> 16;
      bytes[to + 2] = value >>> 8;
      bytes[to + 3] = value;
    };
    bytes.fill(0, at, at + INTRODUCTION);
    let tcp = at + 20;
    if ((i32[r + (R_PV >> 2)] as number) >= PV_IPV6) {
      tcp = at + 40;
      bytes[at] = 0x60;
      bytes[at + 5] = 20;
      bytes[at + 6] = TCP;
      bytes[at + 7] = 64;
      const addresses = (i32[r + (R_V6 >> 2)] as number) * 32;
      for (let i = 0; i < 16; i++) {
        bytes[at + 8 + i] = v6[addresses + (fromB ? 16 : 0) + i] as number;
        bytes[at + 24 + i] = v6[addresses + (fromB ? 0 : 16) + i] as number;
      }
    } else {
      bytes[at] = 0x45;
      bytes[at + 3] = 40;
      bytes[at + 8] = 64;
      bytes[at + 9] = TCP;
      put32(at + 12, i32[r + ((fromB ? R_B : R_A) >> 2)] as number);
      put32(at + 16, i32[r + ((fromB ? R_A : R_B) >> 2)] as number);
    }
    const ports = i32[r + (R_PORTS >> 2)] as number;
    put32(tcp, fromB ? (ports << 16) | (ports >>> 16) : ports);
    put32(tcp + 4, seq);
    put32(tcp + 8, ack);
    bytes[tcp + 12] = 0x50;
    bytes[tcp + 13] = flags;
    bytes[tcp + 14] = 0xff;
    return tcp + 20 - at;
  };
}
