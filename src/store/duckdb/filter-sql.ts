/**
 * The filter language over columns: text in, a condition in SQL out. It means the same as src/filter/compile.ts does for live flows, and
 * src/alerts/filter.ts for alerts; what is NULL counts as false.
 *
 *   text ──check──► FilterNode ──► "proto_l4" … AND NOT coalesce(…, false)     values: bound parameters
 *
 * One difference is left: DuckDB's `lower` maps letters one by one, so Σ at the end of a word and İ are found by their plain forms.
 */

import { SEVERITIES } from '../../alerts/alert.ts';
import { type AlertMember, alertFilterNames, alertMember, alertMemberKind, compileAlertFilter } from '../../alerts/filter.ts';
import { type FilterError, quote } from '../../filter/errors.ts';
import { filterFields } from '../../filter/filter.ts';
import { type Interval, parseAddresses, parseMac, parseMoment, parseNumber, parseSpan } from '../../filter/literals.ts';
import { BREED, CATEGORY, L4, PROTOCOL, RISK } from '../../filter/names.ts';
import { NO_NAMES } from '../../filter/objects.ts';
import { KINDS, type Measure, type Naming, type Value } from '../../filter/operands.ts';
import { namedBy, type Source } from '../../filter/sources.ts';
import { fold, textTest } from '../../filter/texts.ts';
import { type Asked, type Joining, type Term, walk } from '../../filter/walk.ts';
import { interval, type Wanted, type WantedItem, wrong } from '../../filter/wanted.ts';
import { checkFilter, type FilterNames } from '../filter-check.ts';
import { addressText, columnOf } from './columns.ts';
import type { Parameters } from './parameters.ts';

/** What live filters look at of a longer text. */
const MOST_MATCHED = 4096;

const anyOf = (conditions: readonly string[]): string =>
  conditions.length === 1 ? (conditions[0] as string) : `(${conditions.join(' OR ')})`;
const isTrue = (condition: string): string => `coalesce(${condition}, false)`;

/** @param source of SQL for a text */
function textSql(source: string, wanted: Wanted, parameters: Parameters): string {
  const [item] = wanted.items as readonly [WantedItem];
  if (wanted.op === 'matches') return `regexp_matches(left(${source}, ${MOST_MATCHED}), ${parameters.text(item.from)}, 'i')`;
  if (wanted.op === 'contains') return `contains(lower(${source}), lower(${parameters.text(item.from)}))`;
  return `lower(${source}) IN (${wanted.items.map(({ from }) => `lower(${parameters.text(from)})`).join(', ')})`;
}

const notA =
  (wanted: Wanted, words: string) =>
  (item: WantedItem) =>
  (text: string): FilterError =>
    wrong(item, `${quote(wanted.field)} is ${words}, and ${quote(text)} is not.`);

function intervalsSql(
  source: string,
  wanted: Wanted,
  parse: (text: string) => number | undefined,
  literal: (value: number) => string,
): string {
  const complain = notA(wanted, 'a number');
  const intervals = wanted.items.map((item): Interval => interval(item, parse, complain(item)));
  const [{ low: bound }] = intervals as [Interval];
  if (wanted.op !== '==') return `${source} ${wanted.op} ${literal(bound)}`;
  return anyOf(
    intervals.map(({ low, high }) =>
      low === high ? `${source} = ${literal(low)}` : `${source} BETWEEN ${literal(low)} AND ${literal(high)}`,
    ),
  );
}

function numberSql(source: string, measure: Measure, wanted: Wanted, parameters: Parameters): string {
  const parse = (text: string): number | undefined => {
    if (measure.as === 'span') return parseSpan(text, measure.perSecond);
    return measure.as === 'moment' ? parseMoment(text) : parseNumber(text);
  };
  return intervalsSql(source, wanted, parse, parameters.number);
}

const boolSql = (source: string, { items: [item] }: Wanted): string =>
  ['true', 'yes', '1'].includes(fold((item as WantedItem).from)) ? source : `NOT ${source}`;

