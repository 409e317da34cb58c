/**
 * The filter language over alerts: text in, a predicate over {@link RaisedFlowAlert} (and so {@link Alert}) out. Exclusions, bulk changes
 * and notifications are written in it.
 *
 *   src/filter: parse ──► FilterNode ──► here: members of alerts, fields of their flow ──► src/filter: tests of values
 *
 * Every field and short name that filters of flows have is there, read from the alert's flow. Beside them are {@link MEMBERS}, which win
 * over a field of the same name: `score` is the alert's, `host` is also an address. The rules for missing and several values are those of
 * src/filter/compile.ts.
 */
import type { Comparison, FilterLeaf, FilterNode, Membership } from '../filter/ast.ts';
import { didYouMean, FilterError, quote, type Span } from '../filter/errors.ts';
import { resolve } from '../filter/fields.ts';
import { filterFields } from '../filter/filter.ts';
import { parseMac } from '../filter/literals.ts';
import { BREED, CATEGORY, L4, PROTOCOL, RISK } from '../filter/names.ts';
import { KINDS, type Naming, type Operand, type Operator, type Read, type Test, type Value, type ValueKind } from '../filter/operands.ts';
import { type LeafSpans, parseWithSpans } from '../filter/parse.ts';
import { presence, testOf } from '../filter/predicates.ts';
import { fold, textTest } from '../filter/texts.ts';
import type { Wanted, WantedItem } from '../filter/wanted.ts';
import type { FieldTable, FieldValue } from '../flows/fields.ts';
import type { EventView, Names } from '../flows/view.ts';
import { parseIPv4, parseIPv6 } from '../hosts/prefixes.ts';
import { type Alert, type RaisedFlowAlert, SEVERITIES } from './alert.ts';

type Flow = RaisedFlowAlert['flow'];
type AlertTest = (alert: RaisedFlowAlert) => boolean;

export interface AlertFilter {
  matches(alert: RaisedFlowAlert): boolean;
  /** Names of {@link MEMBERS}, and keys of the flow, that are read. */
  readonly fields: readonly string[];
}

/** Something of an alert that a filter may ask beside the fields of its flow. */
export interface AlertMember {
  readonly name: string;
  readonly kind: 'text' | 'number' | 'bool';
  readonly doc: string;
  /** All values, of which one is enough; empty = none. */
  readonly values: (alert: RaisedFlowAlert) => readonly (string | number | boolean)[];
  /** Texts that are a place in a row: they can be compared by `<` too. */
  readonly order?: readonly string[];
  /** `example.org` is also what ends in `.example.org`. */
  readonly below?: boolean;
}

const text = (flow: Flow, ...keys: readonly string[]): string[] =>
  keys.flatMap((key) => {
    const value = flow[key];
    return typeof value === 'string' && value !== '' ? [value] : [];
  });

/** Names that an address was asked for by, or has. */
const NAME_FIELDS = [
  ...['host_server_name', 'cli.host', 'srv.host', 'protos.http.server_name', 'protos.dns.last_query', 'protos.mdns.query'],
  ...['protos.llmnr.query', 'protos.tls.client_requested_server_name', 'protos.quic.client_requested_server_name'],
] as const;

/** `www.example.org` of `www.example.org [IPv6]` and of `WWW.Example.Org.` */
const bareName = (name: string): string =>
  fold(name)
    .replace(/ \[ipv6\]$/, '')
    .replace(/\.$/, '');

function direction(flow: Flow): string[] {
  const [client, server] = [flow['cli.localhost'] === true, flow['srv.localhost'] === true];
  if (client) return server ? ['internal', 'local to local'] : ['outgoing', 'local to remote'];
  return server ? ['incoming', 'remote to local'] : ['external', 'remote to remote'];
}

const full = (alert: RaisedFlowAlert): Partial<Alert> => alert as Partial<Alert>;
const some = <T>(value: T | undefined): T[] => (value === undefined ? [] : [value]);

