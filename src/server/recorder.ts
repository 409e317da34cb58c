/**
 * The way of flows and figures into the history, in its thread (that of alerts is src/alerts/intake.ts).
 *
 *   FlowBatch of a script host ──► slices of {@link SLICE} events ──► FlowEntry ──► history.appendFlows
 *   snapshot, every second ──► SeriesPoint ──► history.appendSeries       (captures: from the times of their flows)
 *
 * It gives way to others between two slices. A batch is done when its rows are handed over; while too many of them are not stored yet it
 * is not, so a store that is slow slows down who reads captures, and makes live interfaces drop (src/scripts/outbox.ts).
 */
import { flowOf } from '../alerts/raise.ts';
import type { AlertEvent } from '../alerts/writing.ts';
import { CALLBACK_BIT, E_CALLBACKS, E_LENGTH } from '../flows/event.ts';
import { properText } from '../flows/export.ts';
import { type FieldValue, fieldByKey } from '../flows/fields.ts';
import { createEventView, type EventView, type Names } from '../flows/view.ts';
import type { HostBook } from '../hosts/book.ts';
import type { LossSnapshot, Snapshot } from '../patrol-types.ts';
import type { BatchSource, FlowBatch } from '../scripts/outbox.ts';
import type { FlowEntry, FlowEvent, FlowRow, History, SeriesPoint } from '../store/history.ts';

export interface Recorder {
  /** Never rejects; resolves when the batch is handed over. */
  take(batch: FlowBatch, of: BatchSource): Promise<void>;
  /** Figures of live interfaces since the last time; called every second. */
  figures(snapshot: Pick<Snapshot, 'interfaces'>): void;
  /** New alerts become a figure, too. */
  alerts(events: readonly Pick<AlertEvent, 'type' | 'alert'>[]): void;
  /** Flows that are stored, or counted as lost. */
  recorded(): number;
  /** What did not get into the history. */
  losses(): LossSnapshot[];
  /** Resolves when everything that was taken is handed over; the history stores it at its end at the latest. */
  flush(): Promise<void>;
}

export interface RecorderOptions {
  readonly history: Pick<History, 'appendFlows' | 'appendSeries'>;
  readonly hosts: () => HostBook;
  readonly failed: (error: Error) => void;
}

/** Events between two turns of the event loop. */
const SLICE = 512;
/** Rows that may be on their way into the store. */
const MOST_UNSTORED = 50_000;
/** Steps that the traffic of one flow of a capture is spread over at most. */
const MOST_STEPS = 60;
const SECOND_US = 1e6;

/** Its fields are read when somebody asks for them: a store on disk reads them into its columns. */
class RecordedFlow implements FlowEntry {
  readonly time: number;
  readonly interface: string;
  readonly ended: boolean;
  readonly event: FlowEvent;

  constructor(time: number, name: string, ended: boolean, event: FlowEvent) {
    this.time = time;
    this.interface = name;
    this.ended = ended;
    this.event = event;
  }

