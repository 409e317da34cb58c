/**
 * The frames of a recording, by calls: what all scripts did at one callback of one event. Frames in, calls out, one event in memory at a
 * time. Called by `flowpatrol test` and `explain`.
 */
import type { Callback } from '../../flows/event.ts';
import { createEventView, type EventView } from '../../flows/view.ts';
import type { Doing } from '../../recording/format.ts';
import type { RecordingReader } from '../../recording/reader.ts';
import type { CallTrace } from '../host.ts';
import { callbackOf } from '../words.ts';

/** One callback of one event; at `load` there is no event. */
export interface Call {
  readonly callback: Callback | 'load';
  /** Stands at the event until the next call is asked for. */
  readonly view: EventView | undefined;
  /** In the order in which they were told. */
  readonly doings: readonly Doing[];
  /** What became of each script that has the callback, where the flow was traced. */
  readonly traces: readonly CallTrace[];
}

/** The doings of one event, or of loading, by callbacks. */
export function callsAt(doings: readonly Doing[], view: EventView | undefined): Call[] {
  const callbacks = new Set(doings.map(callbackOf).filter((callback) => callback !== undefined));
  return [...callbacks].map((callback) => {
    const own = doings.filter((doing) => callbackOf(doing) === callback);
    return {
      callback,
      view: callback === 'load' ? undefined : view,
      doings: own.filter((doing) => doing.type !== 'trace'),
      traces: own.flatMap((doing) => (doing.type === 'trace' ? doing.scripts : [])),
    };
  });
}

/** Calls of which something is known: those with doings, and those that were traced. */
export async function* callsOf(recording: RecordingReader): AsyncGenerator<Call, void> {
  const view = createEventView(recording.header.names);
  let current: EventView | undefined;
  let doings: Doing[] = [];
  for await (const frames of recording.frames()) {
    for (const frame of frames) {
      if (frame.type === 'doing') doings.push(frame.doing);
      if (frame.type !== 'event') continue;
      yield* callsAt(doings, current);
      doings = [];
      view.set(frame.bytes, frame.at);
      current = view;
    }
  }
  yield* callsAt(doings, current);
}
