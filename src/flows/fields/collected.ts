/** What only flow records have: who exported them, and what agents on the hosts of the ends know. */
import type { DetailName, EventView } from '../view.ts';
import { textField, wholeField } from './detail.ts';
import { type Declared, each, type FieldTable, type FieldValue, group, int, type Member, table } from './field.ts';

const AGENT = { when: 'an agent on the host reports it' };

/** Members of a JSON object that are declared and have the declared type. Texts stay in Latin-1 form. */
function members(view: EventView, detail: DetailName, declared: readonly Member[]): FieldTable | undefined {
  const text = view.text(detail);
  if (text === undefined) return undefined;
  let parsed: Readonly<Record<string, unknown>>;
  try {
    parsed = JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
  const found: Record<string, FieldValue> = {};
  for (const { key, type } of declared) {
    const value = parsed[key];
    if (type === 'string' ? typeof value === 'string' : type === 'int' ? Number.isSafeInteger(value) : Number.isFinite(value)) {
      found[key] = value as FieldValue;
    }
  }
  return found;
}

const member = (type: 'int' | 'float' | 'string', key: string, doc: string): Member => ({ key, type, doc });

const PROCESS: readonly Member[] = [
  member('int', 'pid', 'number of the process'),
  member('int', 'uid', 'number of its user'),
  member('int', 'gid', 'number of its group'),
  member('int', 'actual_memory', 'its memory'),
  member('int', 'peak_memory', 'most memory that it had'),
  member('string', 'name', 'its program'),
  member('string', 'user_name', 'name of its user'),
  member('int', 'father_pid', 'its parent'),
  member('int', 'father_uid', "number of the parent's user"),
  member('int', 'father_gid', "number of the parent's group"),
  member('string', 'father_name', "the parent's program"),
  member('string', 'father_user_name', "name of the parent's user"),
];
const CONTAINER: readonly Member[] = [
  member('string', 'id', 'id of the container'),
  member('string', 'k8s.name', 'its name in Kubernetes'),
  member('string', 'k8s.pod', 'its pod'),
  member('string', 'k8s.ns', 'its name space'),
  member('string', 'docker.name', 'its name in Docker'),
];
const TCP_INFO: readonly Member[] = [
  member('float', 'rtt', 'round-trip time that the kernel measured'),
  member('float', 'rtt_var', 'its variance'),
];

const end = (name: 'client' | 'server'): Declared[] => {
  const of = (what: 'process' | 'container' | 'tcp_info', doc: string, declared: readonly Member[]): Declared =>
    table(`${name}_${what}`, doc, (view) => members(view, `${name}_${what}`, declared), { ...AGENT, members: declared });
  return [
    of('process', `process of the ${name}`, PROCESS),
    of('container', `container of the ${name}'s process`, CONTAINER),
    of('tcp_info', `what the kernel of the ${name} knows of the connection`, TCP_INFO),
  ];
};

const told = { when: 'the exporter says it' };

/** The exporter's IPv4 address as a number, by which its interfaces are told from those of others. */
function deviceId(view: EventView): number | undefined {
  const [, ...bytes] = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?::\d+)?$/.exec(view.text('exporter') ?? '') ?? [];
  return bytes.length === 0 ? undefined : bytes.reduce((number, byte) => number * 256 + Number(byte), 0);
}

export const COLLECTED = group('endpoints', [
  ...end('client'),
  ...end('server'),
  wholeField('vrfId', "VRF of the exporter by which the flow's first record came in", 'vrf', told),
  ...each({ since: '4.2' }, [
    wholeField(
      'prev_adjacent_as',
      "autonomous system before the exporter on the way of the client's packets (BGP)",
      'prev_adjacent_as',
      told,
    ),
    wholeField(
      'next_adjacent_as',
      "autonomous system behind the exporter on the way of the client's packets (BGP)",
      'next_adjacent_as',
      told,
    ),
    int('device_id', 'IPv4 address of `exporter` as a number', deviceId, { when: 'the exporter has one' }),
    wholeField('in_index', "interface of the exporter by which the client's packets come in (SNMP index)", 'in_index', told),
    wholeField('out_index', "interface of the exporter by which the client's packets go out (SNMP index)", 'out_index', told),
  ]),
  textField('exporter', 'who exported the first record of the flow', 'exporter', { ours: true, when: 'it came as a record' }),
]);
