/**
 * Fields that have a name and no number: those of an agent on a host (eBPF), which reports sockets instead of packets, and
 * `json`, where a sender nests what its format has no number for. Their values are nested objects, which are small and rare enough to
 * be parsed as a whole.
 *
 *   {"IPV4_LOCAL_ADDR": …, "L4_LOCAL_PORT": …, "LOCAL_PROCESS": {"PID": …}, "LOCAL_CONTAINER": {"ID": …, "K8S": {"POD": …}},
 *    "TCP": {"BYTES_ACKED": …, "RTT": …}, "timestamp": "seconds.nanoseconds"}
 *
 * The local end is the source. Counters of a socket are absolute.
 */
import type { FlowDraft, Side } from './draft.ts';
import type { Apply } from './fields.ts';
import { latin1Form } from './texts.ts';
import { NESTED, TEXT, type Value } from './value.ts';

export interface NamedField {
  readonly names: readonly string[];
  readonly apply: Apply;
}

type Members = Readonly<Record<string, unknown>>;

/** Nested JSON, or JSON in a text. @returns an object without members for what is none */
function members(value: Value): Members {
  if (value.kind !== NESTED && value.kind !== TEXT) return {};
  if (value.isEmpty()) return {};
  try {
    const parsed: unknown = JSON.parse(value.bytes.toString('utf8', value.start, value.end));
    if (typeof parsed === 'object' && parsed !== null) return parsed as Members;
  } catch {
    // counted below
  }
  value.misfits++;
  return {};
}

const text = (member: unknown): string => (typeof member === 'string' ? latin1Form(member) : '');
const whole = (member: unknown): number => {
  const number = Number(member ?? 0);
  return number > 0 && number <= Number.MAX_SAFE_INTEGER ? Math.floor(number) : 0;
};
const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function takeProcess(draft: FlowDraft, side: Side, value: Value): void {
  const process = members(value);
  draft.agent = true;
  draft.process(side, 'pid', whole(process.PID));
  draft.process(side, 'uid', whole(process.UID));
  draft.process(side, 'gid', whole(process.GID));
  draft.process(side, 'actual_memory', whole(process.VM_SIZE));
  draft.process(side, 'peak_memory', whole(process.VM_PEAK));
  draft.process(side, 'name', fileName(text(process.PROCESS_PATH)));
  draft.process(side, 'user_name', text(process.UID_NAME));
}

function takeFather(draft: FlowDraft, side: Side, value: Value): void {
  const process = members(value);
  draft.agent = true;
  draft.process(side, 'father_pid', whole(process.PID));
  draft.process(side, 'father_uid', whole(process.UID));
  draft.process(side, 'father_gid', whole(process.GID));
  draft.process(side, 'father_name', fileName(text(process.PROCESS_PATH)));
  draft.process(side, 'father_user_name', text(process.UID_NAME));
}

function takeContainer(draft: FlowDraft, side: Side, value: Value): void {
  const container = members(value);
  const pod = (container.K8S ?? {}) as Members;
  const docker = (container.DOCKER ?? {}) as Members;
  draft.agent = true;
  draft.container(side, 'id', text(container.ID));
  draft.container(side, 'k8s.name', text(pod.NAME));
  draft.container(side, 'k8s.pod', text(pod.POD));
  draft.container(side, 'k8s.ns', text(pod.NS));
  draft.container(side, 'docker.name', text(docker.NAME));
}

/** The socket of the local end. */
function takeSocket(draft: FlowDraft, value: Value): void {
  const socket = members(value);
  const { record } = draft;
  draft.agent = true;
  record.inBytes = whole(socket.BYTES_ACKED);
  record.outBytes = whole(socket.BYTES_RCVD);
  record.inPackets = whole(socket.SEGS_OUT);
  record.outPackets = whole(socket.SEGS_IN);
  record.srcRetransmitted = whole(socket.RETRAN_PKTS);
  record.srcLost = whole(socket.LOST_PKTS);
  const [rtt, variance] = [Number(socket.RTT ?? 0), Number(socket.RTT_VARIANCE ?? 0)];
  if (rtt > 0 && variance >= 0) record.srcTcpInfo = JSON.stringify({ rtt, rtt_var: variance });
  if (typeof socket.CONN_STATE === 'string') draft.furtherMember('TCP_CONN_STATE', text(socket.CONN_STATE));
}

function takeFurther(draft: FlowDraft, value: Value): void {
  for (const [name, member] of Object.entries(members(value))) {
    if (typeof member === 'number') draft.furtherMember(latin1Form(name), member);
    else draft.furtherMember(latin1Form(name), latin1Form(typeof member === 'string' ? member : JSON.stringify(member)));
  }
}

const named = (names: string, apply: Apply): NamedField => ({ names: names.split(' '), apply });

/** What keys of an end begin with. */
const PREFIXES = { src: ['LOCAL', 'CLIENT', 'SRC'], dst: ['REMOTE', 'SERVER', 'DST'] } as const;

const ofSide = (side: Side): NamedField[] => {
  const names = (key: string): string => PREFIXES[side].map((prefix) => `${prefix}_${key}`).join(' ');
  const end = side === 'src' ? 'LOCAL' : 'REMOTE';
  return [
    named(`IPV4_${end}_ADDR IPV6_${end}_ADDR`, (draft, value) => {
      draft.agent = true;
      draft.address(side, value);
    }),
    named(`L4_${end}_PORT`, (draft, value) => {
      draft.agent = true;
      if (side === 'src') draft.record.srcPort = value.upTo(65535);
      else draft.record.dstPort = value.upTo(65535);
    }),
    named(names('PROCESS'), (draft, value) => takeProcess(draft, side, value)),
    named(names('FATHER_PROCESS'), (draft, value) => takeFather(draft, side, value)),
    named(names('CONTAINER'), (draft, value) => takeContainer(draft, side, value)),
  ];
};

export const NAMED_FIELDS: readonly NamedField[] = [
  ...ofSide('src'),
  ...ofSide('dst'),
  named('TCP', takeSocket),
  named('TCP_EVENT_TYPE', (draft, value) => {
    draft.agent = true;
    draft.further('TCP_EVENT_TYPE', value);
  }),
  named('UDP_EVENT_TYPE', (draft, value) => {
    draft.agent = true;
    draft.further('UDP_EVENT_TYPE', value);
  }),
  named('timestamp', (draft, value) => {
    draft.first = draft.seconds(value);
    draft.last = draft.first;
  }),
  named('json', takeFurther),
];
