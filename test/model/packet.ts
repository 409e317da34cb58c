/**
 * Decoded packets as plain objects: what the model of the lifecycle is fed with. Frames go through the real decoder one at a time; its
 * scratch entry is read once, here.
 */
import { SocketAddress } from 'node:net';
import { COUNTERS, DECODE_COUNTERS_START } from '../../src/flows/counters.ts';
import {
  createBatch,
  createScratch,
  F_ETHERNET,
  F_FRAGMENT,
  F_FROM_B,
  F_NO_DPI,
  F_TCP,
  F_TCP_FLAGS,
  PV_IPV6,
  S_ACK,
  S_CUT,
  S_FLAGS,
  S_FRAME,
  S_ICMP,
  S_L3,
  S_L3_LENGTH,
  S_PAYLOAD,
  S_PORTS,
  S_PV,
  S_SEQ,
  S_WINDOW,
  S_WIRE,
} from '../../src/packet/batch.ts';
import { createDecoder, DEFAULT_DECODE_OPTIONS } from '../../src/packet/decode.ts';

/** A frame as it was captured. */
export interface Frame {
  /** µs since 1970. */
  readonly time: number;
  readonly bytes: Uint8Array;
  readonly wire?: number;
  readonly linkType?: number;
}

export interface End {
  /** Dotted IPv4, or IPv6 as in RFC 5952. */
  readonly ip: string;
  /** 0 for protocols without ports. */
  readonly port: number;
  readonly mac: string;
}

export interface Packet {
  /** µs since 1970, never before that of the packet before. */
  readonly time: number;
  /** The same for both directions of a flow. */
  readonly key: string;
  readonly from: End;
  readonly to: End;
  readonly l4: number;
  readonly vlan: number;
  readonly isIpv6: boolean;
  readonly tos: number;
  /** Bytes on the wire, and of the payload of TCP, UDP, SCTP. */
  readonly wire: number;
  readonly payload: number;
  /** Of it, in TCP, what the capture has not. */
  readonly cut: number;
  readonly fragment: boolean;
  /** Detection must not see it. */
  readonly hidden: boolean;
  readonly tcp: { readonly flags: number; readonly seq: number; readonly ack: number; readonly window: number } | undefined;
  readonly icmp: { readonly type: number; readonly code: number } | undefined;
  /** From the innermost IP header to the end of the frame; where its payload begins. */
  readonly bytes: Uint8Array;
  readonly header: number;
}

const macText = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':');

function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[i * 2] << 8) | bytes[i * 2 + 1]).toString(16));
  return new SocketAddress({ family: 'ipv6', address: words.join(':') }).address;
}

// shared by all readers: a batch is large, and runs are many
const batch = createBatch(1);
const scratch = createScratch();
const { words } = scratch;

/** @returns a function that decodes one frame; undefined = nothing for the flow table */
export function createPacketReader(): (frame: Frame) => Packet | undefined {
  const decoder = createDecoder(DEFAULT_DECODE_OPTIONS, new Float64Array(COUNTERS.length - DECODE_COUNTERS_START), 1);
  return (frame) => {
    batch.bytes.set(frame.bytes);
    batch.frames.set([0, frame.bytes.length, frame.wire ?? frame.bytes.length]);
    batch.times[0] = frame.time;
    batch.count = 1;
    batch.linkType = frame.linkType ?? 1;
    decoder.decode(batch, 0, scratch);
    if (scratch.count === 0) return undefined;
    const flags = words[S_FLAGS];
    const pv = words[S_PV];
    const bytes = batch.bytes.slice(words[S_L3], words[S_L3] + words[S_L3_LENGTH]);
    const isIpv6 = pv >= PV_IPV6;
    const [source, target] = isIpv6 ? [bytes.subarray(8, 24), bytes.subarray(24, 40)] : [bytes.subarray(12, 16), bytes.subarray(16, 20)];
    const l4 = pv & 0xff;
    const fromB = (flags & F_FROM_B) !== 0;
    const ports = [words[S_PORTS] >>> 16, words[S_PORTS] & 0xffff];
    const hasPorts = l4 === 6 || l4 === 17 || l4 === 132;
    const macs = (flags & F_ETHERNET) !== 0 ? batch.bytes.slice(words[S_FRAME], words[S_FRAME] + 12) : new Uint8Array(12);
    const from = { ip: addressText(source), port: hasPorts ? ports[fromB ? 1 : 0] : 0, mac: macText(macs.subarray(6)) };
    const to = { ip: addressText(target), port: hasPorts ? ports[fromB ? 0 : 1] : 0, mac: macText(macs.subarray(0, 6)) };
    return {
      time: scratch.times[0],
      key: `${pv} ${hasPorts ? '' : words[S_PORTS]} ${[from, to].map(({ ip, port }) => `${ip} ${port}`).sort()}`,
      from,
      to,
      l4,
      vlan: (pv >> 8) & 0xffff,
      isIpv6,
      tos: (words[S_WINDOW] >> 8) & 0xff,
      wire: words[S_WIRE],
      payload: words[S_PAYLOAD],
      cut: (flags & F_TCP) === 0 ? 0 : words[S_CUT],
      fragment: (flags & F_FRAGMENT) !== 0,
      hidden: (flags & F_NO_DPI) !== 0,
      tcp:
        (flags & F_TCP) === 0
          ? undefined
          : { flags: flags & F_TCP_FLAGS, seq: words[S_SEQ], ack: words[S_ACK], window: words[S_WINDOW] >>> 16 },
      icmp: (l4 === 1 || l4 === 58) && (flags & F_FRAGMENT) === 0 ? { type: words[S_ICMP] >> 8, code: words[S_ICMP] & 0xff } : undefined,
      bytes,
      header: isIpv6 ? 40 : (bytes[0] & 15) * 4,
    };
  };
}
