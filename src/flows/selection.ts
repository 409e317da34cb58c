/**
 * The best flows of many: events in one by one, out come the first `limit` that match, in order. Called by the interface thread
 * (live flows) and the script host (flows that have ended); the answers of several interfaces are joined by `mergeAnswers`.
 *
 *   event ──filter──► rank ──► heap of `limit`, the worst on top ──► take(): sorted copies of the events' bytes
 *
 * An event that is not kept costs the filter and one comparison: its bytes are copied only when it gets a place.
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

interface Kept {
  readonly number: number;
  readonly text: string;
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** Below 0: `a` comes first. What has no value comes last whichever way it goes; equals come by their number on the interface. */
function compare(a: Omit<Kept, 'bytes'>, b: Omit<Kept, 'bytes'>, descending: boolean): number {
  if (a.number !== b.number) {
    const without = Number(Number.isNaN(a.number)) - Number(Number.isNaN(b.number));
    if (without !== 0) return without;
    if (a.number < b.number) return descending ? 1 : -1;
    if (a.number > b.number) return descending ? -1 : 1;
  }
  if (a.text !== b.text) return a.text < b.text === descending ? 1 : -1;
  return a.seq - b.seq;
}

export interface FlowSelection {
  /** @param view stands on the event, which is `length` bytes at `offset` of `bytes` */
  offer(bytes: Uint8Array, offset: number, length: number, view: EventView): void;
  /** Flows that matched, and all that were offered. */
  readonly matched: number;
  readonly total: number;
  /** Copies of the events, in order. The selection is empty afterwards; its figures stay. */
  take(): Uint8Array[];
  /** Everything of it, as an answer of the interface; takes the events. */
  answer(): FlowAnswer;
}

/**
 * @param names those of the interface whose events are offered
 * @throws FilterError
 */
export function createSelection(query: FlowQuery, names: Names): FlowSelection {
  const filter = query.filter.trim() === '' ? undefined : compileFilter(query.filter, names);
  const order = orderFor(query);
  const { descending } = query;
  const limit = Math.min(Math.max(1, query.limit), MOST_FLOWS);
  /** A binary heap; the first one is the worst. */
  const heap: Kept[] = [];
  let matched = 0;
  let total = 0;
  let packets = 0;
  let bytesOfMatched = 0;

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

  const take = (): Uint8Array[] => {
    const sorted = heap.toSorted((a, b) => compare(a, b, descending));
    heap.length = 0;
    return sorted.map((kept) => kept.bytes);
  };

  return {
    get matched() {
      return matched;
    },
    get total() {
      return total;
    },
    offer(bytes, offset, length, view) {
      total++;
      if (filter !== undefined && !filter.matches(view)) return;
      matched++;
      packets += view.u32(R_DIR + D_PACKETS) + view.u32(R_DIR + R_DIR_BYTES + D_PACKETS);
      bytesOfMatched += view.f64(R_DIR + D_BYTES) + view.f64(R_DIR + R_DIR_BYTES + D_BYTES);
      const number = order.number(view);
      const full = heap.length === limit;
      if (full) {
        const worst = (heap[0] as Kept).number;
        // the common case, decided without making anything
        if (descending ? number < worst : number > worst) return;
        if (Number.isNaN(number) && !Number.isNaN(worst)) return;
      }
      const candidate = { number, text: order.text(view), seq: view.seq() };
      if (full && compare(candidate, heap[0] as Kept, descending) >= 0) return;
      const kept: Kept = { ...candidate, bytes: bytes.slice(offset, offset + length) };
      if (full) replaceWorst(kept);
      else up(kept);
    },
    take,
    answer: () => ({ interface: names.interfaceName, names, matched, total, packets, bytes: bytesOfMatched, events: take() }),
  };
}

/** An event with the answer it came in. */
export interface AnsweredEvent {
  readonly answer: FlowAnswer;
  readonly bytes: Uint8Array;
}

/** The first `limit` of all interfaces, in the order of the query; equals by interface. */
export function mergeAnswers(query: FlowQuery, answers: readonly FlowAnswer[], hosts?: HostBook): AnsweredEvent[] {
  const order = orderFor(query);
  const all = answers.flatMap((answer, index) => {
    const view = createEventView(answer.names, hosts);
    return answer.events.map((bytes) => {
      view.set(bytes, 0);
      return { answer, index, number: order.number(view), text: order.text(view), seq: view.seq(), bytes };
    });
  });
  if (answers.length > 1) {
    all.sort((a, b) => compare({ ...a, seq: 0 }, { ...b, seq: 0 }, query.descending) || a.index - b.index || a.seq - b.seq);
  }
  return all.slice(0, query.limit).map(({ answer, bytes }) => ({ answer, bytes }));
}
