/** What became of every script at one callback of one flow: what `flowpatrol explain` shows. Plain data, fit for another thread. */
import type { Callback } from '../flows/event.ts';
import type { CallTrace } from './host.ts';

export interface TraceEntry {
  /** Id of the flow. */
  readonly flow: string;
  /** `[TCP] 10.0.0.1:51514 -> 10.0.0.2:80 [HTTP]` */
  readonly label: string;
  readonly visit: number;
  /** µs since 1970: the visit's time. */
  readonly time: number;
  readonly callback: Callback;
  /** Status bitmaps, exact below 2^53. */
  readonly statusBefore: number;
  readonly status: number;
  readonly scripts: readonly CallTrace[];
}
