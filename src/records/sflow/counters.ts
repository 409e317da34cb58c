/**
 * What the sFlow decoder counts, declared once: positions in the array of doubles that it gets from its caller. Every datagram is either
 * read or refused for one reason:
 *
 *   sflow.datagrams = read + sflow.refused.*          sflow.samples.flow = handed on + sflow.samples.unreadable
 */
import type { CounterDeclaration } from '../../flows/counters.ts';

const info = (name: string, help: string) => ({ name, help, loss: false }) as const;
const loss = (name: string, help: string) => ({ name, help, loss: true }) as const;

export const SFLOW_COUNTERS = [
  info('sflow.datagrams', 'sFlow datagrams that came'),
  info('sflow.bytes', 'their bytes'),
  info('sflow.samples.flow', 'samples of packets'),
  info('sflow.samples.counter', 'samples of interface counters'),
  info('sflow.samples.discard', 'notices of packets that an agent discarded'),
  info('sflow.packets', 'packets that the samples stand for'),
  info('sflow.traffic', 'bytes of these packets on the wire'),
  loss('sflow.samples.unreadable', 'samples of packets without an Ethernet or IP header, or with an impossible length or rate'),
  loss('sflow.samples.unknown', 'samples of a kind that is not known'),
  loss('sflow.refused.version', 'datagrams that are no sFlow version 5 (is something else sent to this port?)'),
  loss('sflow.refused.damaged', 'datagrams that end too early, or say impossible lengths: what came before the damage was used'),
  loss('sflow.sequence.lost', 'datagrams missing by the sequence numbers; falls when one comes late'),
  info('sflow.sequence.late', 'datagrams that came after a later one, or twice'),
  info('sflow.sequence.restarts', 'times an agent began its sequence anew'),
  loss('sflow.samples.lost', 'samples missing by the sequence numbers of their sources'),
  loss('sflow.drops', 'samples that agents took and could not send'),
  info('sflow.agents', 'agents known, one for each sub-agent'),
  loss('sflow.agents.evicted', 'agents forgotten because there were too many'),
  loss(
    'sflow.drops.kernel',
    'datagrams that the kernel dropped because the receive buffer was full (raise ?buffer= and net.core.rmem_max)',
  ),
  loss('sflow.socket.errors', 'errors of the receiving socket'),
] as const satisfies readonly CounterDeclaration[];

export type SflowCounterName = (typeof SFLOW_COUNTERS)[number]['name'];

/** Position of a counter among {@link SFLOW_COUNTERS}. */
export const sflowCounter = (name: SflowCounterName): number => SFLOW_COUNTERS.findIndex((counter) => counter.name === name);
