/** docs/reference/flow-info.md: all fields, for readers. */
import { ANY, type Field, type FieldGroup, type Member } from '../fields/field.ts';
import { originOf } from './words.ts';

const TITLES: Readonly<Record<FieldGroup, string>> = {
  endpoints: 'Endpoints',
  state: 'Identity, time, statuses',
  protocols: 'Protocols',
  traffic: 'Traffic',
  tcp: 'TCP',
  application: 'Application layer',
};

const row = (cells: readonly string[]): string => `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;

/** A member's row is named by the way to it: `.client.DSCP`. */
const memberRows = (members: readonly Member[], way: string): string[] =>
  members.flatMap((member) => {
    const name = member.key === ANY ? `${way}…` : way + member.key;
    return [
      row([`\`${name}\``, member.type, member.unit ?? '', '', '', member.when ?? 'always', member.doc]),
      ...memberRows(member.members ?? [], `${name}.`),
    ];
  });

const fieldRows = (field: Field): string[] => [
  row([`\`${field.key}\``, field.type, field.unit ?? '', field.level ?? 'high', originOf(field), field.when ?? 'always', field.doc]),
  ...memberRows(field.members ?? [], '.'),
];

const tableOf = (fields: readonly Field[]): string =>
  [row(['Key', 'Type', 'Unit', 'Level', 'Since', 'Present', 'Meaning']), `|${'---|'.repeat(7)}`, ...fields.flatMap(fieldRows)].join('\n');

/** @param declared all fields, also those that are never there */
export function fieldsReference(declared: readonly Field[], made: string): string {
  const never = declared.filter((field) => field.never === true);
  const groups = (Object.keys(TITLES) as FieldGroup[]).map((name) => {
    const fields = declared.filter((field) => field.group === name && field.never !== true);
    return `## ${TITLES[name]}\n\n${tableOf(fields)}\n`;
  });
  return `# The fields of a flow

${made}

A callback gets these as \`info\`; the JSON lines of flows and events have the same keys. A dot is a part of the key:
\`info["cli.ip"]\`. Where a value is not present, the key is absent. A row whose key begins with a dot is a member of the table
above it: \`info.icmp.type\`.

In Lua, \`int\` is an integer and \`float\` a float; strings are bytes as they were seen on the wire.

*Level* is ntopng's level of detail from which on it has the key; \`info\` has all of them. *Since* is the generation of scripts
that first knew the key: September or October 2019, 4.0, 4.2; \`own\` keys are flowpatrol's.

For editors the same is there as types: [types/info.lua](../../types/info.lua) (\`---@param info flowpatrol.Info\` above a callback)
and [types/info.d.ts](../../types/info.d.ts). The exported lines have a JSON schema: [flow.schema.json](flow.schema.json).

${groups.join('\n')}
## Never present

ntopng has these where it is inline, a commercial build, knows or keeps more. Scripts find them absent; *Present* says where they
would be, *Meaning* what there is here instead.

${tableOf(never)}

## Where values differ from ntopng's

- \`status_map\` is 0 where nothing is wrong: bit 0 is never set.
- \`flow.status\`, \`status_map\` and \`alerted_status\` have the ids of [statuses.md](statuses.md). In what \`flow.getFullInfo\` gives to
  scripts of 4.x they have those of the generation, without the statuses that it does not know: \`flow.status\` is the strongest that
  it knows, in 4.2 the one that the alert was raised for (0 without), \`alerted_status\` is absent where it knows it not.
- Counters, throughput and \`*.last\` are those of the visit that calls the script, not of the one before.
- Retransmitted, out-of-order and lost segments follow Wireshark's analysis. Without a segment of its own for 268 s a direction is
  told late from resent by the time of its last segment; where it only repeated itself for that long, one may be taken for the other.
- ECN bits say nothing about the handshake and the state of TCP (\`tcp_connecting\`).
- \`goodput_bytes\` has what a snap length has cut off TCP segments.
- \`tcp.appl_latency\` is right up to 71 minutes of waiting.
- \`fragments\` counts those of IPv6, too, and no packets that are merely cut off.
- \`proto.ndpi\` is \`Unknown\`, never \`(Too Early)\`, where detection is off.
- HTTP is told also where the capture has missed the handshake.
- \`icmp\` is of the last packet in scripts of every generation; 4.0 prefers the server's.
- \`ntopng.key\` does not have the packet in it that an ICMP message quotes, and such flows are told apart by their own endpoints alone.
- \`cli.blacklisted\` and \`srv.blacklisted\` are of the address alone, also for scripts of 4.0.
- Times of flow records are those that the exporter gives. Samples have none: of them no latency and no answer time is measured.
`;
}
