/** sFlow as a source: datagrams → sampled packets → the packet decoder and the flow engine. */
import { COUNTERS, counterIndex, DECODE_COUNTERS_START } from '../../flows/counters.ts';
import { createDecoder } from '../../packet/decode.ts';
import type { ExporterInterfaceSnapshot, ProbeSnapshot } from '../../patrol-types.ts';
import { openNetflowCollector } from '../../records/netflow/collector.ts';
import { COLLECTOR_COUNTERS } from '../../records/netflow/counters.ts';
import { SFLOW_COUNTERS } from '../../records/sflow/counters.ts';
import { type AgentInterface, type AgentStatus, createSflowDecoder } from '../../records/sflow/decoder.ts';
import { createSamplePackets } from '../../records/sflow/packets.ts';
import { parseSflowUrl } from '../../records/sflow/url.ts';
import { rejectedOf } from './rejected.ts';
import { MOST_SHOWN, type OpenSource } from './source.ts';

const FIRST = counterIndex(SFLOW_COUNTERS[0].name);
/** Nothing came for so long, µs: agents send counters every 30 s or so. */
const SILENCE_US = 120_000_000;

const probe = (of: AgentStatus, now: number): ProbeSnapshot => ({
  source: of.agent,
  address: of.address,
  version: 'sFlow v5',
  messages: of.datagrams,
  records: of.samples,
  lost: of.lost,
  restarts: of.restarts,
  lastContact: of.heard,
  ...(now - of.heard > SILENCE_US ? { silentSince: of.heard } : {}),
  ...(of.samplingRate > 0 ? { samplingRate: of.samplingRate } : {}),
  totals: { 'samples.lost': of.samplesLost, drops: of.drops },
});

/** By the names that probes give the same. */
const interfaceOf = (exporter: string, of: AgentInterface): ExporterInterfaceSnapshot => ({
  exporter,
  index: of.index,
  name: '',
  values: {
    ifType: of.type,
    ifSpeed: of.speed,
    ifAdminStatus: of.adminUp ? 'Up' : 'Down',
    ifOperStatus: of.operUp ? 'Up' : 'Down',
    ifInOctets: of.inOctets,
    ifInPackets: of.inPackets,
    ifInErrors: of.inErrors,
    ifInDiscards: of.inDiscards,
    ifOutOctets: of.outOctets,
    ifOutPackets: of.outPackets,
    ifOutErrors: of.outErrors,
    ifOutDiscards: of.outDiscards,
  },
  updated: of.updated,
});

export const openSflow: OpenSource = async ({ name, config, thread, arrived, log }) => {
  const url = parseSflowUrl(name);
  const { counters, engine } = thread;
  const { decode } = createDecoder(
    { gtp: config.openGtp, gre: config.openGre, vxlan: config.openVxlan },
    counters.subarray(DECODE_COUNTERS_START, COUNTERS.length),
    thread.seed,
  );
  const packets = createSamplePackets(engine, decode);
  const decoder = createSflowDecoder(packets, counters.subarray(FIRST, FIRST + SFLOW_COUNTERS.length), (line) => log.warn(line));

  // the collector counts by NetFlow's names
  const ofSocket = new Float64Array(COLLECTOR_COUNTERS.length);
  const takeOver = (theirs: (typeof COLLECTOR_COUNTERS)[number]['name'], ours: (typeof SFLOW_COUNTERS)[number]['name']): void => {
    counters[counterIndex(ours)] = ofSocket[COLLECTOR_COUNTERS.findIndex((counter) => counter.name === theirs)];
  };
  const collector = await openNetflowCollector(
    { ...url, transport: 'udp', counters: ofSocket, now: arrived, log: (line) => log.warn(line) },
    (address, port, bytes, arrival) => {
      packets.at(arrival);
      decoder.datagram(address, bytes, arrival, port);
    },
  );
  log.info(`collecting sFlow on ${url.address} port ${collector.port}, receive buffer of ${collector.receiveBuffer} bytes`);
  const measure = (): void => {
    collector.measure();
    takeOver('netflow.drops.kernel', 'sflow.drops.kernel');
    takeOver('netflow.socket.errors', 'sflow.socket.errors');
  };
  return {
    tick: measure,
    probes: () => decoder.agents().map((agent) => probe(agent, engine.clock())),
    collected: () => ({
      rejected: rejectedOf(decoder.samples()),
      interfaces: decoder
        .agents()
        .flatMap(({ agent, interfaces }) => interfaces.map((of) => interfaceOf(agent, of)))
        .slice(0, MOST_SHOWN),
    }),
    async close() {
      await collector.close();
      measure();
    },
  };
};
