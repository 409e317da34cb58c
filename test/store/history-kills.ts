/**
 * Kills a process that stores (history-writer.ts), again and again, and looks each time for everything that it was told is stored. Called by
 * history-kill.test.ts and test/long/kill-store.ts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openDuckHistory } from '../../src/store/duckdb/history.ts';
import { everything } from './history-data.ts';

const WRITER = fileURLToPath(new URL('history-writer.ts', import.meta.url));

/** What was told to be stored, over all runs. */
export interface Told {
  /** Count by id. */
  readonly alerts: Map<string, number>;
  readonly flows: { readonly first: string; readonly last: string; readonly size: number }[];
  /** By run. */
  readonly points: Map<string, number>;
}

export const nothingTold = (): Told => ({ alerts: new Map(), flows: [], points: new Map() });

function hear(told: Told, line: string): void {
  const [what, first = '', last = '', size] = line.split(' ');
  if (what === 'alert') told.alerts.set(first, Math.max(told.alerts.get(first) ?? 0, Number(last)));
  if (what === 'flows') told.flows.push({ first, last, size: Number(size) });
  if (what === 'points') told.points.set(first, Number(last));
}

/** @param lines of the process that are read before it is killed; 1 = while it opens the history */
export async function killAfter(directory: string, run: string, lines: number, told: Told): Promise<void> {
  const child = spawn(process.execPath, [WRITER, directory, run], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (text) => (errors += text));
  const exited = once(child, 'exit');
  let read = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    hear(told, line); // also what it said before the signal came
    if (++read === lines) child.kill('SIGKILL');
  }
  const [, signal] = await exited;
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself: ${errors}`);
}

export interface Found {
  /** What was told and is not there. */
  readonly missing: string[];
  /** How long the start took, and its CPU time, ms. */
  readonly openMs: number;
  readonly openCpuMs: number;
  readonly alerts: number;
  readonly flows: number;
}

/** Opens the history as the next start does, and looks for what was told. */
export async function look(directory: string, told: Told): Promise<Found> {
  const began = performance.now();
  const before = process.cpuUsage();
  const history = await openDuckHistory({ directory, memoryLimitMiB: 256 });
  const openMs = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  const missing: string[] = [];

  const counts = new Map<string, number>();
  for (let offset = 0, total = 1; offset < total; offset += everything.limit) {
    const page = await history.alerts({ ...everything, sort: 'id', offset });
    for (const { id, count } of page.rows) counts.set(id, count);
    total = page.total;
  }
  for (const [id, count] of told.alerts)
    if ((counts.get(id) ?? 0) < count) missing.push(`alert ${id}: ${count} told, ${counts.get(id)} found`);

  const { total: flows } = await history.flows({ ...everything, limit: 1 });
  for (const { first, last } of told.flows.slice(-5)) {
    for (const id of [first, last]) if ((await history.flow(id))?.ended !== true) missing.push(`flow ${id}`);
  }
  const toldFlows = told.flows.reduce((sum, { size }) => sum + size, 0);
  if (flows < toldFlows) missing.push(`${toldFlows - flows} of ${toldFlows} flows`);
  const [most] = await history.top({ filter: '', by: 'flow.id', of: 'flows', limit: 1 });
  if (most !== undefined && most.sum > 1) missing.push(`flow ${most.value} is there ${most.sum} times`);

  for (const [run, count] of told.points) {
    const points = await history.series({ names: ['flows'], interface: run, from: 0, to: Number.MAX_SAFE_INTEGER, points: 1 });
    const sum = points.reduce((all, { value }) => all + value, 0);
    if (sum < count) missing.push(`points of ${run}: ${count} told, ${sum} found`);
  }
  await history.close();
  return { missing, openMs, openCpuMs: (user + system) / 1000, alerts: counts.size, flows };
}
