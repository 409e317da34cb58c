/** What the page and the worker of the table of flows say to each other. */
import type { ProblemBody } from '../../../src/api/problems.ts';

export interface TableColumn {
  readonly key: string;
  readonly unit: string | undefined;
  /** Longer values are cut: a box that cuts by itself costs every frame. */
  readonly characters: number;
}

/** Rows `from` to `to` (exclusive). */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export interface TableRow {
  /** Of the flow. */
  readonly id: string;
  readonly alerted: boolean;
  readonly cells: readonly string[];
}

export type ToTable =
  | {
      readonly type: 'ask';
      /** Without a limit. */
      readonly url: string;
      readonly columns: readonly TableColumn[];
      /** Place of `flow.status` in the columns, and the words of its values by id. */
      readonly statuses: readonly string[];
      readonly language: string;
    }
  | { readonly type: 'window'; readonly window: Window }
  /** Off: nothing is asked any more, and the rows stay as they are. */
  | { readonly type: 'follow'; readonly on: boolean }
  | { readonly type: 'again' };

export interface TableState {
  /** Flows that match, and all that there are. */
  readonly matched: number;
  readonly total: number;
  readonly packets: number;
  readonly bytes: number;
  /** Rows that the worker holds; a table has no more than the interfaces give at once. */
  readonly loaded: number;
}

export type FromTable =
  | ({ readonly type: 'table' } & TableState)
  | { readonly type: 'rows'; readonly from: number; readonly rows: readonly TableRow[] }
  | { readonly type: 'problem'; readonly problem: ProblemBody | undefined; readonly message: string };