export const MEMBERS: readonly AlertMember[] = [
  { name: 'script', kind: 'text', doc: 'key of the script; `core`', values: (alert) => [alert.script] },
  { name: 'type', kind: 'text', doc: 'type of the alert', values: (alert) => [alert.type] },
  {
    name: 'severity',
    kind: 'text',
    doc: 'severity: debug, info, notice, warning, error, critical, alert, emergency',
    values: (alert) => [alert.severity],
    order: SEVERITIES,
  },
  { name: 'score', kind: 'number', doc: 'score of the alert, 0 to 1000', values: (alert) => [alert.score] },
  { name: 'callback', kind: 'text', doc: 'callback that raised it', values: (alert) => [alert.callback] },
  { name: 'interface', kind: 'text', doc: 'interface, as given to -i', values: (alert) => [alert.interface] },
  { name: 'shadow', kind: 'bool', doc: 'its script runs in shadow', values: (alert) => [alert.shadow] },
  {
    name: 'host',
    kind: 'text',
    doc: 'name or address of either end, or name of the server that was asked for',
    values: ({ flow }) => text(flow, 'cli.ip', 'srv.ip', 'cli.host', 'srv.host', 'host_server_name'),
  },
  {
    name: 'domain',
    kind: 'text',
    doc: 'domain of a name that was asked for or that an end has; names below it count',
    values: ({ flow }) => text(flow, ...NAME_FIELDS).map(bareName),
    below: true,
  },
  {
    name: 'direction',
    kind: 'text',
    doc: 'outgoing, incoming, internal or external, seen from the local networks',
    values: ({ flow }) => direction(flow),
  },
  { name: 'id', kind: 'text', doc: 'id of the alert', values: (alert) => some(full(alert).id) },
  { name: 'title', kind: 'text', doc: 'title, in the language of the run', values: (alert) => some(full(alert).title) },
  { name: 'description', kind: 'text', doc: 'description', values: (alert) => some(full(alert).description) },
  { name: 'count', kind: 'number', doc: 'alerts that it stands for', values: (alert) => some(full(alert).count) },
  { name: 'secondary', kind: 'bool', doc: 'its flow has a stronger one', values: (alert) => some(full(alert).secondary) },
  { name: 'state', kind: 'text', doc: 'new, acknowledged or closed', values: (alert) => some(full(alert).state) },
  { name: 'by', kind: 'text', doc: 'who has changed its state', values: (alert) => some(full(alert).by).filter((who) => who !== '') },
];

const memberByName = new Map(MEMBERS.map((member) => [member.name, member]));
const fieldByName = new Map(filterFields().map((field) => [fold(field.name), field]));

/** Texts that are a place in a row. */
const RANK: { readonly words: string; readonly operators: readonly Operator[] } = {
  ...KINDS.text,
  operators: [...KINDS.text.operators, '<', '<=', '>', '>='],
};
const kindOf = ({ kind, order }: AlertMember) => (order === undefined ? KINDS[kind] : RANK);

/** Operators by the kinds of {@link alertFilterNames}. */
export const alertOperators = (): Readonly<Record<ValueKind | 'rank', readonly Operator[]>> => {
  const kinds = Object.entries(KINDS).map(([kind, { operators }]) => [kind, operators]);
  return { ...(Object.fromEntries(kinds) as Record<ValueKind, readonly Operator[]>), rank: RANK.operators };
};

/** A name that a filter over alerts may use; `rank`: a text that is a place in a row. */
export interface AlertFilterName {
  readonly name: string;
  readonly kind: ValueKind | 'rank';
  readonly doc: string;
}

/** All of them: members, then what filters of flows have beside. */
export const alertFilterNames = (): AlertFilterName[] => [
  ...MEMBERS.map(({ name, kind, doc, order }): AlertFilterName => ({ name, kind: order === undefined ? kind : 'rank', doc })),
  ...filterFields().filter(({ name }) => !memberByName.has(name)),
];

// Fields of the flow -------------------------------------------------------------------------------------

/** What numbers stand for is in the flow's texts already. */
const NO_NAMES: Names = {
  protocols: [],
  categories: [],
  breeds: [],
  risks: [],
  confidences: [],
  details: [],
  localNetworks: [],
  interfaceName: '',
  run: '',
  packetInterface: false,
  sampled: false,
};

/** Texts of the fields that have numbers and names, by what they are in filters of flows. */
const NAMED = new Map<Naming, (flow: Flow) => string[]>([
  [
    PROTOCOL,
    (flow) => {
      const [whole = '', app = ''] = text(flow, 'proto.ndpi', 'proto.ndpi_app');
      const master = whole.endsWith(`.${app}`) ? whole.slice(0, -app.length - 1) : '';
      return [whole, app, master].filter((name) => name !== '');
    },
  ],
  [L4, (flow) => [...text(flow, 'proto.l4'), ...some(flow['proto.l4_id']).map(String)]],
  [CATEGORY, (flow) => text(flow, 'proto.ndpi_cat')],
  [BREED, (flow) => text(flow, 'proto.ndpi_breed')],
]);