function addressSql(key: string, wanted: Wanted, parameters: Parameters): string {
  const column = key === 'cli.ip' ? '"_client"' : '"_server"';
  return anyOf(
    wanted.items.map((item) => {
      const [from, to] = [parseAddresses(item.from), parseAddresses(item.to ?? item.from)];
      if (from === undefined || to === undefined) throw notA(wanted, 'an address')(item)(item.from);
      const [low, high] = [addressText(from.low), addressText(to.high)];
      if (low === high) return `${column} = ${parameters.text(low)}`;
      return `${column} BETWEEN ${parameters.text(low)} AND ${parameters.text(high)}`;
    }),
  );
}

/** As the fields of MAC addresses have them; such texts sort as the addresses do. */
const macText = (mac: number): string => (mac.toString(16).toUpperCase().padStart(12, '0').match(/../g) as string[]).join(':');

/** Texts of a row by which a value with names is known: conditions that each test one of them. */
function namesSql(naming: Naming, test: (source: string) => string): string {
  const column = columnOf;
  switch (naming) {
    case PROTOCOL: {
      const [whole, app, appId, masterId] = ['proto.ndpi', 'proto.ndpi_app', 'proto.ndpi_id', 'proto.master_ndpi_id'].map(column) as [
        string,
        string,
        string,
        string,
      ];
      const master = `left(${whole}, length(${whole}) - length(${app}) - 1)`;
      return `(${test(whole)} OR (${appId} <> 0 AND ${masterId} <> 0 AND ${appId} <> ${masterId} AND (${test(app)} OR ${test(master)})))`;
    }
    case L4:
      return `(${test(column('proto.l4'))} OR ${test(`CAST(${column('proto.l4_id')} AS VARCHAR)`)})`;
    case CATEGORY:
      return test(column('proto.ndpi_cat'));
    case BREED:
      return test(column('proto.ndpi_breed'));
    default:
      throw new Error('names that no column has');
  }
}

/** Statuses: the bits whose names are wanted, as one mask. */
function bitsSql(value: Value & { readonly kind: 'bits' }, wanted: Wanted, parameters: Parameters): string {
  const isWhole = wanted.op === '==';
  const test = textTest(wanted);
  const column = columnOf('status_map');
  const bits = value.bits
    .labels(NO_NAMES)
    .flatMap((labels, bit) => ([...labels, ...(isWhole ? [String(bit)] : [])].some(test) ? [bit] : []));
  // beyond 2^53 no status map of a row reaches
  const mask = bits.filter((bit) => bit < 53).reduce((sum, bit) => sum + 2 ** bit, 0);
  const none = value.bits.none === undefined ? [] : [value.bits.none, ...(isWhole ? ['0'] : [])];
  const isSet = `(${column} & ${parameters.number(mask)}) <> 0`;
  return none.some(test) ? `(${isSet} OR ${column} = 0)` : isSet;
}

function risksSql(wanted: Wanted, parameters: Parameters): string {
  const column = columnOf('flow_risk');
  const labels = wanted.op === '==' ? `list_concat(json_keys(${column}), json_extract_string(${column}, '$.*'))` : `json_keys(${column})`;
  return `len(list_filter(${labels}, lambda label: ${textSql('label', wanted, parameters)})) > 0`;
}

/** A place in JSON (RFC 6901). */
const pointerTo = (path: readonly string[]): string => path.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const askedText = (source: string, parameters: Parameters): Asked<string> => ({
  compare: (wanted) => textSql(source, wanted, parameters),
  there: `${source} IS NOT NULL`,
  holds: `${source} <> ''`,
});

