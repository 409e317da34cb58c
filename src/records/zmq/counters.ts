/**
 * What the ZMQ reader and its decoder count, declared once. Every message is counted in `zmq.messages` and then by exactly one
 * of its topic, `zmq.topics.unknown`, or a rejection; every record ends in `zmq.records` or one of the reasons under `zmq.records.*`
 * that are losses. `zmq.sequence.lost` is what never reached us.
 */
import type { CounterDeclaration } from '../../flows/counters.ts';

const info = (name: string, help: string) => ({ name, help, loss: false }) as const;
const loss = (name: string, help: string) => ({ name, help, loss: true }) as const;

export const ZMQ_COUNTERS = [
  info('zmq.messages', 'messages received'),
  info('zmq.bytes', 'bytes of their payloads, as received'),
  info('zmq.topics.flow', 'messages with flows'),
  info('zmq.topics.event', 'heartbeats of probes'),
  info('zmq.topics.counter', 'interface counters of exporters'),
  info('zmq.topics.template', 'messages that name fields'),
  info('zmq.topics.option', 'messages that name values of fields'),
  info('zmq.topics.hello', 'probes that announced themselves'),
  info('zmq.topics.listening-ports', 'messages with the listening ports of a host'),
  info('zmq.topics.snmp-ifaces', 'messages with the names of exporter interfaces'),
  info('zmq.topics.unknown', 'messages with another topic: ignored'),
  info('zmq.records', 'flow records handed to the flow table'),
  info('zmq.records.swapped', 'of them: source and destination exchanged, because the lower port is the server'),
  info('zmq.records.sampled', 'of them: with a sampling rate above 1'),
  info('zmq.records.no-time', 'of them: without a usable time, got that of their arrival'),
  info('zmq.records.future', 'of them: more than a minute in the future, set back to their arrival'),
  info('zmq.fields.unknown', 'values of fields that have no name here: kept'),
  info('zmq.fields.invalid', 'values that do not fit their field (a text for a number, an impossible address): left out'),
  loss('zmq.fields.dropped', 'further fields beyond 64 of a record, or texts over 64 KiB: left out'),
  loss('zmq.records.no-address', 'records without any address'),
  loss('zmq.records.mixed-versions', 'records with one IPv4 and one IPv6 address'),
  loss('zmq.rejected.frames', 'messages that do not have two frames, or whose frames are too large'),
  loss('zmq.rejected.header', 'messages whose header has none of the known lengths (24, 28, 36, 40 bytes)'),
  loss('zmq.rejected.version', 'messages of a version above 4: this program is too old for the probe'),
  loss('zmq.rejected.size', 'payloads over 1 MiB'),
  loss('zmq.rejected.inflate', 'compressed payloads that cannot be decompressed'),
  loss('zmq.rejected.inflated-size', 'payloads over 2 MiB when decompressed'),
  loss('zmq.rejected.json', 'payloads that are no JSON, or end too early: what came before the damage is kept'),
  loss('zmq.rejected.tlv', 'payloads that are no TLV, or end too early: what came before the damage is kept'),
  loss('zmq.rejected.items', 'payloads with over 1024 fields in a record or nested deeper than 8: what came before is kept'),
  loss('zmq.rejected.content', 'events, templates, options and so on without what they must have'),
  loss('zmq.sequence.lost', 'messages that probes sent and that never came'),
  info('zmq.sequence.gaps', 'times that messages were missing'),
  info('zmq.sequence.restarts', 'times that a probe began to count anew'),
  info('zmq.sequence.reordered', 'messages that came late: they are not lost'),
  info('zmq.sources', 'probes known'),
  loss('zmq.sources.forgotten', 'probes forgotten because there were over 1024'),
  loss('zmq.names.dropped', 'names of fields, values, interfaces and ports beyond the limits: not learned'),
  info('zmq.connections', 'connections to probes that were made'),
  info('zmq.connections.failed', 'connections that ended in the handshake: see the notices'),
] as const satisfies readonly CounterDeclaration[];

export type ZmqCounterName = (typeof ZMQ_COUNTERS)[number]['name'];

const positions = new Map<string, number>(ZMQ_COUNTERS.map((counter, position) => [counter.name, position]));

/** Position of a counter among {@link ZMQ_COUNTERS}. */
export const zmqCounter = (name: ZmqCounterName): number => positions.get(name) as number;
