/**
 * Sampled packets go the way of captured ones: into a batch, through the packet decoder, to the flow table and to nDPI; then their flows
 * are scaled up.
 *
 *   Sample ──frame──► PacketBatch ──decode──► Scratch ──► engine.process, engine.scale
 *
 * What the agent knows beside the header joins the frame or the flow: a VLAN of the switch becomes the tag of a frame that has none;
 * interfaces, next hop and masks are kept with the first packet of a flow (`moreinfo`, by nProbe's names of the elements).
 */
import type { FlowEngine } from '../../flows/engine.ts';
import {
  BATCH_PACKETS,
  createBatch,
  createScratch,
  FRAME_CAPTURED,
  FRAME_OFFSET,
  FRAME_WIRE,
  FRAME_WORDS,
  type PacketBatch,
  S_FRAME,
  SCRATCH_WORDS,
  type Scratch,
} from '../../packet/batch.ts';
import { HEADER_ETHERNET, HEADER_IPV4, type Sample, type SampleSink } from './decoder.ts';

const LINK_ETHERNET = 1;
const ETHERNET = 14;
const TAG = 4;
const VLAN_TYPES = [0x8100, 0x88a8, 0x9100];
const TCP = 6;
const UDP = 17;
/** A sample has the first bytes of a packet. */
const MOST_CAPTURED = 4096;
/** Room that all frames of a batch take at most; a batch is worked off before it is full. */
const MOST_BYTES = 64 << 10;

export interface SamplePackets extends SampleSink {
  /** µs since 1970: of the packets that follow. */
  at(time: number): void;
}

type Decode = (batch: PacketBatch, from: number, scratch: Scratch) => number;