function asked(value: Value, { key, path }: Source, parameters: Parameters): Asked<string> {
  const column = columnOf(key);
  const pointer = path.length === 0 ? '' : parameters.text(pointerTo(path));
  const text = pointer === '' ? column : `json_extract_string(${column}, ${pointer})`;
  const there = `${text} IS NOT NULL`;
  const numeric = pointer === '' ? column : `TRY_CAST(${text} AS DOUBLE)`;
  switch (value.kind) {
    case 'text':
      return askedText(text, parameters);
    case 'number':
      return { compare: (wanted) => numberSql(numeric, value.measure, wanted, parameters), there, holds: there };
    case 'bool': {
      const source = pointer === '' ? column : `(${text} = 'true')`;
      return { compare: (wanted) => boolSql(source, wanted), there, holds: source };
    }
    case 'address':
      return { compare: (wanted) => addressSql(key, wanted, parameters), there: 'true', holds: 'true' };
    case 'mac': {
      const compare = (wanted: Wanted): string =>
        wanted.op === 'contains' || wanted.op === 'matches'
          ? textSql(column, wanted, parameters)
          : intervalsSql(column, wanted, parseMac, (mac) => parameters.text(macText(mac)));
      return { compare, there, holds: there };
    }
    case 'name':
      return { compare: (wanted) => namesSql(value.naming, (source) => textSql(source, wanted, parameters)), there: 'true', holds: 'true' };
    case 'bits':
      if (value.bits === RISK) return { compare: (wanted) => risksSql(wanted, parameters), there, holds: there };
      return { compare: (wanted) => bitsSql(value, wanted, parameters), there: 'true', holds: `${columnOf('status_map')} <> 0` };
    case 'any': {
      const type = `json_type(${column}, ${pointer})`;
      const compare = (wanted: Wanted): string => {
        const isNumeric = wanted.items.every(({ from, to }) => [from, to ?? from].every((each) => parseNumber(each) !== undefined));
        if (isNumeric && wanted.op !== 'contains' && wanted.op !== 'matches') {
          return `(${type} IN ('BIGINT', 'UBIGINT', 'DOUBLE') AND ${numberSql(numeric, { as: 'size' }, wanted, parameters)})`;
        }
        return `(${type} NOT IN ('OBJECT', 'ARRAY') AND ${textSql(text, wanted, parameters)})`;
      };
      return { compare, there, holds: `(${text} <> '' AND NOT (${type} = 'BOOLEAN' AND ${text} = 'false'))` };
    }
    case 'table':
      return {
        compare: () => {
          throw new Error('a table is compared with nothing'); // it has no operators
        },
        there,
        holds: there,
      };
  }
}

function fieldTerm(name: string, parameters: Parameters): Term<string> | undefined {
  const named = namedBy(name);
  if (named === undefined) return undefined;
  const { operand, sources } = named;
  const [first, ...others] = operand.values.map((value, i) => asked(value, sources[i] as Source, parameters));
  return { ...KINDS[operand.values[0].kind], values: [first as Asked<string>, ...others] };
}

// What alerts have beside the fields of their flow (src/alerts/filter.ts) ---------------------------------

const nonEmpty = (source: string): string => `nullif(${source}, '')`;

/** Columns of the names that an address was asked for by, or has. */
const DOMAIN_FIELDS = [
  ...['host_server_name', 'cli.host', 'srv.host', 'protos.http.server_name', 'protos.dns.last_query', 'protos.mdns.query'],
  ...['protos.llmnr.query', 'protos.tls.client_requested_server_name', 'protos.quic.client_requested_server_name'],
].map(columnOf);

const bareName = (source: string): string => `regexp_replace(regexp_replace(lower(${nonEmpty(source)}), ' \\[ipv6\\]$', ''), '\\.$', '')`;

const ENDS = [columnOf('cli.localhost'), columnOf('srv.localhost')].map(isTrue) as [string, string];
const direction = (words: readonly [string, string, string, string]): string =>
  `CASE WHEN ${ENDS[0]} THEN CASE WHEN ${ENDS[1]} THEN '${words[0]}' ELSE '${words[1]}' END WHEN ${ENDS[1]} THEN '${words[2]}' ELSE '${words[3]}' END`;

/** Texts of a member of alerts, of which one is enough. */
const MEMBER_SOURCES: Readonly<Record<string, readonly string[]>> = {
  script: ['"_script"'],
  type: ['"_type"'],
  severity: ['"_severity"'],
  score: ['"_score"'],
  callback: ['"_callback"'],
  interface: ['"_interface"'],
  shadow: ['"_shadow"'],
  host: ['cli.ip', 'srv.ip', 'cli.host', 'srv.host', 'host_server_name'].map(columnOf).map(nonEmpty),
  domain: DOMAIN_FIELDS.map(bareName),
  direction: [
    direction(['internal', 'outgoing', 'incoming', 'external']),
    direction(['local to local', 'local to remote', 'remote to local', 'remote to remote']),
  ],
  id: ['"_id"'],
  title: ['"_title"'],
  description: ['"_description"'],
  count: ['"_count"'],
  secondary: ['"_secondary"'],
  state: ['"_state"'],
  by: [nonEmpty('"_by"')],
};

