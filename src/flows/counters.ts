/**
 * The counters of an interface: declared once, kept as doubles in shared memory (one writer: the interface's thread),
 * read by the main thread. `loss` marks what belongs to the loss ledger: something came and was not used.
 */

import { DECODE_COUNTERS } from '../packet/decode.ts';
import { COLLECTOR_COUNTERS, NETFLOW_COUNTERS } from '../records/netflow/counters.ts';
import { SFLOW_COUNTERS } from '../records/sflow/counters.ts';
import { ZMQ_COUNTERS } from '../records/zmq/counters.ts';
import { CALLBACKS } from './event.ts';

export interface CounterDeclaration {
  readonly name: string;
  readonly help: string;
  readonly loss: boolean;
}

const info = (name: string, help: string): CounterDeclaration => ({ name, help, loss: false });
const loss = (name: string, help: string): CounterDeclaration => ({ name, help, loss: true });

const ENGINE_COUNTERS = [
  info('flows.created', 'flows that began'),
  info('flows.active', 'flows in the table'),
  info('flows.peak', 'most flows in the table at one time'),
  info('flows.ended', 'flows that ended'),
  loss('flows.evicted', 'flows ended early because the table was full (raise --max-flows)'),
  info('visits', 'visits of all flows'),
  info('visits.cpu', 'CPU time of all visits, µs'),
  info('visits.longest', 'CPU time of the longest visit, µs'),
  loss('visits.late', 'visits left out: the one before took longer than the period, or the clock jumped'),
  info('events', 'lifecycle events handed to the script host'),
  loss('events.lost', 'lifecycle events lost: the script host was too slow and the queue full'),
  ...CALLBACKS.map((name) => info(`callbacks.${name}`, `${name} calls due`)),
  ...CALLBACKS.map((name) => info(`callbacks.lost.${name}`, `${name} calls that were in lost events`)),
  info('changes', 'statuses and scores that scripts gave to flows'),
  loss('changes.late', 'statuses and scores for flows that had ended by then'),
  info('alerts.core', 'alerts that the core raised about flows'),
  info('ids.matched', 'alerts of an intrusion detection system that were attached to their flows'),
  loss('ids.expired', 'such alerts whose flow did not come in time'),
  loss('ids.dropped', 'such alerts given up because too many waited for their flows'),
  loss('ids.refused', 'such alerts that no flow can have'),
  info('records', 'flow records of probes and exporters that went to the flow table'),
  info('records.packets', 'packets that they tell of, scaled by their sampling rate'),
  info('records.bytes', 'bytes that they tell of, scaled'),
  loss('records.refused', 'flow records without addresses'),
  info('records.ahead', 'flow records over a minute ahead of our clock: they got its time (set the clock of the exporter)'),
  info('records.untimed', 'flow records without a usable time: they got that of their reception'),
  info('records.guessed', 'flows of records whose protocol was guessed from ports and addresses'),
  loss('samples.unscaled', 'sampled packets whose flow ended before they were scaled up: the table was full'),
  info('dpi.packets', 'packets handed to detection'),
  info('dpi.refused', 'packets not shown to detection: their transport header is broken or not that of the flow'),
  info('dpi.given-up', 'flows whose protocol was given up and guessed'),
  loss('hellos.dropped', 'TLS and QUIC client hellos that could not be put together: no JA4'),
  loss('details.dropped', 'protocol details dropped: the memory for them was full'),
  loss('drops.kernel', 'packets the kernel dropped because its buffer was full (raise --buffer-size)'),
  loss('drops.interface', 'packets the network interface or its driver dropped'),
  info('interface.lost', 'times the interface went away'),
  loss('source.damaged', 'captures that ended in damage'),
] as const;

export const COUNTERS: readonly CounterDeclaration[] = [
  ...ENGINE_COUNTERS,
  ...DECODE_COUNTERS.map((counter) => ({ name: counter.name, help: counter.help, loss: counter.kind === 'malformed' })),
  // each in one piece: their writers get views of it
  ...ZMQ_COUNTERS,
  ...NETFLOW_COUNTERS,
  ...COLLECTOR_COUNTERS,
  ...SFLOW_COUNTERS,
];

/** Does an interface of the kind have the counter? What only others have is always zero there. */
export const countsFor = (kind: string, counter: string): boolean =>
  !/^(zmq|netflow|sflow)\./.test(counter) || counter.startsWith(`${kind}.`);

const positions = new Map(COUNTERS.map((counter, position) => [counter.name, position]));

/** Position of a counter; an undeclared name is a mistake in the program and throws. */
export function counterIndex(name: string): number {
  const position = positions.get(name);
  if (position === undefined) throw new Error(`undeclared counter ${name}`);
  return position;
}

/** Where the decoder's counters begin: it gets a view of the array from there on. */
export const DECODE_COUNTERS_START = ENGINE_COUNTERS.length;
