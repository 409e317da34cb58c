/**
 * Runs one script on one capture as a run does: the same threads, the same engine, the same host, so what a script sets comes back to it.
 * All callbacks, the capture's clock, an empty cache and the default preferences unless the configuration says otherwise.
 *
 *   script, capture ──► patrol with one interface ──recording of what was done──► calls of the script
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Config } from '../../config.ts';
import { CALLBACKS, type Callback } from '../../flows/event.ts';
import { createPatrol } from '../../patrol.ts';
import type { Log } from '../../patrol-types.ts';
import { openRecordingFile } from '../../recording/reader.ts';
import type { CallbackStats, ScriptReport } from '../report.ts';
import { doingLines, flowLabel, scriptOf, statusNames, timeText } from '../words.ts';
import { callsOf } from './calls.ts';

/** A callback of a flow, as the script made something of it. */
export interface TestedCall {
  /** Packet time, or `load`. */
  readonly time: string;
  readonly flow?: string;
  readonly callback: Callback | 'load';
  /** Names of the statuses that were set when it was called. */
  readonly statuses: readonly string[];
  /** What it did, one line each; none: it was called, and silent. */
  readonly lines: readonly string[];
  /** It was not called, by its filter. */
  readonly filtered: boolean;
}

export interface TestedCallback {
  readonly calls: number;
  readonly failures: number;
  /** By reason. */
  readonly failed: CallbackStats['failed'];
}

export interface TestRun {
  readonly capture: string;
  readonly calls: readonly TestedCall[];
  /** Of the callbacks that the script has. */
  readonly callbacks: Readonly<Partial<Record<Callback, TestedCallback>>>;
  readonly alerts: number;
  /** Why the script could not be loaded, or why the capture could not be read to its end. */
  readonly refused?: string;
  readonly broken?: string;
}

export interface TestOptions {
  /** What holds beside script and capture. */
  readonly config: Config;
  /** Also calls at which the script was silent. */
  readonly allCalls: boolean;
}

/** A log that keeps what is said about the capture; what scripts say is in the recording. */
function quietLog(said: string[]): Log {
  const keep = (fields: object, message: string): void => {
    if (!('script' in fields)) said.push(message);
  };
  return { debug() {}, info() {}, warn: keep, error: keep };
}

/** @param script absolute path of its file */
export async function runScript(script: string, capture: string, { config, allCalls }: TestOptions): Promise<TestRun> {
  const directory = mkdtempSync(join(tmpdir(), 'flowpatrol-test-'));
  try {
    const path = join(directory, 'doings');
    const said: string[] = [];
    const { dataDirectory: _, ...rest } = config;
    const patrol = createPatrol(
      {
        ...rest,
        interfaces: [capture],
        scripts: true,
        scriptDirectories: [script],
        pcapCallbacks: 'all',
        recordTo: { path, events: 'with doings', version: '' },
        ...(allCalls ? { traceFlows: '' } : {}),
      },
      quietLog(said),
      () => 'pcap',
    );
    await patrol.start();
    await patrol.done;
    const { interfaces, scripts } = patrol.snapshot();
    const report = scripts.find((each) => each.path === script);
    const error = interfaces.find((each) => each.state === 'failed')?.error ?? (report === undefined ? said.join('; ') : undefined);
    if (error !== undefined) return { capture: basename(capture), calls: [], callbacks: {}, alerts: 0, broken: error };
    const { key, error: refused } = report as ScriptReport;
    const warning = interfaces.find((each) => each.warning !== undefined)?.warning;
    return {
      capture: basename(capture),
      calls: await testedCalls(path, key),
      callbacks: callbacksOf(report as ScriptReport),
      alerts: (report as ScriptReport).alerts,
      ...(refused === undefined ? {} : { refused }),
      ...(warning === undefined ? {} : { broken: warning }),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const callbacksOf = ({ callbacks, stats }: ScriptReport): TestRun['callbacks'] =>
  Object.fromEntries(
    CALLBACKS.filter((callback) => callbacks.includes(callback)).map((callback) => [
      callback,
      { calls: stats[callback]?.calls ?? 0, failures: stats[callback]?.failures ?? 0, failed: stats[callback]?.failed ?? {} },
    ]),
  );

async function testedCalls(path: string, key: string): Promise<TestedCall[]> {
  const calls: TestedCall[] = [];
  for await (const { callback, view, doings, traces } of callsOf(await openRecordingFile(path))) {
    const lines = doings.filter((doing) => scriptOf(doing) === key).flatMap(doingLines);
    const trace = traces.find((each) => each.script === key);
    if (lines.length === 0 && trace === undefined) continue;
    calls.push({
      time: view === undefined ? 'load' : timeText(view.time()),
      ...(view === undefined ? {} : { flow: flowLabel(view) }),
      callback,
      statuses: view === undefined ? [] : statusNames(view.status()),
      lines,
      filtered: trace?.outcome === 'filter',
    });
  }
  return calls;
}