const risksOf = (flow: Flow): string[] =>
  Object.entries(typeof flow.flow_risk === 'object' ? flow.flow_risk : {}).flatMap(([name, id]) => [name, String(id)]);

/** A member of a table, or of a table in it; names of members may have dots. */
function memberOf(value: FieldValue | undefined, path: string): FieldValue | undefined {
  if (path === '') return value;
  if (typeof value !== 'object') return undefined;
  if (Object.hasOwn(value, path)) return value[path];
  for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
    const head = path.slice(0, dot);
    if (Object.hasOwn(value, head)) return memberOf((value as FieldTable)[head], path.slice(dot + 1));
  }
  return undefined;
}

/** 32-bit words of an address, as those of a view are. */
function wordsOf(address: FieldValue | undefined): readonly number[] {
  if (typeof address !== 'string' || address === '') return [0, 0, 0, 0];
  if (!address.includes(':')) return [parseIPv4(address)];
  const data = new DataView(parseIPv6(address).buffer);
  return [0, 4, 8, 12].map((at) => data.getUint32(at, true));
}

/** Which values an operand of filters of flows reads of an alert. `current` is the flow that is asked. */
function flowValues(name: string, operand: Operand, current: () => Flow): readonly Value[] {
  const field = fieldByName.get(fold(name));
  return operand.values.map((value, i): Value => {
    const key = operand.keys[i] ?? (operand.keys[0] as string);
    const path = field?.alias === true ? '' : (field?.name ?? name).slice(key.length + 1);
    const read = (): FieldValue | undefined => memberOf(current()[key], path);
    switch (value.kind) {
      case 'number':
      case 'text':
      case 'bool':
      case 'table':
      case 'any':
        return { ...value, read: read as Read<never> };
      case 'address':
        return { kind: 'address', word: (_, index) => wordsOf(read())[index] as number };
      case 'mac':
        return { kind: 'mac', text: read as Read<string>, read: () => parseMac(String(read() ?? '')) };
      case 'bits': {
        const map = (): number => Number(read() ?? 0);
        return { kind: 'bits', bits: { ...value.bits, low: () => map() >>> 0, high: () => Math.floor(map() / 2 ** 32) >>> 0 } };
      }
      default:
        return value;
    }
  });
}

// Compiling ----------------------------------------------------------------------------------------------

function checkOperator(
  node: Comparison | Membership,
  of: { readonly words: string; readonly operators: readonly Operator[] },
  at: Span,
): void {
  const op = node.kind === 'in' ? 'in' : node.op;
  if (of.operators.includes(op)) return;
  const hint = of.operators.length === 0 ? 'it can be asked for its presence alone' : `it goes with ${of.operators.join(', ')}`;
  throw new FilterError('wrong-operator', `${quote(node.field)} is ${of.words}: it does not go with ${quote(op)}.`, at, hint);
}

function placeIn(order: readonly string[], item: WantedItem, field: string): number {
  const place = order.indexOf(fold(item.from));
  if (place >= 0 && item.to === undefined) return place;
  const hint = didYouMean(item.from, order) || `it is one of ${order.join(', ')}`;
  throw new FilterError('wrong-value', `${quote(field)} has no value ${quote(item.from)}.`, item.at, hint);
}

/** The places that `op` accepts are texts like any others. */
function orderedTest({ field, op, items }: Wanted, order: readonly string[]): (value: string) => boolean {
  const places = items.map((item) => placeIn(order, item, field));
  const [bound] = places as [number];
  const passes = (place: number): boolean => {
    if (op === '<') return place < bound;
    if (op === '<=') return place <= bound;
    if (op === '>') return place > bound;
    return op === '>=' ? place >= bound : places.includes(place);
  };
  const set = new Set(order.filter((_, place) => passes(place)));
  return (value) => set.has(value);
}

function belowTest(wanted: Wanted): (value: string) => boolean {
  if (wanted.op !== '==') return textTest(wanted);
  const domains = wanted.items.map((item) => bareName(item.from).replace(/^\*?\./, ''));
  return (value) => domains.some((domain) => value === domain || value.endsWith(`.${domain}`));
}

const wantedOf = (node: Comparison | Membership, spans: LeafSpans): Wanted => ({
  field: node.field,
  op: node.kind === 'in' || node.op === '!=' ? '==' : node.op,
  items: (node.kind === 'in' ? node.list : [node.value]).map(
    (item, i): WantedItem => ({ ...(typeof item === 'string' ? { from: item } : item), at: spans.values[i] as Span }),
  ),
});

