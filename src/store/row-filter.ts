/**
 * The filter language over stored flows that are objects: text in, a predicate over rows out. What it says of a row is what
 * src/filter/compile.ts says of the event that the row was made of. Called by memory-history.ts.
 */
import type { FilterLeaf, FilterNode } from '../filter/ast.ts';
import { FilterError, quote } from '../filter/errors.ts';
import { parseMac } from '../filter/literals.ts';
import { BREED, CATEGORY, L4, PROTOCOL, RISK } from '../filter/names.ts';
import type { Naming, Read, Test, Value } from '../filter/operands.ts';
import { type LeafSpans, parseWithSpans } from '../filter/parse.ts';
import { presence, testOf } from '../filter/predicates.ts';
import { textTest } from '../filter/texts.ts';
import type { FieldTable, FieldValue } from '../flows/fields.ts';
import type { EventView } from '../flows/view.ts';
import { parseIPv4, parseIPv6 } from '../hosts/prefixes.ts';
import { checkFilter, type FilterNames, NO_NAMES, wantedOf } from './filter-check.ts';
import { namedBy, type Source } from './filter-sources.ts';
import type { FlowRow } from './history.ts';

export type RowTest = (row: FlowRow) => boolean;

const textOf = (row: FlowRow, key: string): string[] => (typeof row[key] === 'string' ? [row[key]] : []);

/** `TLS.Google` has the names of both halves too. */
function protocolLabels(row: FlowRow): string[] {
  const [whole = ''] = textOf(row, 'proto.ndpi');
  const [app = ''] = textOf(row, 'proto.ndpi_app');
  const [master, application] = [row['proto.master_ndpi_id'] ?? 0, row['proto.ndpi_id'] ?? 0];
  return master === 0 || application === 0 || master === application ? [whole] : [whole, app, whole.slice(0, -app.length - 1)];
}

const LABELS = new Map<Naming, (row: FlowRow) => string[]>([
  [PROTOCOL, protocolLabels],
  [L4, (row) => [...textOf(row, 'proto.l4'), String(row['proto.l4_id'])]],
  [CATEGORY, (row) => textOf(row, 'proto.ndpi_cat')],
  [BREED, (row) => textOf(row, 'proto.ndpi_breed')],
]);

/** 32-bit words as a view has them: IPv4 as a number, IPv6 as they lie in memory. */
function wordOf(address: FieldValue | undefined, index: number): number {
  if (typeof address !== 'string' || address === '') return 0;
  return address.includes(':') ? new DataView(parseIPv6(address).buffer).getUint32(index * 4, true) : parseIPv4(address);
}

function valueAt(row: FlowRow, { key, path }: Source): FieldValue | undefined {
  let value: FieldValue | undefined = row[key];
  for (const member of path) {
    if (typeof value !== 'object' || !Object.hasOwn(value, member)) return undefined;
    value = (value as FieldTable)[member];
  }
  return value;
}

/** @throws FilterError */
export function compileRowFilter(text: string, names?: FilterNames): RowTest {
  checkFilter(text, names);
  const { node: whole, spans } = parseWithSpans(text);
  let row: FlowRow = {}; // the one that is asked
  /** All that the tests of values ask of a view beside their readers. */
  const view = { isIpv6: () => String(row['cli.ip']).includes(':') } as EventView;

  /** The same value, read from the row. */
  function ofRow(value: Value, source: Source): Value {
    const read = (): FieldValue | undefined => valueAt(row, source);
    switch (value.kind) {
      case 'address':
        return { kind: 'address', word: (_, index) => wordOf(read(), index) };
      case 'mac':
        return { kind: 'mac', text: read as Read<string>, read: () => parseMac(String(read())) };
      case 'bits': {
        const map = (): number => Number(read() ?? 0);
        return { kind: 'bits', bits: { ...value.bits, low: () => map() >>> 0, high: () => Math.floor(map() / 2 ** 32) >>> 0 } };
      }
      case 'name':
        return value;
      default:
        return { ...value, read: read as Read<never> };
    }
  }

  /** Values that have names: the row has the names, not the numbers. */
  function labelled(node: FilterLeaf, at: LeafSpans, labels: (withIds: boolean) => readonly string[], always: boolean): () => boolean {
    if (node.kind === 'has') return () => always || labels(false).length > 0;
    const wanted = wantedOf(node, at);
    const test = textTest(wanted);
    const holds = (): boolean => labels(wanted.op === '==').some(test);
    return node.kind === 'compare' && node.op === '!=' ? () => (always || labels(false).length > 0) && !holds() : holds;
  }

  function leaf(node: FilterLeaf): Test {
    const named = namedBy(node.field);
    const at = spans.get(node) as LeafSpans;
    if (named === undefined) throw new FilterError('unknown-field', `There is no field ${quote(node.field)}.`, at.field);
    const { operand, sources } = named;
    const [first] = operand.values;
    if (first.kind === 'name') {
      const labels = LABELS.get(first.naming) ?? (() => []);
      return labelled(node, at, () => labels(row), true);
    }
    if (first.kind === 'bits' && first.bits === RISK) {
      const risks = (): FieldTable => (typeof row.flow_risk === 'object' ? row.flow_risk : {});
      return labelled(node, at, (ids) => [...Object.keys(risks()), ...(ids ? Object.values(risks()).map(String) : [])], false);
    }
    const values = operand.values.map((value, i) => ofRow(value, sources[i] as Source));
    const any = (make: (value: Value) => Test): Test => {
      const tests = values.map(make);
      return () => tests.some((test) => test(view));
    };
    if (node.kind === 'has') return any((value) => presence(value).holds);
    const wanted = wantedOf(node, at);
    const test = any((value) => testOf(value, wanted, NO_NAMES));
    if (node.kind === 'in' || node.op !== '!=') return test;
    const there = any((value) => presence(value).there);
    return () => there(view) && !test(view);
  }

  function compile(node: FilterNode): Test {
    switch (node.kind) {
      case 'all':
        return () => true;
      case 'and':
      case 'or': {
        const tests = node.of.map(compile);
        return node.kind === 'and' ? (of) => tests.every((test) => test(of)) : (of) => tests.some((test) => test(of));
      }
      case 'not': {
        const test = compile(node.of);
        return (of) => !test(of);
      }
      default:
        return leaf(node);
    }
  }

  const test = compile(whole);
  return (asked) => {
    row = asked;
    return test(view);
  };
}
