/**
 * What the main thread and the thread of the history say to each other.
 *
 *   main ──HistoryRequest──► worker ──HistoryReply──► main        one reply a request, in any order
 */
import type { AlertEvent } from '../alerts/writing.ts';
import type { Names } from '../flows/view.ts';
import type { HostData } from '../hosts/host-book.ts';
import type { LearnedName } from '../hosts/names.ts';
import type { LossSnapshot, Snapshot } from '../patrol-types.ts';
import type { FlowBatch } from '../scripts/outbox.ts';
import type { History } from '../store/history.ts';

export interface HistoryData {
  /** undefined: in memory. */
  readonly directory: string | undefined;
  readonly hosts: HostData;
}

export type HistoryMethod = keyof History;
export const HISTORY_METHODS = [
  ...(['appendFlows', 'putAlerts', 'appendSeries', 'flows', 'flow', 'alerts', 'alert', 'alertGroups', 'top', 'series'] as const),
  ...(['exportFlows', 'retain', 'close'] as const),
] as const satisfies readonly HistoryMethod[];

export type HistoryCommand =
  | { readonly type: 'call'; readonly method: HistoryMethod; readonly args: readonly unknown[] }
  /** `names` come with the first batch of a source: they are large. */
  | {
      readonly type: 'record';
      readonly batch: FlowBatch;
      readonly source: number;
      readonly interface: string;
      readonly live: boolean;
      readonly names?: Names;
    }
  /** Everything that was recorded is handed over to the store. */
  | { readonly type: 'flush' };

export type HistoryRequest =
  | ({ readonly id: number } & HistoryCommand)
  /** What follows needs no answer. */
  | { readonly type: 'figures'; readonly snapshot: Pick<Snapshot, 'interfaces'> }
  | { readonly type: 'alerts'; readonly events: readonly Pick<AlertEvent, 'type' | 'alert'>[] }
  | { readonly type: 'learned'; readonly names: readonly LearnedName[] };

/** An error keeps its kind: `history`, `filter` with its place, or another one. */
export interface SentError {
  readonly kind: 'history' | 'filter' | 'other';
  readonly message: string;
  readonly filter?: { readonly code: string; readonly position: number; readonly length: number; readonly hint: string };
}

export type HistoryReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: SentError }
  | { readonly type: 'ready' }
  | { readonly type: 'unusable'; readonly error: SentError }
  /** `recorded`: flows of all batches that are stored, or counted as lost. */
  | { readonly type: 'losses'; readonly losses: readonly LossSnapshot[]; readonly recorded: number }
  /** Nothing more is answered; what waits is written, then the thread leaves. */
  | { readonly type: 'ending'; readonly reason: string }
  | { readonly type: 'failed'; readonly message: string };
