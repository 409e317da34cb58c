/**
 * The best flows of many: flows in one by one, out come the first `limit` that match, in order. Called by the interface thread
 * (live flows) and the script host (flows that have ended); the answers of several interfaces are joined by `mergeAnswers`.
 *
 *   flow ──filter──► rank ──► heap of `limit`, the worst on top ──► take(): what was kept, in order
 *
 * A flow that is not kept costs the filter and one comparison.
 */
import { compileFilter } from '../filter/filter.ts';
import type { HostBook } from '../hosts/book.ts';
import type { FlowAnswer, FlowQuery } from '../patrol-types.ts';
import type { Field } from './fields/field.ts';
import { fieldByKey } from './fields.ts';
import { D_BYTES, D_PACKETS, R_DIR, R_DIR_BYTES } from './record.ts';
import { createEventView, type EventView, type Names } from './view.ts';

export const MOST_FLOWS = 10_000;

/** Decides by a number alone nearly always; where two are equal, by a text. */
interface Order {
  /** Never falls while the value rises; NaN where the flow has no value. */
  readonly number: (view: EventView) => number;
  /** Asked only where the numbers are equal; `''` where they say everything. */
  readonly text: (view: EventView) => string;
}

const nothing = (): string => '';

/** The first six characters (of one byte each) as a number. */
function textStart(text: string): number {
  let start = 0;
  for (let i = 0; i < 6; i++) start = start * 256 + (i < text.length ? text.charCodeAt(i) & 0xff : 0);
  return start;
}

/** IPv4 before IPv6, each by its bytes. */
const addressOrder = (word: (view: EventView, index: number) => number): Order => ({
  number: (view) => (view.isIpv6() ? 2 ** 32 + word(view, 0) * 2 ** 16 + (word(view, 1) >>> 16) : word(view, 0)),
  text: (view) => (view.isIpv6() ? [0, 1, 2, 3].map((index) => word(view, index).toString(16).padStart(8, '0')).join('') : ''),
});

