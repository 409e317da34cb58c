/** `proto.*`: the protocols of the flow, and nDPI's risks. */
import { protocolPairName } from '../../dpi/names.ts';
import type { EventView } from '../view.ts';
import { type FieldTable, float, group, int, string, table } from './field.ts';

/** ntopng's names; every other protocol is its number. */
const L4: Readonly<Record<number, string>> = {
  0: 'IP',
  1: 'ICMP',
  2: 'IGMP',
  6: 'TCP',
  17: 'UDP',
  41: 'IPv6',
  46: 'RSVP',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'IPv6-ICMP',
  89: 'OSPF',
  103: 'PIM',
  112: 'VRRP',
  139: 'HIP',
};
const L4_NAMES: readonly string[] = Array.from({ length: 256 }, (_, id) => L4[id] ?? String(id));

/** Name of the IP protocol. */
export const l4Name = (view: EventView): string => L4_NAMES[view.l4()] as string;

/** nDPI's name of the flow's protocols. */
export const ndpiName = (view: EventView): string => protocolPairName(view.names.protocols, view.master(), view.application());

function risks(view: EventView): FieldTable | undefined {
  const low = view.risksLow();
  const high = view.risksHigh();
  if (low === 0 && high === 0) return undefined;
  const found: Record<string, number> = {};
  for (let id = 0; id < 64; id++) {
    if ((((id < 32 ? low : high) >>> (id & 31)) & 1) === 1) found[view.names.risks[id] ?? String(id)] = id;
  }
  return found;
}

const detected = 'nDPI measured it';

export const PROTOCOLS = group('protocols', [
  string('proto.l4', 'name of the IP protocol, or its number as text', l4Name),
  int('proto.l4_id', 'number of the IP protocol', (view) => view.l4()),
  string('proto.ndpi', 'nDPI name, `Master.App` if both are known; `Unknown` before detection', ndpiName),
  string('proto.ndpi_app', 'nDPI name of the application protocol alone', (view) =>
    protocolPairName(view.names.protocols, 0, view.application()),
  ),
  int('proto.ndpi_id', 'nDPI id of the application protocol, 0 = unknown', (view) => view.application()),
  int('proto.master_ndpi_id', 'nDPI id of the protocol that carries it, 0 = none', (view) => view.master()),
  string('proto.ndpi_breed', 'nDPI breed', (view) => (view.hasDetail() ? (view.names.breeds[view.breed()] ?? 'Unrated') : 'Unrated')),
  int('proto.ndpi_cat_id', 'id of the category', (view) => view.category()),
  string('proto.ndpi_cat', 'name of the category', (view) => view.names.categories[view.category()] ?? 'Unspecified'),
  string(
    'proto.ndpi_confidence',
    'how nDPI came to the protocol',
    (view) => (view.hasDetail() ? (view.names.confidences[view.confidence()] ?? 'Unknown') : 'Unknown'),
    { ours: true },
  ),
  float('proto.ndpi_entropy', 'entropy of the payload', (view) => view.number('entropy'), {
    unit: 'bits per byte',
    when: detected,
    ours: true,
  }),
  table('flow_risk', 'nDPI risks: text → id', risks, { when: 'nDPI found a risk' }),
]);