/** `example.org` is also what ends in `.example.org`. */
function belowSql(source: string, wanted: Wanted, parameters: Parameters): string {
  if (wanted.op !== '==') return textSql(source, wanted, parameters);
  return anyOf(
    wanted.items.map(({ from }) => {
      const domain = fold(from)
        .replace(/ \[ipv6\]$/, '')
        .replace(/\.$/, '')
        .replace(/^\*?\./, '');
      return `(${source} = ${parameters.text(domain)} OR ends_with(${source}, ${parameters.text(`.${domain}`)}))`;
    }),
  );
}

/** The severities that the comparison accepts. */
function severitySql(wanted: Wanted, parameters: Parameters): string {
  const places = wanted.items.map(({ from }) => (SEVERITIES as readonly string[]).indexOf(fold(from)));
  const [bound] = places as [number];
  const holds = {
    '<': (i: number) => i < bound,
    '<=': (i: number) => i <= bound,
    '>': (i: number) => i > bound,
    '>=': (i: number) => i >= bound,
  };
  const test = wanted.op in holds ? holds[wanted.op as keyof typeof holds] : (i: number) => places.includes(i);
  const accepted = SEVERITIES.filter((_, place) => test(place));
  return accepted.length === 0 ? 'false' : `"_severity" IN (${accepted.map((severity) => parameters.text(severity)).join(', ')})`;
}

function askedMember(member: AlertMember, parameters: Parameters): Asked<string> {
  const sources = MEMBER_SOURCES[member.name];
  if (sources === undefined) throw new Error(`the member ${member.name} of alerts has no column: add it in filter-sql.ts`);
  const each = (make: (source: string) => string): string => anyOf(sources.map(make));
  const there = each((source) => `${source} IS NOT NULL`);
  const [first] = sources as readonly [string];
  switch (member.kind) {
    case 'number':
      return { compare: (wanted) => numberSql(first, { as: 'size' }, wanted, parameters), there, holds: there };
    case 'bool':
      return { compare: (wanted) => boolSql(first, wanted), there, holds: first };
    default: {
      const compare = (wanted: Wanted): string => {
        if (member.order !== undefined && wanted.op !== 'contains' && wanted.op !== 'matches') return severitySql(wanted, parameters);
        return each((source) => (member.below === true ? belowSql(source, wanted, parameters) : textSql(source, wanted, parameters)));
      };
      return { compare, there, holds: each((source) => `${source} <> ''`) };
    }
  }
}

const memberTerm = (member: AlertMember, parameters: Parameters): Term<string> => ({
  ...alertMemberKind(member),
  values: [askedMember(member, parameters)],
});

const SQL: Joining<string> = {
  all: 'true',
  allOf: (conditions) => `(${conditions.join(' AND ')})`,
  anyOf,
  not: (condition) => `NOT ${isTrue(condition)}`,
  butNot: (condition, but) => `(${condition} AND NOT ${isTrue(but)})`,
};

/**
 * @param of what is asked: entries of flows, or alerts, whose own members win over fields of the same name
 * @param names without them no name is called misspelt
 * @returns a condition; NULL counts as false
 * @throws FilterError
 */
export function filterSql(text: string, of: 'flows' | 'alerts', parameters: Parameters, names?: FilterNames): string {
  if (of === 'flows') checkFilter(text, names);
  else compileAlertFilter(text);
  return walk(text, {
    ...SQL,
    named(name) {
      const member = of === 'alerts' ? alertMember(name) : undefined;
      return member === undefined ? fieldTerm(name, parameters) : memberTerm(member, parameters);
    },
    names: () => (of === 'alerts' ? alertFilterNames() : filterFields()).map((each) => each.name),
  });
}
