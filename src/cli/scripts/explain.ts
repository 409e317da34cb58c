/** `flowpatrol explain`: why scripts did what they did about a flow, on captures, over a recording, or in a running flowpatrol. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, Refused } from '../../api/client.ts';
import { compileFilter } from '../../filter/filter.ts';
import { createPatrol } from '../../patrol.ts';
import { openRecordingFile } from '../../recording/reader.ts';
import { type ExplainedCall, explained, explanationLines } from '../../scripts/explain.ts';
import { callsOf } from '../../scripts/testing/calls.ts';
import { runWatched } from '../../scripts/testing/watched.ts';
import { checkConfig } from '../check.ts';
import { usageError } from '../errors.ts';
import { checkFilter } from '../flows.ts';
import { printable } from '../format.ts';
import type { ScriptInvocation } from '../parse.ts';
import { controlError } from '../prefs.ts';
import { exitCodeOf, play } from '../run.ts';
import { createLog } from '../screen.ts';
import { type Surroundings, scriptPath } from './command.ts';

const FLOW_ID = /^[a-z0-9]+-(\d+-\d+)$/;

/** @returns the exit code */
export async function explain(given: ScriptInvocation, around: Surroundings): Promise<number> {
  const { config, words, of, json } = given;
  const [flow] = words;
  if (flow === undefined) throw usageError('explain: no flow given', "an id, or a filter: flowpatrol explain 'host == 192.0.2.1' -i FILE");
  const sources = [config.interfaces.length > 0, of.recording !== undefined, config.dataDirectory !== undefined].filter(Boolean).length;
  if (sources !== 1) throw usageError('explain needs captures (-i), a recording (--recording) or a running flowpatrol (-d), one of them');

  const calls: ExplainedCall[] = [];
  let code = 0;
  if (of.recording !== undefined) calls.push(...(await overRecording(of.recording, flow, of.script, around)));
  else if (config.dataDirectory !== undefined) calls.push(...(await askRunning(config.dataDirectory, flow, around)));
  else code = await onCaptures(given, flow, around, calls);
  if (json) for (const call of calls) around.stdout.write(`${JSON.stringify(call)}\n`);
  else if (calls.length > 0) around.stdout.write(`${explanationLines(calls).join('\n')}\n`);
  else if (config.dataDirectory === undefined || FLOW_ID.test(flow)) around.screen.line('no call of such a flow is known');
  return code;
}

async function overRecording(path: string, flow: string, given: readonly string[], { screen }: Surroundings): Promise<ExplainedCall[]> {
  const calls: ExplainedCall[] = [];
  const task = {
    recording: path,
    filter: FLOW_ID.test(flow) ? `flow.id == "${flow}"` : flow,
    scripts: given.map((script) => scriptPath(script, '--script')),
  };
  await runWatched('explain', task, { item: (call) => void calls.push(call), note: (line) => screen.line(printable(line)) });
  return calls;
}

/** Each capture in a run of its own; ids have another beginning in each run. */
async function onCaptures({ config }: ScriptInvocation, flow: string, { screen }: Surroundings, calls: ExplainedCall[]): Promise<number> {
  const place = FLOW_ID.exec(flow)?.[1];
  const filter = place === undefined ? flow : `flow.id ~ "-${place}$"`;
  checkFilter(filter, config);
  const kindOf = checkConfig(config);
  const live = config.interfaces.find((name) => kindOf(name) !== 'pcap');
  if (live !== undefined)
    throw usageError(`explain reads captures, but -i ${live} is a network interface`, 'give a running flowpatrol with -d DIR');
  let code = 0;
  for (const capture of config.interfaces) {
    const directory = mkdtempSync(join(tmpdir(), 'flowpatrol-explain-'));
    try {
      const path = join(directory, 'calls');
      const recordTo = { path, events: 'with doings', version: '' } as const;
      const log = createLog('error', screen, false);
      const quiet = { ...log, error: (fields: object, text: string): void => void ('script' in fields || log.error(fields, text)) };
      const patrol = createPatrol({ ...config, interfaces: [capture], traceFlows: filter, recordTo }, quiet, kindOf);
      await play(patrol, screen);
      code = Math.max(code, exitCodeOf(patrol.snapshot()));
      if (code !== 0) continue;
      const recording = await openRecordingFile(path);
      const wanted = compileFilter(filter, recording.header.names);
      for await (const call of callsOf(recording)) {
        const told = call.view !== undefined && wanted.matches(call.view) ? explained(call) : undefined;
        if (told !== undefined && call.traces.length > 0) calls.push(told);
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  return code;
}

interface TracedFlow {
  readonly flow: string;
  readonly label: string;
  readonly interface: string;
}

/** The calls of a flow; or sets the filter and tells which flows there are traces of. */
async function askRunning(directory: string, flow: string, { stdout, screen }: Surroundings): Promise<ExplainedCall[]> {
  try {
    if (FLOW_ID.test(flow)) {
      return (await ask<{ traces: ExplainedCall[] }>(directory, 'GET', `/explain?flow=${encodeURIComponent(flow)}`)).traces;
    }
    await ask(directory, 'PUT', '/explain/filter', { filter: flow });
    const { flows } = await ask<{ flows: TracedFlow[] }>(directory, 'GET', '/explain');
    screen.line('Calls of flows that match are traced from now on. Traces so far, ask for one by its id:');
    for (const of of flows) stdout.write(`${of.flow}  ${printable(of.interface)}  ${printable(of.label)}\n`);
    return [];
  } catch (error) {
    if (error instanceof Refused) throw usageError(error.message, error.problem.hint);
    throw controlError(error, directory);
  }
}
