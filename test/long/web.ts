/**
 * The load test of what people look at: new flows on a live interface, a page in Chromium, two streams and a steady mix of questions, the
 * history on.
 *
 *   npm run long:web                           10 minutes at 20,000 new flows a second
 *   npm run long:web -- --minutes 2 --flows 5000 --questions 1      of the interface a second; 10 without it
 *
 * All of it runs in one network namespace, over real HTTP:
 *
 *   capture of small flows ──tcpreplay──► veth pair ──► flowpatrol ◄── page (Flows), 2 streams, questions at a steady rate
 *
 * It fails when capture or scripts' events drop anything, when 99 of 100 answers take longer than 200 ms, or when the memory of the page
 * or of the server grows. Flows that the history sheds are no failure: they are counted and told. Needs root, iproute2, tcpreplay, and
 * Chromium. The short form is test/web-load.test.ts; the figures of the long one stand in docs/performance.md.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { buildPages, pagesCurrent } from '../../web/build.js';
import { type Churn, makeChurn } from '../support/churn.ts';
import { CLI } from '../support/run-cli.ts';
import { createVeth, LISTENER } from '../support/veth.ts';
import { goTo, openWindow, PASSWORD, signIn } from '../web/support.ts';

const SELF = fileURLToPath(import.meta.url);
const SCRIPTS = fileURLToPath(new URL('../../bench/scripts', import.meta.url));

const P99_MS = 200;
/** Growth of memory in the second half of the run, per cent. */
const MOST_GROWTH = 5;
/** Below it the least growth is a large share: a page of 10 MiB may grow by one. */
const LEAST_GROWTH_MIB = 8;

export interface LoadOptions extends Churn {
  readonly seconds: number;
  /** Seconds between two samples. */
  readonly every: number;
  /** Questions a second. */
  readonly questions: number;
}

/** Seconds of CPU so far, memory in MiB. */
export interface LoadSample {
  readonly seconds: number;
  readonly created: number;
  readonly active: number;
  readonly packets: number;
  readonly serverMiB: number;
  /** Objects of the page, after a collection of garbage. */
  readonly pageMiB: number;
  readonly cpu: { readonly server: number; readonly generator: number; readonly browser: number; readonly test: number };
}

export interface LoadResult {
  readonly samples: readonly LoadSample[];
  /** Of the whole program, at the end of the traffic. */
  readonly losses: Readonly<Record<string, number>>;
  /** ms of each answer, by the question, sorted; from the moment at which it was due. */
  readonly answers: Readonly<Record<string, readonly number[]>>;
  /** Questions that were not answered with 200. */
  readonly refused: readonly string[];
  /** Events of each stream, by type. */
  readonly streams: readonly Readonly<Record<string, number>>[];
  /** What the browser complained about. */
  readonly complaints: readonly string[];
  /** Flows that the interface has made until the generator ended, and entries of the history after the end of the program. */
  readonly created: number;
  readonly kept: number;
}

const QUESTIONS = [
  '/flows?limit=100&sort=bytes',
  '/alerts?limit=100',
  '/status',
  '/hosts?limit=100',
  '/flows?limit=100&sort=seen.last&filter=proto%20%3D%3D%20DNS',
  '/interfaces',
  '/history/flows?limit=50&fields=bytes,packets,cli.ip,srv.ip,proto.ndpi&sort=seen.last',
  '/history/top?by=proto.ndpi&of=bytes',
  '/history/series?names=bytes,flows&from=1600000000000000&to=4000000000000000&points=100',
  '/losses',
] as const;

/** User and system time of a process, s (proc(5): fields 14 and 15 in hundredths). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Processes of this network namespace with the word in their command line. */
function processes(word: string): number[] {
  const own = readlinkSync('/proc/self/ns/net');
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        return pid > 0 && readlinkSync(`/proc/${pid}/ns/net`) === own && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word);
      } catch {
        return false; // it has ended
      }
    });
}