export function createSamplePackets(engine: Pick<FlowEngine, 'process' | 'scale'>, decode: Decode): SamplePackets {
  const batch = createBatch(LINK_ETHERNET);
  const scratch = createScratch();
  const { bytes, frames, times } = batch;
  const rates = new Float64Array(BATCH_PACKETS);
  const descriptions: Description[] = Array.from({ length: BATCH_PACKETS }, () => ({ ...NOTHING }));
  let used = 0;
  let time = 0;

  const put16 = (at: number, value: number): void => {
    bytes[at] = value >>> 8;
    bytes[at + 1] = value;
  };

  /** A frame of the sample's header at `used`. @returns bytes that it has more than the header */
  const frameHeader = (sample: Sample): number => {
    const { kind, offset, sourceVlan } = sample;
    const captured = Math.min(sample.captured, MOST_CAPTURED);
    const header = sample.bytes.subarray(offset, offset + captured);
    if (kind !== HEADER_ETHERNET) {
      bytes.fill(0, used, used + ETHERNET - 2);
      put16(used + ETHERNET - 2, kind === HEADER_IPV4 ? 0x0800 : 0x86dd);
      bytes.set(header, used + ETHERNET);
      return ETHERNET;
    }
    const isTagged = captured < ETHERNET || VLAN_TYPES.includes((header[12] << 8) | header[13]);
    if (isTagged || sourceVlan <= 0 || sourceVlan >= 4095) {
      bytes.set(header, used);
      return 0;
    }
    bytes.set(header.subarray(0, 12), used);
    put16(used + 12, 0x8100);
    put16(used + 14, sourceVlan);
    bytes.set(header.subarray(12), used + 12 + TAG);
    return TAG;
  };

  /** A frame that says what the fields of the sample say. @returns its length */
  const frameFields = ({ bytes: from, ipv4, ipv6, ethernet }: Sample): number => {
    const at = ipv4 || ipv6;
    const words = Buffer.from(from.buffer as ArrayBuffer, from.byteOffset, from.length);
    const addresses = ipv4 !== 0 ? 4 : 16;
    const total = words.readUInt32BE(at);
    const protocol = words.readUInt32BE(at + 4) & 0xff;
    const ports = at + 8 + 2 * addresses;
    const l3 = used + ETHERNET;
    const l4 = l3 + (ipv4 !== 0 ? 20 : 40);
    bytes.fill(0, used, l4 + 20);
    if (ethernet !== 0) {
      bytes.set(from.subarray(ethernet + 12, ethernet + 18), used); // destination
      bytes.set(from.subarray(ethernet + 4, ethernet + 10), used + 6);
    }
    put16(used + 12, ipv4 !== 0 ? 0x0800 : 0x86dd);
    const tos = words.readUInt32BE(ports + 12) & 0xff;
    if (ipv4 !== 0) {
      bytes[l3] = 0x45;
      bytes[l3 + 1] = tos;
      put16(l3 + 2, Math.min(total, 0xffff));
      bytes[l3 + 8] = 64;
      bytes[l3 + 9] = protocol;
      bytes.set(from.subarray(at + 8, ports), l3 + 12);
    } else {
      bytes[l3] = 0x60 | (tos >> 4);
      bytes[l3 + 1] = tos << 4;
      put16(l3 + 4, Math.min(Math.max(0, total - 40), 0xffff));
      bytes[l3 + 6] = protocol;
      bytes[l3 + 7] = 64;
      bytes.set(from.subarray(at + 8, ports), l3 + 8);
    }
    put16(l4, words.readUInt32BE(ports));
    put16(l4 + 2, words.readUInt32BE(ports + 4));
    if (protocol === TCP) {
      bytes[l4 + 12] = 0x50;
      bytes[l4 + 13] = words.readUInt32BE(ports + 8);
      return l4 + 20 - used;
    }
    if (protocol === UDP) put16(l4 + 4, Math.min(Math.max(8, total - (l4 - l3)), 0xffff));
    return l4 + 8 - used;
  };

  const flush = (): void => {
    for (let from = 0; from < batch.count; ) {
      const to = decode(batch, from, scratch);
      engine.process(scratch, bytes);
      // what is no IP has no entry: entries and frames are in the same order
      let frame = from;
      for (let i = 0; i < scratch.count; i++) {
        while (frames[frame * FRAME_WORDS + FRAME_OFFSET] !== scratch.words[i * SCRATCH_WORDS + S_FRAME]) frame++;
        const of = descriptions[frame];
        engine.scale(scratch, bytes, i, rates[frame], () => describe(of));
        frame++;
      }
      from = to;
    }
    batch.count = 0;
    used = 0;
  };

  return {
    at(now) {
      time = now;
    },
    sample(sample, agent) {
      const { kind, captured, wire } = sample;
      const at = batch.count * FRAME_WORDS;
      const added = kind === 0 ? 0 : frameHeader(sample);
      const length = kind === 0 ? frameFields(sample) : Math.min(captured, MOST_CAPTURED) + added;
      frames[at + FRAME_OFFSET] = used;
      frames[at + FRAME_CAPTURED] = length;
      frames[at + FRAME_WIRE] = wire; // a tag of ours was not on it
      times[batch.count] = time;
      rates[batch.count] = sample.rate;
      const description = descriptions[batch.count];
      description.agent = agent;
      description.input = sample.input;
      description.output = sample.output;
      description.nextHop = sample.nextHop;
      description.sourceMask = sample.sourceMask;
      description.destinationMask = sample.destinationMask;
      description.destinationVlan = sample.destinationVlan;
      batch.count++;
      used += length;
      if (batch.count === BATCH_PACKETS || used > MOST_BYTES) flush();
    },
    end: flush,
  };
}

/** What is known of a sample beside its header. */
interface Description {
  agent: string;
  input: number;
  output: number;
  nextHop: string;
  sourceMask: number;
  destinationMask: number;
  destinationVlan: number;
}
const NOTHING: Description = { agent: '', input: 0, output: 0, nextHop: '', sourceMask: 0, destinationMask: 0, destinationVlan: -1 };

function describe(of: Description): string {
  const isIpv6 = of.nextHop.includes(':');
  return JSON.stringify({
    [of.agent.includes(':') ? 'EXPORTER_IPV6_ADDRESS' : 'EXPORTER_IPV4_ADDRESS']: of.agent,
    ...(of.input === 0 ? {} : { INPUT_SNMP: of.input }),
    ...(of.output === 0 ? {} : { OUTPUT_SNMP: of.output }),
    ...(of.destinationVlan < 0 ? {} : { DST_VLAN: of.destinationVlan }),
    ...(of.nextHop === '' ? {} : { [isIpv6 ? 'IPV6_NEXT_HOP' : 'IPV4_NEXT_HOP']: of.nextHop }),
    ...(of.sourceMask === 0 ? {} : { [isIpv6 ? 'IPV6_SRC_MASK' : 'IPV4_SRC_MASK']: of.sourceMask }),
    ...(of.destinationMask === 0 ? {} : { [isIpv6 ? 'IPV6_DST_MASK' : 'IPV4_DST_MASK']: of.destinationMask }),
  });
}
