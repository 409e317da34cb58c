/**
 * Looks at the flows of the table where they are, for questions: a flow that is not wanted costs what the question reads of it. Called
 * by the interface thread between packets; a visit or a packet may come between two looks, not in the middle of one.
 *
 *   warm(from, to) ──► at(id) ──► view ──► copy(out): the flow as an event without callbacks
 */
import type { HostBook } from '../hosts/book.ts';
import { PV_IPV6 } from '../packet/batch.ts';
import type { DetailArena } from './details.ts';
import { EVENT_HEADER_BYTES } from './event.ts';
import { createEventWriter, createLiveHeader, type EventContext, type EventWriter } from './event-writer.ts';
import { R_A, R_B, R_DETAIL, R_DIR, R_DIR_BYTES, R_PV, R_STATE, R_V6 } from './record.ts';
import { RECORD_WORDS, type Records } from './table.ts';
import { createTableView, type EventView, type Names } from './view.ts';

/** Room for the largest event. */
const LARGEST_EVENT = 64 << 10;
const CLIENT_LINE = R_DIR >> 2;
const SERVER_LINE = (R_DIR + R_DIR_BYTES) >> 2;

export interface FlowLook {
  /** Asks for the lines of the records `from` … `to - 1` that every question reads, so that their cache misses overlap. @param blocks also for detail blocks */
  warm(from: number, to: number, blocks: boolean): void;
  /** Moves the view. @returns false: there is no flow of that id, and the view stays */
  at(id: number): boolean;
  readonly view: EventView;
  /** Writes the flow that the view stands on as an event to `event`. @returns its length */
  copy(): number;
  readonly event: Uint8Array;
}

export interface LookSources {
  readonly book: HostBook | undefined;
  readonly records: Records;
  readonly details: DetailArena;
  readonly names: Names;
  /** `now` is the clock, µs; `visit` the number of the last one. */
  readonly context: EventContext & { readonly now: () => number; readonly visit: () => number };
}

export function createLook({ book, records, details, names, context }: LookSources): FlowLook {
  const { i32, u8 } = records;
  const v6 = new DataView(records.v6.buffer);
  const header = new Uint8Array(EVENT_HEADER_BYTES);
  const view = createTableView(
    names,
    {
      header,
      records: u8,
      details: details.bytes,
      writeHeader: createLiveHeader(records, details, context, header),
      sequenceOf: context.sequenceOf,
      word(id, ofServer, index) {
        const r = id * RECORD_WORDS;
        const isB = (i32[r + (R_STATE >> 2)] as number) < 0 !== ofServer;
        if ((i32[r + (R_PV >> 2)] as number) < PV_IPV6) return (i32[r + ((isB ? R_B : R_A) >> 2)] as number) >>> 0;
        return v6.getUint32((i32[r + (R_V6 >> 2)] as number) * 32 + (isB ? 16 : 0) + index * 4, true);
      },
    },
    book,
  );
  const event = new Uint8Array(LARGEST_EVENT);
  let length = 0;
  const write: EventWriter = createEventWriter(records, details, context, {
    bytes: event,
    reserve: (wanted) => (wanted <= LARGEST_EVENT ? 0 : -1),
    commit(written) {
      length = written;
    },
  });
  let current = 0;
  const touched = new Int32Array(1); // keeps the reads from being optimised away

  return {
    view,
    event,
    warm(from, to, blocks) {
      let sum = 0;
      for (let r = from * RECORD_WORDS; r < to * RECORD_WORDS; r += RECORD_WORDS) {
        sum |= (i32[r] as number) | (i32[r + CLIENT_LINE] as number) | (i32[r + SERVER_LINE] as number);
      }
      if (blocks) {
        for (let r = from * RECORD_WORDS + (R_DETAIL >> 2); r < to * RECORD_WORDS; r += RECORD_WORDS) {
          sum |= details.u32[details.offset(i32[r] as number) >> 2] as number;
        }
      }
      touched[0] = sum;
    },
    at(id) {
      const r = id * RECORD_WORDS;
      if (i32[r + (R_STATE >> 2)] === 0) return false;
      const handle = i32[r + (R_DETAIL >> 2)] as number;
      view.at(id, handle === 0 ? 0 : details.offset(handle));
      current = id;
      return true;
    },
    copy() {
      length = 0;
      write(current, 0, 0, context.now(), context.visit(), view.statusLow(), view.statusHigh(), false);
      return length;
    },
  };
}
