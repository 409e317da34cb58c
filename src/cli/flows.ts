/** `flowpatrol flows`: captures in, a table of their flows (or JSON) out. Called by main.ts. */
import { type FlowList, flowList } from '../api/rows.ts';
import type { Config } from '../config.ts';
import { namesOf } from '../dpi/names.ts';
import { compileFilter, FilterError } from '../filter/filter.ts';
import type { InterfaceKind } from '../interfaces/protocol.ts';
import { native } from '../native.ts';
import { createPatrol } from '../patrol.ts';
import type { FlowQuery } from '../patrol-types.ts';
import { usageError } from './errors.ts';
import {
  columnsThatFit,
  fieldsOf,
  filterError,
  headerLine,
  layout,
  rowLine,
  sortFieldOf,
  type TableField,
  tabSeparated,
  usualFields,
} from './flow-table.ts';
import { bytes, count, printable } from './format.ts';
import { exitCodeOf, play } from './run.ts';
import { createLog, type Screen } from './screen.ts';
import { lossLines } from './summary.ts';
import type { ViewOptions } from './view-options.ts';

/** Where the table goes. */
export interface Output {
  readonly terminal: boolean;
  readonly columns: number;
  write(text: string): void;
}

export const queryOf = (view: ViewOptions): FlowQuery => ({
  filter: view.filter,
  sort: sortFieldOf(view.sort).key,
  descending: !view.reverse,
  limit: view.limit,
});

/** Before a long capture is read: does the filter fit what detection knows? */
export function checkFilter(filter: string, config: Config): void {
  const dpi = config.dpi ? native.dpiCreate(1) : undefined;
  try {
    const own = { localNetworks: config.localNetworks, interfaceName: '', run: '', packetInterface: true, sampled: false };
    compileFilter(filter, namesOf(native, dpi, own));
  } catch (error) {
    if (error instanceof FilterError) throw filterError(filter, error);
    throw error;
  } finally {
    if (dpi !== undefined) native.dpiClose(dpi);
  }
}

/** The fields of a table: chosen, or those that fit. @param live with the speed of flows */
export const tableFields = (view: ViewOptions, width: number, live: boolean): TableField[] => {
  if (view.columns.length > 0) return fieldsOf(view.columns);
  return columnsThatFit(usualFields(live), view.wide ? Number.POSITIVE_INFINITY : width);
};

/** `12 of 1,234 flows, 56,789 packets, 11.4 MB; the first 10 are shown` */
export function footer({ matched, total, packets, bytes: size, flows }: FlowList): string {
  const of = matched === total ? count(total) : `${count(matched)} of ${count(total)}`;
  const shown = flows.length < matched ? `; the first ${count(flows.length)} are shown` : '';
  return `${of} ${total === 1 ? 'flow' : 'flows'}, ${count(packets)} packets, ${bytes(size)}${shown}`;
}

/** A table, tab-separated lines or JSON. @param note takes what is no data */
export function show(list: FlowList, fields: readonly TableField[], view: ViewOptions, output: Output, note: (line: string) => void): void {
  if (view.json) {
    output.write(`${JSON.stringify(list)}\n`);
    return;
  }
  const cut = output.terminal && !view.wide;
  if (!output.terminal && !view.wide) {
    output.write(`${tabSeparated(fields, list.flows).join('\n')}\n`);
    note(footer(list));
    return;
  }
  const of = layout(fields, list.flows, cut ? output.columns : Number.POSITIVE_INFINITY);
  const lines = [headerLine(of), ...list.flows.map((row) => rowLine(of, row)), '', footer(list)];
  output.write(`${lines.join('\n')}\n`);
}

/** @returns the exit code */
export async function flows(
  config: Config,
  view: ViewOptions,
  kindOf: (name: string) => InterfaceKind,
  output: Output,
  screen: Screen,
): Promise<number> {
  const live = config.interfaces.find((name) => kindOf(name) !== 'pcap');
  if (live !== undefined) {
    throw usageError(
      `flows reads captures, but -i ${live} is a network interface`,
      'run flowpatrol with -d DIR, then: flowpatrol top -d DIR',
    );
  }
  const query = queryOf(view);
  const fields = tableFields(view, output.terminal ? output.columns : Number.POSITIVE_INFINITY, false);
  checkFilter(view.filter, config);

  const log = createLog(config.logLevel === 'info' ? 'warn' : config.logLevel, screen, !process.env.NO_COLOR, config.logFormat);
  const patrol = createPatrol({ ...config, flowQuery: query }, log, kindOf);
  await play(patrol, screen);
  const snapshot = patrol.snapshot();
  const keys = view.json && view.columns.length === 0 ? undefined : fields.map(({ field }) => field);
  show(flowList(query, patrol.endedFlows(), keys, patrol.hostBook()), fields, view, output, (line) => screen.line(line));
  for (const { name, error } of snapshot.interfaces) {
    if (error !== undefined) screen.line(`failed: ${printable(name)}: ${printable(error)}`);
  }
  const lost = snapshot.losses.length > 0 || snapshot.interfaces.some((of) => of.losses.length > 0);
  if (lost) for (const line of lossLines(snapshot)) screen.line(line);
  return exitCodeOf(snapshot);
}
