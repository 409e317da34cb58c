/** Shapes of answers that several resources share. The types of src/patrol-types.ts, scripts and store, as schemas. */
import { Type } from '@sinclair/typebox';
import { ALERT_STATES, SEVERITIES } from '../alerts/alert.ts';
import { CALLBACKS, type Callback } from '../flows/event.ts';
import type { FieldValue } from '../flows/fields.ts';
import type { InterfaceKind } from '../interfaces/protocol.ts';
import type { InterfaceState } from '../patrol-types.ts';
import type { CallbackStats, ScriptState } from '../scripts/report.ts';
import { SCRIPT_SWITCHES } from '../store/script-switches.ts';
import { object, oneOf } from './route.ts';

const { Optional, Array: List, String: Text, Number: Figure, Integer, Boolean: Flag, Record: Table } = Type;

export const INTERFACE_KINDS = ['packet', 'pcap', 'zmq', 'netflow', 'sflow'] as const satisfies readonly InterfaceKind[];
const STATES = ['starting', 'running', 'lost', 'ended', 'failed'] as const satisfies readonly InterfaceState[];
const SCRIPT_STATES = [
  'on',
  'shadow',
  'off',
  'off by setup',
  'not applicable',
  'error',
  'broken',
] as const satisfies readonly ScriptState[];

export const micros = (description: string) => Figure({ description: `${description}, µs since 1970` });

/** A value of a field of a flow: number, switch, text, or a table of such. */
export const FieldValueSchema = Type.Unsafe<unknown>({ type: ['number', 'boolean', 'string', 'object'] });

export const FlowRowSchema = Table(Text(), Type.Unknown(), {
  description: 'The fields of a flow (GET /fields) that it has, and `interface`, the name of its interface.',
});

export const Loss = { name: Text(), help: Text(), value: Figure() };

export const InterfaceHead = {
  id: Integer(),
  name: Text({ description: 'as given to -i' }),
  kind: oneOf(INTERFACE_KINDS),
  state: oneOf(STATES),
  error: Optional(Text()),
  warning: Optional(Text()),
  clock: micros('time of the traffic; 0 = no packet yet'),
};

const Probe = object({
  source: Text(),
  address: Optional(Text()),
  name: Optional(Text()),
  version: Optional(Text()),
  activeTimeout: Optional(Figure()),
  idleTimeout: Optional(Figure()),
  samplingRate: Optional(Figure()),
  interfaceName: Optional(Text()),
  interfaceSpeed: Optional(Figure()),
  messages: Figure(),
  records: Figure(),
  lost: Figure(),
  restarts: Optional(Figure()),
  lastContact: Figure(),
  silentSince: Optional(Figure()),
  drift: Optional(Figure()),
  problem: Optional(Text()),
  totals: Optional(Table(Text(), Figure())),
});

const Said = Table(Text(), Type.Unsafe<string | number | boolean>({ type: ['string', 'number', 'boolean'] }));

const Collected = object(
  {
    rejected: List(
      object({ reason: Text(), from: Text(), time: micros('arrival'), header: Optional(Text()), bytes: Text(), length: Figure() }),
      { description: 'the last message of each reason, in hexadecimal' },
    ),
    interfaces: List(
      object({
        exporter: Text(),
        index: Figure(),
        name: Text(),
        values: Table(Text(), Type.Unsafe<string | number>({ type: ['string', 'number'] })),
        updated: micros('last counters; 0 = none yet'),
      }),
    ),
    exporters: List(object({ probe: Text(), address: Text(), says: Said })),
    probes: List(object({ probe: Text(), says: Said })),
    listening: List(
      object({
        address: Text(),
        ports: List(object({ protocol: Figure(), port: Figure(), process: Text(), package: Text() })),
      }),
    ),
  },
  { description: 'what came beside flows, and what could not be read' },
);

