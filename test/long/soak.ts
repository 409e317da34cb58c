/**
 * Soak: traffic with a steady churn of flows for a long time; memory must stay flat and nothing may be lost.
 *
 *   npm run long:soak                         30 minutes at 20,000 new flows a second
 *   npm run long:soak -- --minutes 5 --flows 2000
 *
 * Enters: small DNS and HTTP flows (bench/small-flows.ts), replayed again and again with other addresses into one end of a veth pair in
 * a network namespace of its own. Leaves: a line a minute, and a verdict. Needs root, iproute2 and tcpreplay. The short form is
 * test/soak.test.ts; the figures of the long one stand in docs/performance.md.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Churn, makeChurn } from '../support/churn.ts';
import { CLI } from '../support/run-cli.ts';
import { createVeth, LISTENER } from '../support/veth.ts';

/** A script that reads five fields at each callback and says nothing. */
const SCRIPTS = fileURLToPath(new URL('../../bench/scripts', import.meta.url));

export interface SoakOptions extends Churn {
  readonly seconds: number;
  /** Seconds between two samples. */
  readonly every: number;
  /** More arguments for flowpatrol. */
  readonly args?: readonly string[];
  readonly onSample?: (sample: Sample) => void;
}

export interface Sample {
  readonly seconds: number;
  readonly memoryMiB: number;
  readonly cpuSeconds: number;
  readonly packets: number;
  readonly created: number;
  readonly active: number;
  readonly events: number;
  readonly losses: Readonly<Record<string, number>>;
}

interface InterfaceAnswer {
  readonly interfaces: readonly {
    readonly counters: Readonly<Record<string, number>>;
    readonly losses: readonly { readonly name: string; readonly value: number }[];
  }[];
}

const ask = async (socketPath: string): Promise<InterfaceAnswer> => {
  const asking = request({ socketPath, path: '/api/v1/interfaces' });
  asking.end();
  const [answer] = (await once(asking, 'response')) as [NodeJS.ReadableStream];
  let text = '';
  for await (const part of answer) text += String(part);
  return JSON.parse(text) as InterfaceAnswer;
};

/** User and system time of a process, s (proc(5): fields 14 and 15 in hundredths). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const memoryMiB = (pid: number): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);

/** @returns the samples, the last one after flowpatrol's end, without memory; and what it said at its end */
export async function soak(options: SoakOptions): Promise<{ samples: Sample[]; summary: string; code: number | null }> {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-soak-'));
  const capture = join(folder, 'churn.pcap');
  const replay = makeChurn(capture, options);
  const veth = createVeth('soak');
  try {
    const args = [
      CLI,
      '-i',
      LISTENER,
      '--no-web',
      '-d',
      join(folder, 'data'),
      '--log-level',
      'warn',
      '--scripts-dir',
      SCRIPTS,
      ...(options.args ?? []),
    ];
    const patrol = spawn('ip', veth.inside(process.execPath, ...args), { stdio: ['ignore', 'ignore', 'pipe'] });
    let summary = '';
    patrol.stderr.on('data', (part: Buffer) => {
      summary = (summary + part.toString()).slice(-20_000);
    });
    const ended = once(patrol, 'exit');
    const socketPath = join(folder, 'data', 'control.sock');
    const pid = patrol.pid as number; // `ip netns exec` becomes the program
    for (let tries = 0; ; tries++) {
      try {
        await ask(socketPath);
        break;
      } catch (error) {
        if (tries === 100 || patrol.exitCode !== null) throw new Error(`flowpatrol does not answer: ${summary}`, { cause: error });
        await pause(100);
      }
    }

    const sender = spawn('ip', veth.inside('tcpreplay', ...replay), { stdio: 'ignore' });
    const began = performance.now();
    const seconds = (): number => Math.round((performance.now() - began) / 1000);
    const samples: Sample[] = [];
    while (seconds() < options.seconds) {
      await pause(options.every * 1000);
      const [of] = (await ask(socketPath)).interfaces;
      if (of === undefined) throw new Error('flowpatrol names no interface');
      const sample: Sample = {
        seconds: seconds(),
        memoryMiB: memoryMiB(pid),
        cpuSeconds: cpuSeconds(pid),
        packets: of.counters.packets ?? 0,
        created: of.counters['flows.created'] ?? 0,
        active: of.counters['flows.active'] ?? 0,
        events: of.counters.events ?? 0,
        losses: Object.fromEntries(of.losses.map(({ name, value }) => [name, value])),
      };
      samples.push(sample);
      options.onSample?.(sample);
    }
    sender.kill('SIGKILL');
    patrol.kill('SIGINT');
    const [code] = (await ended) as [number | null];
    return { samples, summary, code };
  } finally {
    veth.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Growth of memory from the middle of the run to its end, per cent. */
export function growth(samples: readonly Sample[]): number {
  const half = samples.slice(Math.floor(samples.length / 2));
  const mean = (of: readonly Sample[]): number => of.reduce((sum, sample) => sum + sample.memoryMiB, 0) / of.length;
  const third = Math.max(1, Math.floor(half.length / 3));
  return (mean(half.slice(-third)) / mean(half.slice(0, third)) - 1) * 100;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { minutes: { type: 'string' }, flows: { type: 'string' } } });
  const seconds = Number(values.minutes ?? 30) * 60;
  const flows = Number(values.flows ?? 20_000);
  console.log(`soak: ${seconds / 60} minutes, ${flows} new flows a second`);
  const { samples, summary, code } = await soak({
    seconds,
    flows,
    speed: 1,
    every: 60,
    args: ['--max-flows', String(Math.max(100_000, flows * 120)), '--buffer-size', '256M'],
    onSample: ({ seconds: at, memoryMiB: memory, cpuSeconds: cpu, packets, created, active, events, losses }) =>
      console.log(
        `${String(at).padStart(5)} s  ${memory} MiB  ${cpu.toFixed(0)} CPU s  ${packets} packets  ${created} flows  ${active} active  ${events} events  losses ${JSON.stringify(losses)}`,
      ),
  });
  console.log(summary.split('\n').slice(-40).join('\n'));
  const grown = growth(samples);
  const lost = Object.keys(samples.at(-1)?.losses ?? {});
  console.log(
    `memory grew by ${grown.toFixed(1)} % in the second half; losses: ${lost.length === 0 ? 'none' : lost.join(', ')}; exit code ${code}`,
  );
  process.exitCode = grown < 5 && lost.length === 0 && code === 0 ? 0 : 1;
}