/** Words of an address in network order, as numbers: those of IPv6 lie in memory as they came. */
const bigEndian = (value: number): number =>
  (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;

function orderOf({ key, type, read }: Field): Order {
  switch (true) {
    case key === 'cli.ip':
      return addressOrder((view, index) => (view.isIpv6() ? bigEndian(view.clientWord(index)) : view.clientWord(index)));
    case key === 'srv.ip':
      return addressOrder((view, index) => (view.isIpv6() ? bigEndian(view.serverWord(index)) : view.serverWord(index)));
    case type === 'string':
      return {
        number(view) {
          const text = read(view) as string | undefined;
          return text === undefined || text === '' ? Number.NaN : textStart(text);
        },
        text: (view) => (read(view) as string | undefined) ?? '',
      };
    default:
      // undefined becomes NaN, false and true 0 and 1
      return { number: (view) => Number(read(view)), text: nothing };
  }
}

/** Can flows be sorted by it? */
export const isSortable = (field: Field): boolean => field.type !== 'table' && field.never !== true;

function orderFor(query: FlowQuery): Order {
  const field = fieldByKey.get(query.sort);
  if (field === undefined || !isSortable(field)) throw new Error(`flows cannot be sorted by ${query.sort}`);
  return orderOf(field);
}

interface Rank {
  readonly number: number;
  readonly text: string;
  readonly seq: number;
}

/** Below 0: `a` comes first. What has no value comes last whichever way it goes. */
function compareValues(a: Omit<Rank, 'seq'>, b: Omit<Rank, 'seq'>, descending: boolean): number {
  if (a.number !== b.number) {
    const without = Number(Number.isNaN(a.number)) - Number(Number.isNaN(b.number));
    if (without !== 0) return without;
    if (a.number < b.number) return descending ? 1 : -1;
    if (a.number > b.number) return descending ? -1 : 1;
  }
  if (a.text !== b.text) return a.text < b.text === descending ? 1 : -1;
  return 0;
}

/** Equals come by their number on the interface. */
const compare = (a: Rank, b: Rank, descending: boolean): number => compareValues(a, b, descending) || a.seq - b.seq;

/** What is known of all flows that were offered. */
export interface FlowFigures {
  /** Flows that matched, and all that were offered. */
  readonly matched: number;
  readonly total: number;
  /** Of those that matched. */
  readonly packets: number;
  readonly bytes: number;
}

export const addFigures = (parts: readonly FlowFigures[]): FlowFigures => {
  const sum = (key: keyof FlowFigures): number => parts.reduce((total, part) => total + part[key], 0);
  return { matched: sum('matched'), total: sum('total'), packets: sum('packets'), bytes: sum('bytes') };
};

export interface FlowSelection<T> {
  /** Offers the flow that the view stands on. */
  offer(view: EventView): void;
  figures(): FlowFigures;
  /** What was kept, in order. The selection is empty afterwards; its figures stay. */
  take(): T[];
  /** Takes what comes last in order; undefined when nothing is left. */
  takeLast(): T | undefined;
}

/**
 * @param names those of the interface whose flows are offered
 * @param keep what is kept of a flow that gets a place; made of the view, which moves on
 * @throws FilterError
 */
export function createSelection<T>(query: FlowQuery, names: Names, keep: (view: EventView) => T): FlowSelection<T> {
  interface Kept extends Rank {
    readonly what: T;
  }
  const filter = query.filter.trim() === '' ? undefined : compileFilter(query.filter, names);
  const order = orderFor(query);
  const byBytes = query.sort === 'bytes'; // what most ask for, and what is read anyway
  const { descending } = query;
  const limit = Math.min(Math.max(1, query.limit), MOST_FLOWS);
  /** A binary heap; the first one is the worst. */
  const heap: Kept[] = [];
  let matched = 0;
  let total = 0;
  const sums = new Float64Array(2); // packets, bytes: a variable would be a new number for every flow

  const worse = (a: Kept, b: Kept): boolean => compare(a, b, descending) > 0;

  function up(kept: Kept): void {
    let at = heap.length;
    heap.push(kept);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!worse(kept, heap[parent] as Kept)) break;
      heap[at] = heap[parent] as Kept;
      at = parent;
    }
    heap[at] = kept;
  }

  /** Puts it in the place of the worst, which falls out. */
  function replaceWorst(kept: Kept): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && worse(heap[child + 1] as Kept, heap[child] as Kept)) child++;
      if (!worse(heap[child] as Kept, kept)) break;
      heap[at] = heap[child] as Kept;
      at = child;
    }
    heap[at] = kept;
  }

  return {
    figures: () => ({ matched, total, packets: sums[0] as number, bytes: sums[1] as number }),
    offer(view) {
      total++;
      if (filter !== undefined && !filter.matches(view)) return;
      matched++;
      const bytes = view.f64(R_DIR + D_BYTES) + view.f64(R_DIR + R_DIR_BYTES + D_BYTES);
      sums[0] = (sums[0] as number) + view.u32(R_DIR + D_PACKETS) + view.u32(R_DIR + R_DIR_BYTES + D_PACKETS);
      sums[1] = (sums[1] as number) + bytes;
      const number = byBytes ? bytes : order.number(view);
      const full = heap.length === limit;
      if (full) {
        const worst = (heap[0] as Kept).number;
        // the common case, decided without making anything
        if (descending ? number < worst : number > worst) return;
        if (Number.isNaN(number) && !Number.isNaN(worst)) return;
      }
      const rank = { number, text: order.text(view), seq: view.seq() };
      if (full && compare(rank, heap[0] as Kept, descending) >= 0) return;
      const kept: Kept = { ...rank, what: keep(view) };
      if (full) replaceWorst(kept);
      else up(kept);
    },
    take() {
      const sorted = heap.toSorted((a, b) => compare(a, b, descending));
      heap.length = 0;
      return sorted.map(({ what }) => what);
    },
    takeLast() {
      const [worst] = heap;
      const last = heap.pop();
      if (last !== undefined && last !== worst) replaceWorst(last);
      return worst?.what;
    },
  };
}

/** A selection of events, of which copies are kept. @throws FilterError */
export const selectEvents = (query: FlowQuery, names: Names): FlowSelection<Uint8Array> =>
  createSelection(query, names, (view) => view.bytes().slice(view.offset(), view.offset() + view.length()));

/** Everything of a selection of events, as an answer of the interface; takes the events. */
export const answerOf = (selection: FlowSelection<Uint8Array>, names: Names): FlowAnswer => ({
  interface: names.interfaceName,
  names,
  ...selection.figures(),
  events: selection.take(),
});

/** An event with the answer it came in. */
export interface AnsweredEvent {
  readonly answer: FlowAnswer;
  readonly bytes: Uint8Array;
}

/** The first `limit` of all interfaces, in the order of the query by what the events say; equals by interface. */
export function mergeAnswers(query: FlowQuery, answers: readonly FlowAnswer[], hosts?: HostBook): AnsweredEvent[] {
  const order = orderFor(query);
  const all = answers.flatMap((answer, index) => {
    const view = createEventView(answer.names, hosts);
    return answer.events.map((bytes) => {
      view.set(bytes, 0);
      return { answer, index, number: order.number(view), text: order.text(view), seq: view.seq(), bytes };
    });
  });
  // also those of one: a flow may have grown after it was ranked
  all.sort((a, b) => compareValues(a, b, query.descending) || a.index - b.index || a.seq - b.seq);
  return all.slice(0, query.limit).map(({ answer, bytes }) => ({ answer, bytes }));
}