  get flow(): FlowRow {
    const { view, bytes, at } = this.event;
    view.set(bytes, at);
    return flowOf(view);
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const second = (us: number): number => Math.floor(us / SECOND_US) * SECOND_US;

/** Counters of an interface that become figures over time, under their names there. */
const FIGURES = { bytes: 'bytes', packets: 'packets', flows: 'flows.created' } as const;

export function createRecorder({ history, hosts, failed }: RecorderOptions): Recorder {
  const views = new WeakMap<Names, EventView>();
  let last: Promise<void> = Promise.resolve();
  /** Rows of flows that are handed over and not stored yet; who waits until they are fewer. */
  let unstored = 0;
  const waiting: (() => void)[] = [];
  let recordedFlows = 0;
  let lostFlows = 0;
  let lostFigures = 0;
  /** Counters at the last look, by interface. */
  const before = new Map<string, Record<string, number>>();

  function viewOf(names: Names): EventView {
    const known = views.get(names);
    if (known !== undefined) return known;
    const view = createEventView(names, hosts());
    views.set(names, view);
    return view;
  }

  async function record(batch: FlowBatch, { interface: name, names, live }: BatchSource): Promise<void> {
    const view = viewOf(names);
    const lengths = new DataView(batch.buffer, batch.byteOffset);
    const entries: FlowEntry[] = [];
    const points = new Map<string, SeriesPoint>();
    for (let at = 0; at < batch.length; at += lengths.getUint32(at + E_LENGTH, true)) {
      view.set(batch, at);
      const ended = ((batch[at + E_CALLBACKS] as number) & CALLBACK_BIT.idle) !== 0;
      entries.push(new RecordedFlow(view.time(), name, ended, { view, bytes: batch, at }));
      if (!live && ended) spread(name, view, points);
      if (entries.length % SLICE === 0) await nextTurn();
    }
    storing(entries.length, history.appendFlows(entries), () => (lostFlows += entries.length));
    append([...points.values()]);
    while (unstored > MOST_UNSTORED) await new Promise<void>((resolve) => waiting.push(resolve));
  }

  function append(points: readonly SeriesPoint[]): void {
    if (points.length > 0) storing(0, history.appendSeries(points), () => (lostFigures += points.length));
  }

  function storing(rows: number, done: Promise<void>, lost: () => void): void {
    unstored += rows;
    void done
      .catch((error: Error) => {
        lost();
        failed(error);
      })
      .finally(() => {
        unstored -= rows;
        recordedFlows += rows;
        for (const resolve of waiting.splice(0)) resolve();
      });
  }

  return {
    take(batch, of) {
      last = last.then(() => record(batch, of)).catch(failed);
      return last;
    },
    figures({ interfaces }) {
      const points: SeriesPoint[] = [];
      for (const { name, kind, clock, counters, protocols } of interfaces) {
        if (kind === 'pcap' || clock === 0) continue;
        const now: Record<string, number> = Object.fromEntries(Object.entries(FIGURES).map(([figure, of]) => [figure, counters[of] ?? 0]));
        for (const protocol of protocols) now[`protocol:${protocol.name}`] = protocol.bytes;
        const then = before.get(name);
        before.set(name, now);
        for (const [figure, total] of Object.entries(now)) {
          const value = total - (then?.[figure] ?? 0);
          if (value > 0) points.push({ time: second(clock), interface: name, name: figure, value });
        }
      }
      append(points);
    },
    alerts(events) {
      const points = new Map<string, SeriesPoint>();
      for (const { type, alert } of events) {
        if (type === 'new') add(points, { time: second(alert.time), interface: alert.interface, name: 'alerts', value: 1 });
      }
      append([...points.values()]);
    },
    recorded: () => recordedFlows,
    losses: () =>
      [
        { name: 'history.flows', help: 'flow records that the history did not take', value: lostFlows },
        { name: 'history.figures', help: 'figures over time that the history did not take', value: lostFigures },
      ].filter(({ value }) => value > 0),
    flush: () => last,
  };
}

function add(points: Map<string, SeriesPoint>, point: SeriesPoint): void {
  const key = `${point.time} ${point.name} ${point.interface}`;
  const known = points.get(key);
  points.set(key, known === undefined ? point : { ...known, value: known.value + point.value });
}

/** Nobody has looked at the counters of a capture every second of its time: its flows say when their traffic was, evenly spread. */
function spread(name: string, view: EventView, points: Map<string, SeriesPoint>): void {
  const read = (key: string): FieldValue | undefined => fieldByKey.get(key)?.read(view);
  const [from, to] = [Number(read('seen.first') ?? 0), Number(read('seen.last') ?? 0)];
  const [bytes, packets] = [Number(read('bytes') ?? 0), Number(read('packets') ?? 0)];
  const steps = Math.max(1, Math.min(MOST_STEPS, Math.floor(to) - Math.floor(from) + 1));
  const put = (figure: string, time: number, value: number): void => {
    if (value > 0) add(points, { time: second(time * SECOND_US), interface: name, name: figure, value });
  };
  put('flows', from, 1);
  const protocol = `protocol:${properText(String(read('proto.ndpi') ?? ''))}`;
  for (let step = 0; step < steps; step++) {
    const time = from + ((to - from) * step) / steps;
    put('bytes', time, bytes / steps);
    put('packets', time, packets / steps);
    put(protocol, time, bytes / steps);
  }
}
