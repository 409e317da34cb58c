/** `proto.*`: the protocols of the flow, and nDPI's risks. */
import { protocolPairName } from '../../dpi/names.ts';
import type { DetailName, EventView } from '../view.ts';
import { textField, whole } from './detail.ts';
import { ANY, absent, each, type FieldTable, float, group, int, string, table } from './field.ts';

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

/** nDPI's name of the flow's protocols; where it has none, that of the exporter. */
export const ndpiName = (view: EventView): string =>
  (view.application() === 0 && view.master() === 0 ? view.text('proto.name') : undefined) ??
  protocolPairName(view.names.protocols, view.master(), view.application());

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

/** nDPI's score of the risks. */
const score =
  (detail: DetailName) =>
  (view: EventView): number | undefined =>
    whole(view, detail);

export const PROTOCOLS = group('protocols', [
  ...each({ getter: 'getProtocols' }, [
    string('proto.l4', 'name of the IP protocol, or its number as text', l4Name, { column: { title: 'L4', width: 9, shown: true } }),
    string('proto.ndpi', 'nDPI name, `Master.App` if both are known; `Unknown` before detection', ndpiName, {
      column: { title: 'Protocol', width: 16, shown: true },
    }),
    int('proto.ndpi_id', 'nDPI id of the application protocol, 0 = unknown', (view) => view.application()),
    string('proto.ndpi_breed', 'nDPI breed', (view) => (view.hasDetail() ? (view.names.breeds[view.breed()] ?? 'Unrated') : 'Unrated'), {
      column: { title: 'Breed', width: 12 },
    }),
    int('proto.ndpi_cat_id', 'id of the category', (view) => view.category()),
    string('proto.ndpi_cat', 'name of the category', (view) => view.names.categories[view.category()] ?? 'Unspecified', {
      column: { title: 'Category', width: 14 },
    }),
  ]),
  ...each({ since: '4.0' }, [
    int('proto.l4_id', 'number of the IP protocol', (view) => view.l4()),
    string('proto.ndpi_app', 'nDPI name of the application protocol alone', (view) =>
      protocolPairName(view.names.protocols, 0, view.application()),
    ),
    int('proto.master_ndpi_id', 'nDPI id of the protocol that carries it, 0 = none', (view) => view.master()),
  ]),
  ...each({ ours: true }, [
    string('proto.ndpi_confidence', 'how nDPI came to the protocol', (view) =>
      view.hasDetail() ? (view.names.confidences[view.confidence()] ?? 'Unknown') : 'Unknown',
    ),
    float('proto.ndpi_entropy', 'entropy of a payload, both directions alike', (view) => view.number('entropy'), {
      unit: 'bits per byte',
      when: 'nDPI measured it: few of its dissectors do',
    }),
    textField('proto.ndpi_info', 'what else nDPI says of the flow, at most 15 bytes', 'flow_info'),
  ]),
  table('flow_risk', 'nDPI risks: text → id', risks, {
    since: '4.2',
    when: 'nDPI found a risk',
    members: [{ key: ANY, type: 'int', doc: 'id of the risk' }],
  }),
  ...each({ ours: true, when: 'nDPI found a risk' }, [
    int('flow_risk.score', 'nDPI score of all risks together', score('risk_score')),
    int('flow_risk.score_client', "the client's part of the score", score('risk_score.client')),
    int('flow_risk.score_server', "the server's part of the score", score('risk_score.server')),
  ]),
  table('entropy', 'entropy of the payload by direction; nDPI 4.2 has one figure, `proto.ndpi_entropy`', absent, {
    since: '4.2',
    when: 'detection measures it by direction',
    never: true,
    members: [
      { key: 'client', type: 'float', doc: "of the client's payload" },
      { key: 'server', type: 'float', doc: "of the server's payload" },
    ],
  }),
]);
