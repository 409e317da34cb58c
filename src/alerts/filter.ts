/**
 * The filter language over alerts: text in, a predicate over {@link RaisedFlowAlert} (and so {@link Alert}) out. Exclusions, bulk changes
 * and notifications are written in it.
 *
 *   src/filter/walk.ts ──► here: members of alerts ──► src/filter: tests of values
 *                                    └─ other names ──► src/filter/objects.ts: fields of their flow
 *
 * Every field and short name that filters of flows have is there, read from the alert's flow. Beside them are {@link MEMBERS}, which win
 * over a field of the same name: `score` is the alert's, `host` is also an address.
 */
import { didYouMean, FilterError, quote } from '../filter/errors.ts';
import { filterFields } from '../filter/filter.ts';
import { askedTexts, type FlowObject, NO_NAMES, objectTerm, objectView } from '../filter/objects.ts';
import { KINDS, type Operator, type Test, type Value, type ValueKind } from '../filter/operands.ts';
import { asked, TESTS } from '../filter/predicates.ts';
import { fold, textTest } from '../filter/texts.ts';
import { type Term, walk } from '../filter/walk.ts';
import type { Wanted, WantedItem } from '../filter/wanted.ts';
import { type Alert, type RaisedFlowAlert, SEVERITIES } from './alert.ts';

type Flow = FlowObject;

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

/** @param name in any case of letters */
export const alertMember = (name: string): AlertMember | undefined => memberByName.get(fold(name));

/** Texts that are a place in a row. */
const RANK: { readonly words: string; readonly operators: readonly Operator[] } = {
  ...KINDS.text,
  operators: [...KINDS.text.operators, '<', '<=', '>', '>='],
};

/** What its values are called, and their operators. */
export const alertMemberKind = ({ kind, order }: AlertMember): typeof RANK => (order === undefined ? KINDS[kind] : RANK);

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

/** What can be asked of a member. @param current the alert that is asked */
function memberTerm(member: AlertMember, current: () => RaisedFlowAlert): Term<Test> {
  const term = alertMemberKind(member);
  if (member.kind !== 'text') {
    const read = (): string | number | boolean | undefined => member.values(current())[0];
    const value = { kind: member.kind, measure: { as: 'size' }, read } as unknown as Value;
    return { ...term, values: [asked(value, NO_NAMES)] };
  }
  const { below = false, order } = member;
  const testOf = (wanted: Wanted): ((value: string) => boolean) => {
    if (below) return belowTest(wanted);
    return order === undefined || wanted.op === 'contains' || wanted.op === 'matches' ? textTest(wanted) : orderedTest(wanted, order);
  };
  return { ...term, values: [askedTexts(() => member.values(current()) as readonly string[], testOf)] };
}

/**
 * @param line in the filter language; empty: all alerts match
 * @throws FilterError
 * @example compileAlertFilter('severity >= error and not domain == example.org').matches(alert)
 */
export function compileAlertFilter(line: string): AlertFilter {
  const read = new Set<string>();
  let alert = { flow: {} } as RaisedFlowAlert; // the one that is asked
  const flow = (): Flow => alert.flow;
  const view = objectView(flow);
  const test = walk(line, {
    ...TESTS,
    named(name) {
      const member = alertMember(name);
      if (member !== undefined) {
        read.add(member.name);
        return memberTerm(member, () => alert);
      }
      const term = objectTerm(name, flow);
      for (const key of term?.keys ?? []) read.add(key);
      return term;
    },
    names: () => alertFilterNames().map(({ name }) => name),
  });
  return {
    matches(asked) {
      alert = asked;
      return test(view);
    },
    fields: [...read],
  };
}