function sumOfCpu(pids: readonly number[]): number {
  let sum = 0;
  for (const pid of pids) {
    try {
      sum += cpuSeconds(pid);
    } catch {
      // it has ended
    }
  }
  return sum;
}

const memoryMiB = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

/** It is alone in its network namespace. */
const WEB = '127.0.0.1:3000';

async function startProgram(folder: string, options: readonly string[]) {
  if (!pagesCurrent()) await buildPages();
  writeFileSync(join(folder, 'password'), PASSWORD);
  const args = [CLI, '-w', WEB, '-d', join(folder, 'data'), '--password-file', join(folder, 'password'), '--log-level', 'warn', ...options];
  let child: ChildProcess | undefined;
  async function start(): Promise<void> {
    const own = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child = own;
    const ready = Promise.withResolvers<void>();
    let said = '';
    for (const stream of [own.stdout, own.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        said = `${said}${line}\n`.slice(-20_000);
        if (line.startsWith('Web interface:')) ready.resolve();
      });
    }
    own.on('exit', () => ready.reject(new Error(`flowpatrol has ended: ${said}`)));
    await ready.promise;
  }
  await start();
  return {
    url: `http://${WEB}/`,
    pid: () => child?.pid as number,
    start,
    async end(): Promise<void> {
      if (child === undefined || child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** Reads a stream to its end, and counts. */
async function follow(url: string, cookie: string, signal: AbortSignal, counts: Record<string, number>): Promise<void> {
  const answer = await fetch(url, { headers: { cookie }, signal });
  if (answer.body === null || answer.status !== 200) throw new Error(`${url}: ${answer.status}`);
  let rest = '';
  try {
    for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (!line.startsWith('event: ')) continue;
        const event = line.slice(7);
        counts[event] = (counts[event] ?? 0) + 1;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The test itself, within the namespace. */
async function inside({ seconds, flows, speed, every, questions }: LoadOptions, tell: (sample: LoadSample) => void): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-load-'));
  const capture = join(folder, 'churn.pcap');
  const replay = makeChurn(capture, { flows, speed });
  const table = String(Math.max(50_000, flows * 120));
  const program = await startProgram(folder, ['-i', LISTENER, '--buffer-size', '256M', '--max-flows', table, '--scripts-dir', SCRIPTS]);
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  const ending = new AbortController();
  try {
    const api = `${program.url}api/v1`;
    async function login(): Promise<string> {
      const answer = await fetch(`${api}/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: program.url.slice(0, -1) },
        body: JSON.stringify({ name: 'admin', password: PASSWORD }),
      });
      if (answer.status !== 200) throw new Error(`login: ${answer.status} ${await answer.text()}`);
      return answer.headers.get('set-cookie')?.split(';')[0] ?? '';
    }
    let cookie = await login();
    const ask = async <T>(path: string): Promise<T> => {
      const answer = await fetch(api + path, { headers: { cookie } });
      const text = await answer.text();
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text.slice(0, 200)}`);
      return JSON.parse(text) as T;
    };
    const counters = async (): Promise<Readonly<Record<string, number>>> =>
      (await ask<{ interfaces: { counters: Record<string, number> }[] }>('/interfaces')).interfaces[0]?.counters ?? {};

    const { page, complaints } = await openWindow(browser, program);
    await signIn(page);
    await goTo(page, program, 'flows', 'Flows');
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Performance.enable');
    const pageMiB = async (): Promise<number> => {
      await devtools.send('HeapProfiler.collectGarbage');
      const { metrics } = await devtools.send('Performance.getMetrics');
      return (metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value ?? 0) / 2 ** 20;
    };

    const streams: Record<string, number>[] = [{}, {}];
    const following = ['alerts,stats', 'flows,stats'].map((topics, i) =>
      follow(`${api}/stream?topics=${topics}`, cookie, ending.signal, streams[i] as Record<string, number>),
    );

    const sender = spawn('tcpreplay', replay, { stdio: 'ignore' });
    // it reads its capture first
    while (((await counters()).packets ?? 0) === 0) await pause(200);
    const browserCpu = (): number => sumOfCpu(processes('chromium'));

    const answers: Record<string, number[]> = {};
    const refused: string[] = [];
    const asking = new Set<Promise<void>>();
    const began = performance.now();
    const now = (): number => (performance.now() - began) / 1000;
    async function question(path: string, due: number): Promise<void> {
      try {
        await ask(path);
        (answers[path] ??= []).push(performance.now() - due);
      } catch (error) {
        refused.push((error as Error).message);
      }
    }
    let asked = 0;
    let broken: Error | undefined;
    for (const each of following) each.catch((error: Error) => (broken ??= error));
    const samples: LoadSample[] = [];
    let next = every;
    while (now() < seconds) {
      const due = began + (asked * 1000) / questions;
      await pause(Math.max(0, due - performance.now()));
      const one = question(QUESTIONS[asked++ % QUESTIONS.length] as string, due);
      asking.add(one);
      void one.finally(() => asking.delete(one));
      if (broken !== undefined) throw broken;
      if (now() < next) continue;
      next += every;
      // beside the questions, which go on
      const sampling = (async () => {
        const found = await counters();
        const sample: LoadSample = {
          seconds: Math.round(now()),
          created: found['flows.created'] ?? 0,
          active: found['flows.active'] ?? 0,
          packets: found.packets ?? 0,
          serverMiB: memoryMiB(program.pid()),
          pageMiB: await pageMiB(),
          cpu: {
            server: cpuSeconds(program.pid()),
            generator: cpuSeconds(sender.pid as number),
            browser: browserCpu(),
            test: cpuSeconds(process.pid),
          },
        };
        samples.push(sample);
        tell(sample);
      })();
      asking.add(sampling);
      void sampling.finally(() => asking.delete(sampling));
    }
    await Promise.all(asking);
    sender.kill('SIGKILL');
    await once(sender, 'exit');
    let created = -1;
    for (;;) {
      const { 'flows.created': found = 0 } = await counters();
      if (found === created) break;
      created = found;
      await pause(500);
    }
    const { losses } = await ask<{ losses: { name: string; value: number }[] }>('/losses');
    ending.abort();
    await Promise.all(following);
    await page.close(); // it would complain that nobody answers
    // all flows have their last visit at the end; the next start shows what was kept
    await program.end();
    await program.start();
    cookie = await login();
    const { total: kept } = await ask<{ total: number }>('/history/flows?limit=1&fields=bytes');
    return {
      samples,
      losses: Object.fromEntries(losses.map(({ name, value }) => [name, value])),
      answers: Object.fromEntries(Object.entries(answers).map(([path, times]) => [path, times.toSorted((a, b) => a - b)])),
      refused,
      streams,
      complaints,
      created,
      kept,
    };
  } finally {
    ending.abort();
    await browser.close();
    await program.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the load in a namespace of its own. */
export async function load(options: LoadOptions, tell: (sample: LoadSample) => void = () => {}): Promise<LoadResult> {
  const veth = createVeth('web');
  try {
    veth.ip('-n', veth.namespace, 'link', 'set', 'lo', 'up');
    const child = spawn('ip', veth.inside(process.execPath, SELF, '--inside', JSON.stringify(options)), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let result: LoadResult | undefined;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as { sample?: LoadSample; result?: LoadResult };
      if (said.sample !== undefined) tell(said.sample);
      result ??= said.result;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    if (result === undefined) throw new Error(`the load test has ended with ${code} before its result`);
    return result;
  } finally {
    veth.remove();
  }
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/** From the middle of the run to its end, MiB and per cent. */
function growth(values: readonly number[]): { readonly mib: number; readonly share: number } {
  const half = values.slice(Math.floor(values.length / 2));
  const third = Math.max(1, Math.floor(half.length / 3));
  const mean = (of: readonly number[]): number => of.reduce((sum, value) => sum + value, 0) / of.length;
  const [before, after] = [mean(half.slice(0, third)), mean(half.slice(-third))];
  return { mib: after - before, share: (after / before - 1) * 100 };
}

/** What capture must not lose; everything else that is lost is shed on purpose, and counted. */
export const CAPTURE_LOSSES: readonly string[] = ['drops.kernel', 'drops.interface', 'events.lost', 'flows.evicted'];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { minutes: { type: 'string' }, flows: { type: 'string' }, questions: { type: 'string' }, inside: { type: 'string' } },
  });
  if (values.inside !== undefined) {
    const say = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`);
    say({ result: await inside(JSON.parse(values.inside) as LoadOptions, (sample) => say({ sample })) });
    return;
  }
  const seconds = Number(values.minutes ?? 10) * 60;
  const flows = Number(values.flows ?? 20_000);
  console.log(`web: ${seconds / 60} minutes, ${flows} new flows a second`);
  let last: LoadSample | undefined;
  const result = await load(
    { seconds, flows, speed: 1, every: Math.min(30, seconds / 8), questions: Number(values.questions ?? 10) },
    (sample) => {
      const { seconds: at, created, active, packets, serverMiB, pageMiB, cpu } = sample;
      const passed = at - (last?.seconds ?? 0);
      const share = (part: keyof LoadSample['cpu']): string =>
        `${part} ${(((cpu[part] - (last?.cpu[part] ?? 0)) / passed) * 100).toFixed(0)} %`;
      const parts = last === undefined ? '' : `  CPU: ${(['server', 'generator', 'browser', 'test'] as const).map(share).join(', ')}`;
      const rate = ((created - (last?.created ?? 0)) / passed).toFixed(0);
      console.log(
        `${String(at).padStart(5)} s  ${created} flows (${rate} a second)  ${active} active  ${packets} packets  ` +
          `server ${serverMiB.toFixed(0)} MiB  page ${pageMiB.toFixed(1)} MiB${parts}`,
      );
      last = sample;
    },
  );

  const failures: string[] = [];
  const all = Object.values(result.answers)
    .flat()
    .toSorted((a, b) => a - b);
  for (const [path, times] of Object.entries(result.answers)) {
    console.log(
      `  ${quantile(times, 0.5).toFixed(0).padStart(6)} ms median  ${quantile(times, 0.99).toFixed(0).padStart(6)} ms p99  ${path}`,
    );
  }
  const p99 = quantile(all, 0.99);
  console.log(
    `${all.length} answers, p99 ${p99.toFixed(0)} ms; losses ${JSON.stringify(result.losses)}; streams ${JSON.stringify(result.streams)}`,
  );
  console.log(`${result.created} flows, ${result.kept} in the history`);
  if (p99 > P99_MS) failures.push(`p99 of the answers is ${p99.toFixed(0)} ms, ${P99_MS} are the most`);
  if (result.refused.length > 0) failures.push(`${result.refused.length} questions were refused: ${result.refused[0]}`);
  if (result.complaints.length > 0) failures.push(`the page complains: ${result.complaints[0]}`);
  const lost = CAPTURE_LOSSES.filter((name) => (result.losses[name] ?? 0) > 0);
  if (lost.length > 0) failures.push(`lost: ${lost.map((name) => `${name} ${result.losses[name]}`).join(', ')}`);
  for (const memory of ['serverMiB', 'pageMiB'] as const) {
    const { mib, share } = growth(result.samples.map((sample) => sample[memory]));
    console.log(`${memory}: ${mib.toFixed(1)} MiB (${share.toFixed(1)} %) more in the second half`);
    if (share > MOST_GROWTH && mib > LEAST_GROWTH_MIB) failures.push(`${memory} grows by ${share.toFixed(1)} %`);
  }
  console.log(failures.length === 0 ? 'all as it should be' : failures.join('\n'));
  process.exitCode = failures.length === 0 ? 0 : 1;
}

if (import.meta.main) await main();