export const InterfaceSchema = object({
  ...InterfaceHead,
  errorCode: Optional(Text()),
  probes: Optional(List(Probe)),
  timeouts: Optional(
    object({ active: Optional(Type.Unsafe<number | undefined>(Figure())), idle: Optional(Type.Unsafe<number | undefined>(Figure())) }),
  ),
  collected: Optional(Collected),
  notApplicable: Optional(List(Text(), { description: 'statuses that this kind of interface cannot tell' })),
  began: Optional(micros('time of the first packet')),
  position: Figure({ description: 'bytes of the file read so far, -1 unknown' }),
  size: Figure({ description: 'bytes of the file, -1 unknown' }),
  capture: Optional(
    object(
      {
        paused: Flag(),
        speed: Figure({ description: 'times packet time; 0 = as fast as possible' }),
        read: Optional(Figure({ description: 'share of the file, 0 to 1' })),
        left: Optional(Figure({ description: 'seconds that are probably left' })),
      },
      { description: 'of a capture that can be paused; its packets are from `began` to `clock`' },
    ),
  ),
  counters: Table(Text(), Figure()),
  protocols: List(object({ name: Text(), flows: Figure(), packets: Figure(), bytes: Figure() }), {
    description: 'of flows that have ended',
  }),
  losses: List(object(Loss)),
});

export const LossOfRun = object({ ...Loss, interface: Optional(Text()) });

const Stats = object({
  calls: Figure(),
  failures: Figure(),
  failed: Table(Text(), Figure()),
  skipped: Table(Text(), Figure()),
  cpuUs: Figure(),
  meanUs: Figure(),
  p99Us: Figure(),
});

export const CallbackSchema = oneOf<Callback>(CALLBACKS);

export const StatsSchema = Type.Unsafe<Readonly<Partial<Record<Callback, CallbackStats>>>>(Table(Text(), Stats));

export const ScriptSchema = object({
  key: Text(),
  file: Text(),
  path: Text(),
  language: Text(),
  generation: Optional(Text()),
  hash: Optional(Text()),
  title: Text(),
  description: Text(),
  prio: Figure(),
  callbacks: List(CallbackSchema),
  state: oneOf(SCRIPT_STATES),
  error: Optional(Text()),
  warnings: List(Text()),
  stats: StatsSchema,
  alerts: Figure(),
  shadowAlerts: Figure(),
  lastError: Optional(Text()),
  lastStack: Optional(Text()),
  broken: Optional(object({ reason: Text(), until: Figure() })),
  ownHost: Flag(),
  stateLost: Figure(),
  share: Figure(),
  interface: Text(),
});

export const SwitchSchema = oneOf(SCRIPT_SWITCHES as readonly ['on', 'off', 'shadow']);

/** What was raised, and the words for it. */
const RAISED = {
  time: micros('of the visit'),
  interface: Text(),
  type: Text(),
  severity: oneOf(SEVERITIES),
  score: Figure(),
  script: Text(),
  version: Text(),
  callback: Text(),
  visit: Figure(),
  statusBefore: Figure(),
  status: Figure(),
  forStatus: Figure(),
  flow: Type.Unsafe<Readonly<Record<string, FieldValue>>>(FlowRowSchema),
  info: Optional(Type.Unknown()),
  reason: Type.Unsafe<Readonly<Record<string, FieldValue>>>(Table(Text(), FieldValueSchema)),
  shadow: Flag(),
  title: Text(),
  description: Text(),
};

export const TestedAlertSchema = object(RAISED);

export const AlertSchema = object({
  ...RAISED,
  schema: Integer({ description: 'version of this shape' }),
  id: Text(),
  count: Integer(),
  firstTime: micros('of the first one that it stands for'),
  lastTime: micros('of the last one'),
  bytes: Figure({ description: 'traffic of the flows of all of them' }),
  packets: Figure(),
  secondary: Flag(),
  state: oneOf(ALERT_STATES),
  by: Text(),
  comment: Text(),
  changed: micros('when they did; 0 = never'),
});

// Parameters ------------------------------------------------------------------------------------------------

export const FilterParameter = Optional(Text({ description: 'in the filter language; without it all', maxLength: 8192 }));
export const InterfaceParameter = Optional(Text({ description: 'name of an interface, as given to -i; without it all', maxLength: 4096 }));
export const OrderParameter = oneOf(['desc', 'asc'] as const, { default: 'desc' });
export const FromParameter = Optional(Integer({ description: 'µs since 1970, inclusive', minimum: 0 }));
export const limitParameter = (most: number, fallback: number) => Integer({ minimum: 1, maximum: most, default: fallback });
export const OffsetParameter = Integer({ minimum: 0, maximum: 10_000_000, default: 0 });
export const FieldsParameter = Optional(Text({ description: 'keys, separated by commas; all without it', maxLength: 8192 }));
