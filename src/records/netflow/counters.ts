/**
 * What the NetFlow and IPFIX decoder counts, declared once: positions in the array of doubles that it gets from its caller.
 * `loss` marks what belongs to the loss ledger: something came, or should have come, and was not used.
 *
 * Every datagram is either decoded or refused for exactly one reason:
 *
 *   netflow.messages = netflow.v5 + netflow.v9 + netflow.ipfix + sum of netflow.refused.*
 */

export interface NetflowCounter {
  readonly name: string;
  readonly help: string;
  readonly loss: boolean;
}

const info = <const Name extends string>(name: Name, help: string) => ({ name: `netflow.${name}` as const, help, loss: false });
const loss = <const Name extends string>(name: Name, help: string) => ({ name: `netflow.${name}` as const, help, loss: true });

export const NETFLOW_COUNTERS = [
  info('messages', 'NetFlow and IPFIX messages that came'),
  info('bytes', 'their bytes'),
  info('v5', 'NetFlow v5 messages decoded'),
  info('v9', 'NetFlow v9 messages decoded'),
  info('ipfix', 'IPFIX messages decoded'),
  info('records', 'flow records handed on'),
  info('records.options', 'options records read'),
  loss('refused.short', 'messages shorter than their header'),
  loss('refused.version', 'messages that are neither NetFlow v5, v9 nor IPFIX (is something else sent to this port?)'),
  loss('refused.length', 'messages shorter than they say'),
  loss('refused.set', 'messages whose first set has an impossible length'),
  loss('sets.damaged', 'sets of an impossible length behind others: the rest of the message was not read'),
  loss('sets.reserved', 'sets with a number that means nothing'),
  loss('sets.waiting.refused', 'data sets without a template that could not wait for it: too much waits already'),
  loss('sets.waiting.expired', 'data sets whose template did not come in time'),
  info('sets.waiting', 'data sets that came before their template and wait for it'),
  info('sets.waited', 'data sets decoded once their template had come'),
  info('templates', 'templates taken, options templates among them'),
  info('templates.changed', 'templates that took the place of another one with their number'),
  info('templates.withdrawn', 'templates that their exporter has withdrawn'),
  loss('templates.damaged', 'template sets that cannot be read to their end'),
  loss('templates.refused', 'templates beyond the limits: too many of an exporter or in all, or with too many fields'),
  loss('records.damaged', 'records that reach beyond their set: the rest of the set was not read'),
  loss('records.no-address', 'flow records without source and destination'),
  loss('records.mixed-address', 'flow records with an IPv4 address at one end and an IPv6 address at the other'),
  info('records.direction', 'flow records left out because only the other direction is wanted'),
  info('more.dropped', 'fields without a meaning here that were left out: too many in one record'),
  loss('sequence.lost', 'flows (v5), messages (v9) or records (IPFIX) missing by the sequence numbers; falls when one comes late'),
  info('sequence.late', 'messages that came after a later one, or twice'),
  info('sequence.restarts', 'times an exporter began its sequence anew'),
  info('exporters', 'exporters and observation domains known'),
  loss('exporters.evicted', 'exporters forgotten because there were too many'),
  info('options.refused', 'entries of options tables beyond the limits'),
] as const satisfies readonly NetflowCounter[];

export type NetflowCounterName = (typeof NETFLOW_COUNTERS)[number]['name'];

/** Position of a counter in {@link NETFLOW_COUNTERS} and in the decoder's array; the prefix `netflow.` is left out. */
export const netflowCounter = (name: NetflowCounterName extends `netflow.${infer Short}` ? Short : never): number =>
  NETFLOW_COUNTERS.findIndex((counter) => counter.name === `netflow.${name}`);

/** What the receiving sockets count. */
export const COLLECTOR_COUNTERS = [
  loss('drops.kernel', 'datagrams that the kernel dropped because the receive buffer was full (raise ?buffer= and net.core.rmem_max)'),
  info('tcp.connections', 'TCP connections accepted'),
  loss('tcp.refused', 'TCP connections refused: too many'),
  loss('tcp.framing', 'TCP connections closed because what came is no IPFIX'),
  loss('tcp.cut', 'TCP connections that ended in the middle of a message'),
  loss('socket.errors', 'errors of the receiving sockets'),
] as const satisfies readonly NetflowCounter[];