/**
 * @param line in the filter language; empty: all alerts match
 * @throws FilterError
 * @example compileAlertFilter('severity >= error and not domain == example.org').matches(alert)
 */
export function compileAlertFilter(line: string): AlertFilter {
  const { node: whole, spans } = parseWithSpans(line);
  const read = new Set<string>();
  let flow: Flow = {}; // of the alert that is asked
  const view = { isIpv6: () => String(flow['cli.ip']).includes(':') } as EventView; // all that tests of values ask of it

  /** `==` and its like of several texts. `!=`: there is one and none is equal. */
  const textLeaf = (
    node: FilterLeaf,
    values: (alert: RaisedFlowAlert) => readonly (string | number | boolean)[],
    test: () => (value: string) => boolean,
  ): AlertTest => {
    if (node.kind === 'has') return (alert) => values(alert).some((value) => value !== '' && value !== false);
    const holds = test();
    const any: AlertTest = (alert) => values(alert).some((value) => holds(String(value)));
    return node.kind === 'compare' && node.op === '!=' ? (alert) => values(alert).length > 0 && !any(alert) : any;
  };

  function memberLeaf(node: FilterLeaf, member: AlertMember, at: LeafSpans): AlertTest {
    read.add(member.name);
    if (node.kind !== 'has') checkOperator(node, kindOf(member), at.op);
    if (member.kind === 'text' || node.kind === 'has') {
      return textLeaf(node, member.values, () => {
        const wanted = wantedOf(node as Comparison | Membership, at);
        if (member.below === true) return belowTest(wanted);
        return member.order === undefined || wanted.op === 'contains' || wanted.op === 'matches'
          ? textTest(wanted)
          : orderedTest(wanted, member.order);
      });
    }
    let value: string | number | boolean | undefined;
    const reader = { kind: member.kind, measure: { as: 'size' }, read: () => value } as unknown as Value;
    const test = testOf(reader, wantedOf(node, at), NO_NAMES);
    const negated = node.kind === 'compare' && node.op === '!=';
    return (alert) => {
      [value] = member.values(alert);
      return negated ? value !== undefined && !test(view) : test(view);
    };
  }

  function fieldLeaf(node: FilterLeaf, at: LeafSpans): AlertTest {
    const operand = resolve(node.field);
    if (operand === undefined) {
      const hint =
        didYouMean(
          node.field,
          alertFilterNames().map(({ name }) => name),
        ) || 'the fields are listed in docs/reference/flow-info.md';
      throw new FilterError('unknown-field', `There is no field ${quote(node.field)}.`, at.field, hint);
    }
    for (const key of operand.keys) read.add(key);
    const [first] = operand.values;
    if (node.kind !== 'has') checkOperator(node, KINDS[first.kind], at.op);
    const named = first.kind === 'name' ? NAMED.get(first.naming) : first.kind === 'bits' && first.bits === RISK ? risksOf : undefined;
    if (named !== undefined) {
      return textLeaf(
        node,
        (alert) => named(alert.flow),
        () => textTest(wantedOf(node as Comparison | Membership, at)),
      );
    }
    const values = flowValues(node.field, operand, () => flow);
    const each = (make: (value: Value) => Test): AlertTest => {
      const tests = values.map(make);
      return () => tests.some((test) => test(view));
    };
    if (node.kind === 'has') return each((value) => presence(value).holds);
    const wanted = wantedOf(node, at);
    const test = each((value) => testOf(value, wanted, NO_NAMES));
    if (node.kind === 'in' || node.op !== '!=') return test;
    const there = each((value) => presence(value).there);
    return (alert) => there(alert) && !test(alert);
  }

  function compile(node: FilterNode): AlertTest {
    switch (node.kind) {
      case 'all':
        return () => true;
      case 'and':
      case 'or': {
        const tests = node.of.map(compile);
        return node.kind === 'and' ? (alert) => tests.every((test) => test(alert)) : (alert) => tests.some((test) => test(alert));
      }
      case 'not': {
        const test = compile(node.of);
        return (alert) => !test(alert);
      }
      default: {
        const at = spans.get(node) as LeafSpans;
        const member = memberByName.get(fold(node.field));
        return member === undefined ? fieldLeaf(node, at) : memberLeaf(node, member, at);
      }
    }
  }

  const test = compile(whole);
  return {
    matches(alert) {
      flow = alert.flow;
      return test(alert);
    },
    fields: [...read],
  };
}
