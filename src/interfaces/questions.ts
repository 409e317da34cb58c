/**
 * Answers questions about the flows of an interface thread in slices between its packets. Questions that are under way together share
 * one look at each flow: a cursor goes round the table, each question joins where it stands and is through when it comes there again.
 *
 *   ask(question) ──► work(): some records, each offered to all ──► picked flows copied, or added up by host ──► answer
 *
 * Used by commands.ts. A packet or a visit may change flows between two slices, and end some: what has ended is left out.
 */
import type { FlowEngine } from '../flows/engine.ts';
import { createHostAdder, type HostAdder } from '../flows/host-totals.ts';
import { createSelection, type FlowSelection } from '../flows/selection.ts';
import type { Names } from '../flows/view.ts';
import type { HostBook } from '../hosts/book.ts';
import { createPacker, type EventPacker } from './packed-events.ts';
import type { InterfaceCommand, InterfaceMessage } from './protocol.ts';

export type Question = Extract<InterfaceCommand, { type: 'query' }>;

/** Records that a slice goes over, and flows that it looks at: about 0.1 ms. */
const SLICE_RECORDS = 4096;
const SLICE_FLOWS = 1024;
/** Records whose cache misses overlap. */
const WARM_RECORDS = 64;
/** Picked flows that a slice copies or adds up. */
const SLICE_PICKED = 128;

/** A flow by its place in the table, and its number: another flow may have the place by now. */
interface Picked {
  readonly place: number;
  readonly seq: number;
}

interface Asked {
  readonly id: number;
  readonly selection: FlowSelection<Picked>;
  readonly isFiltered: boolean;
  /** Where it joined. */
  readonly from: number;
  /** The cursor has been at the end since. */
  hasTurned: boolean;
  /** What becomes of the picked flows. */
  readonly out: EventPacker | HostAdder;
}

export interface Questions {
  /** @throws FilterError */
  ask(question: Question): void;
  /** Nobody waits for it any more. */
  forget(id: number): void;
  /** Goes on for a slice. @returns true while there is something to do */
  work(): boolean;
  /** Answers all. */
  finish(): void;
}

export function createQuestions(
  engine: FlowEngine,
  names: Names,
  book: HostBook,
  say: (message: InterfaceMessage, transfer: readonly ArrayBuffer[]) => void,
): Questions {
  const looking: Asked[] = [];
  const through: Asked[] = [];
  let cursor = 1;

  /** Those for which the cursor has been everywhere. */
  function sort(): void {
    for (let i = looking.length - 1; i >= 0; i--) {
      const asked = looking[i] as Asked;
      if (!asked.hasTurned || cursor < asked.from) continue;
      looking.splice(i, 1);
      through.push(asked);
    }
  }

  /** Looks at some flows for all that are under way. */
  function look(records: number, flows: number): void {
    const at = engine.look(book);
    const { view } = at;
    const limit = engine.limit();
    let stop = Math.min(limit, cursor + records);
    for (const { hasTurned, from } of looking) if (hasTurned) stop = Math.min(stop, from);
    const filtered = looking.some((asked) => asked.isFiltered);
    let left = flows;
    while (cursor < stop && left > 0) {
      const end = Math.min(stop, cursor + WARM_RECORDS);
      at.warm(cursor, end, filtered);
      for (; cursor < end; cursor++) {
        if (!at.at(cursor)) continue;
        left--;
        for (const { selection } of looking) selection.offer(view);
      }
    }
    if (cursor >= limit) {
      cursor = 1;
      for (const asked of looking) asked.hasTurned = true;
    }
    sort();
  }

  /** Copies or adds up some of what was picked; answers when that was all. */
  function give(asked: Asked, flows: number): void {
    const at = engine.look(book);
    const { selection, out } = asked;
    for (let left = flows; left > 0; left--) {
      const picked = selection.takeLast();
      if (picked === undefined) {
        through.splice(through.indexOf(asked), 1);
        answer(asked);
        return;
      }
      if (!at.at(picked.place) || at.view.seq() !== picked.seq) continue;
      if ('put' in out) out.put(at.event, at.copy());
      else out.add(at.view);
    }
  }

  function answer({ id, selection, out }: Asked): void {
    const figures = selection.figures();
    if ('put' in out) {
      const flows = out.take();
      say({ type: 'answer', id, parts: [{ ...figures, flows }] }, [flows.bytes.buffer, flows.lengths.buffer]);
    } else {
      const hosts = out.take();
      say({ type: 'answer', id, parts: [{ ...figures, hosts }] }, [hosts.numbers.buffer, hosts.addresses.buffer]);
    }
  }

  function work(records: number, flows: number, picked: number): boolean {
    const [next] = through;
    if (next !== undefined) give(next, picked);
    else if (looking.length > 0) look(records, flows);
    return looking.length > 0 || through.length > 0;
  }

  return {
    ask({ id, query, as }) {
      const selection = createSelection(query, names, (view) => ({ place: view.place(), seq: view.seq() }));
      if (looking.length === 0) cursor = 1;
      looking.push({
        id,
        selection,
        isFiltered: query.filter !== '',
        from: cursor,
        hasTurned: false,
        out: as === 'flows' ? createPacker() : createHostAdder(),
      });
    },
    forget(id) {
      for (const list of [looking, through]) {
        const at = list.findIndex((asked) => asked.id === id);
        if (at >= 0) list.splice(at, 1);
      }
    },
    work: () => work(SLICE_RECORDS, SLICE_FLOWS, SLICE_PICKED),
    finish() {
      while (work(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER));
    },
  };
}
