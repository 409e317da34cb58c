/**
 * `npm run bench`: our packet path beside libpcap, the same work in C, and ndpiReader, on the same captures in the same run.
 *
 *   node bench/run.ts [--quick] [--json FILE] [--corpus DIR] [--cache DIR] [--rounds N]
 *
 * Every round runs every subject once on every capture, each round in another order; reported are medians with the smallest and
 * largest of all rounds, and ratios of two subjects within one round. CPU is user + system of the whole process, start-up
 * included; `net` takes off what the same command needs for an empty capture. Memory per flow is what each further flow adds: the peak
 * for the small flows less that for a twentieth of them in the same time. It ends with 0 whatever the numbers are.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Capture, DEFAULT_CACHE, DEFAULT_CORPUS, standardCaptures } from './make-captures.ts';
import { type Measured, measure } from './processes.ts';
import { SUBJECTS, type Subject } from './subjects.ts';
import { ALSO, HALF_WAY, INSIDE, type InsideTarget, TARGETS, type Target } from './targets.ts';

type CaptureName = 'real' | 'small' | 'few' | 'empty';
type Runs = Record<CaptureName, Map<string, Measured[]>>;
interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    corpus: { type: 'string', default: DEFAULT_CORPUS },
    cache: { type: 'string', default: DEFAULT_CACHE },
    rounds: { type: 'string' },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 3 : 5));
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds: '${options.rounds}' is not a whole number from 1 on`);

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((x, y) => x - y);
  const at = (i: number): number => sorted[i] as number;
  const middle = sorted.length >> 1;
  return { median: sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2, min: at(0), max: at(sorted.length - 1) };
}

function environment(): Record<string, string | number> {
  const words = (command: string, args: readonly string[], pattern: RegExp): string => {
    const run = spawnSync(command, args, { encoding: 'utf8' });
    return pattern.exec(`${run.stdout}${run.stderr}`)?.[1] ?? 'unknown';
  };
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    ndpi: words('ndpiReader', ['-h'], /nDPI ([\d.]+)/),
    cc: words(process.env.CC ?? 'cc', ['--version'], /^(.*)$/m),
    load: loadavg()
      .map((load) => load.toFixed(2))
      .join(' '),
  };
}

/** Whether our summary names the number of packets, however it separates thousands. */
const namesPackets = (run: Measured, packets: number): boolean =>
  `${run.stdout}\n${run.stderr}`.replace(/(?<=\d)[,.'_\u202f\u00a0 ](?=\d{3})/g, '').includes(String(packets));

/** @returns the subjects that can be measured; says of the others why not */
function usable(empty: Capture, notes: string[]): Subject[] {
  return SUBJECTS.filter((subject) => {
    let why: string;
    try {
      const run = measure(subject.command(empty.path));
      if (run.status === 0) return true;
      why = `ends with ${run.status}: ${(run.stderr || run.stdout).trim().split('\n').slice(-3).join(' | ')}`;
    } catch (error) {
      why = (error as Error).message;
    }
    notes.push(`${subject.id} is not measured: on an empty capture it ${why}`);
    return false;
  });
}

function runAll(subjects: readonly Subject[], captures: readonly [CaptureName, Capture][], notes: string[]): Runs {
  const runs: Runs = { real: new Map(), small: new Map(), few: new Map(), empty: new Map() };
  const perFlow = new Set([...TARGETS, ...ALSO].filter(({ to }) => to === undefined).map(({ of }) => of));
  const work = captures.flatMap(([name, capture]) =>
    subjects.filter(({ id }) => name !== 'few' || perFlow.has(id)).map((subject) => ({ name, capture, subject })),
  );
  for (const { capture } of work) if (capture.packets > 0) spawnSync('cat', [capture.path], { stdio: 'ignore' }); // into the page cache
  for (let round = 0; round < rounds; round++) {
    const start = Math.round((round * work.length) / rounds);
    for (const { name, capture, subject } of [...work.slice(start), ...work.slice(0, start)]) {
      const run = measure(subject.command(capture.path));
      say(
        `round ${round + 1}/${rounds} ${name.padEnd(5)} ${subject.id.padEnd(10)} ${run.cpu.toFixed(2).padStart(7)} s CPU ${(run.memory / 2 ** 20).toFixed(0).padStart(6)} MiB`,
      );
      if (run.status !== 0) {
        notes.push(`${subject.id} on ${name}, round ${round + 1}, ended with ${run.status}: ${run.stderr.trim().split('\n')[0]}`);
        continue;
      }
      if (round === 0 && subject.ours && capture.packets > 0 && !namesPackets(run, capture.packets)) {
        notes.push(`${subject.id} on ${name}: its summary does not name the ${capture.packets} packets of the capture`);
      }
      const list = runs[name].get(subject.id) ?? [];
      list[round] = run;
      runs[name].set(subject.id, list);
    }
  }
  return runs;
}

const all = (list: readonly Measured[] | undefined): Measured[] => (list ?? []).filter((run) => run !== undefined);

interface Row {
  readonly capture: CaptureName;
  readonly subject: string;
  readonly about: string;
  readonly cpu: Spread;
  readonly user: number;
  readonly system: number;
  /** CPU seconds without those for an empty capture. */
  readonly net: number;
  readonly packetsPerSecond: number;
  readonly nsPerPacket: number;
  readonly nsPerPacketNet: number;
  readonly memory: Spread;
  readonly bytesPerFlow: number | undefined;
}

function rowsOf(name: CaptureName, capture: Capture, subjects: readonly Subject[], runs: Runs): Row[] {
  return subjects.flatMap((subject) => {
    const list = all(runs[name].get(subject.id));
    const empty = all(runs.empty.get(subject.id));
    if (list.length === 0 || empty.length === 0) return [];
    const cpu = spread(list.map((run) => run.cpu));
    const memory = spread(list.map((run) => run.memory));
    const net = cpu.median - spread(empty.map((run) => run.cpu)).median;
    return {
      capture: name,
      subject: subject.id,
      about: subject.about,
      cpu,
      user: spread(list.map((run) => run.user)).median,
      system: spread(list.map((run) => run.system)).median,
      net,
      packetsPerSecond: capture.packets / cpu.median,
      nsPerPacket: (cpu.median / capture.packets) * 1e9,
      nsPerPacketNet: (net / capture.packets) * 1e9,
      memory,
      bytesPerFlow: subject.keepsFlows ? (memory.median - spread(empty.map((run) => run.memory)).median) / capture.flows : undefined,
    };
  });
}

/** Ratio of the medians without start-up; undefined unless it is a ratio of CPU times. */
function netRatioOf(target: Omit<Target, 'target'>, rows: readonly Row[]): number | undefined {
  const net = (subject: string | undefined): number | undefined =>
    rows.find((row) => row.capture === target.capture && row.subject === subject)?.net;
  const mine = net(target.of);
  const peer = net(target.to);
  return target.what !== 'cpu' || mine === undefined || peer === undefined ? undefined : mine / peer;
}

/** What bench/inside.ts finds, in processes of their own: by the names of INSIDE's rows, and the bytes of a flow's details. */
function measureInside(small: Capture, changed: Capture, notes: string[]): { found: Map<InsideTarget['id'], Spread>; details: number } {
  const found = new Map<InsideTarget['id'], Spread>();
  const run = (...words: string[]): Record<string, unknown> | undefined => {
    say(`inside: ${words[0]}`);
    const made = measure([process.execPath, join(dirname(fileURLToPath(import.meta.url)), 'inside.ts'), ...words]);
    if (made.status === 0) return JSON.parse(made.stdout) as Record<string, unknown>;
    notes.push(
      `inside ${words[0]} ended with ${made.status}: ${made.stderr.split('\n').find((line) => /Error/.test(line)) ?? made.stderr.trim().split('\n')[0]}`,
    );
    return undefined;
  };
  const visit = run('visit', small.path, changed.path) as Record<string, number> | undefined;
  if (visit !== undefined) {
    const { flows = 1, medianMs = 0, minMs = 0, maxMs = 0, longestSliceMs: slice = 0 } = visit;
    const million = 1e6 / flows;
    found.set('visit', { median: medianMs * million, min: minMs * million, max: maxMs * million });
    found.set('slice', { median: slice, min: slice, max: slice });
  }
  const questions = run('questions', small.path);
  if (questions !== undefined) {
    const million = 1e6 / (questions.flows as number);
    for (const kind of ['top', 'filter', 'hosts'] as const) {
      const { medianMs = 0, minMs = 0, maxMs = 0 } = questions[kind] as Record<string, number>;
      found.set(`question-${kind}`, { median: medianMs * million, min: minMs * million, max: maxMs * million });
    }
    const slice = questions.longestSliceMs as number;
    found.set('question-slice', { median: slice, min: slice, max: slice });
  }
  const events = run('events', changed.path) as Record<string, Record<string, number>> | undefined;
  for (const count of [1, 5, 20] as const) {
    const { medianUs, minUs, maxUs } = events?.[count] ?? {};
    if (medianUs !== undefined && minUs !== undefined && maxUs !== undefined)
      found.set(`scripts-${count}`, { median: medianUs, min: minUs, max: maxUs });
  }
  return { found, details: (questions?.detailBytes as number | undefined) ?? Number.NaN };
}

/** One value per round in which both were measured. */
function ratioOf(target: Omit<Target, 'target'>, runs: Runs): Spread | undefined {
  const mine = runs[target.capture].get(target.of) ?? [];
  const values: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const run = mine[round];
    const peer = target.to === undefined ? runs.few.get(target.of)?.[round] : runs[target.capture].get(target.to)?.[round];
    if (run === undefined || peer === undefined) continue;
    if (target.to === undefined) {
      const perFlow = (run.memory - peer.memory) / (captures.small.flows - captures.changed.flows);
      values.push(target.what === 'bytes per flow' ? perFlow : perFlow - details);
    } else values.push(target.what === 'cpu' ? run.cpu / peer.cpu : run.memory / peer.memory);
  }
  return values.length === 0 ? undefined : spread(values);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => (row[column] as string).length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

const digits = (value: number, places = 0): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: places, maximumFractionDigits: places });
const amount = (value: number, target: Omit<Target, 'target'>): string => (target.to === undefined ? digits(value) : value.toFixed(2));
const range = (value: Spread, show: (n: number) => string): string => `${show(value.min)}..${show(value.max)}`;
const mib = (bytes: number): string => digits(bytes / 2 ** 20);

const notes: string[] = [];
say('captures: from the cache, or made now');
const captures = standardCaptures(options);
if (captures.real === undefined)
  notes.push(`no folder of real captures at ${options.corpus} (--corpus DIR): only the small flows are measured`);
if (options.quick) notes.push('--quick: captures of a tenth of the size, so start-up weighs ten times as much; judge by a full run');
const named: [CaptureName, Capture][] = [
  ...(captures.real === undefined ? [] : [['real', captures.real] as [CaptureName, Capture]]),
  ['small', captures.small],
  ['few', captures.changed],
  ['empty', captures.empty],
];
const subjects = usable(captures.empty, notes);
const runs = runAll(subjects, named, notes);
const { found: inside, details } = measureInside(captures.small, captures.changed, notes);
const machine = environment();
const told = named.filter(([name]) => name === 'real' || name === 'small');
const rows = told.flatMap(([name, capture]) => rowsOf(name, capture, subjects, runs));

console.log(`\nflowpatrol benchmark, ${rounds} interleaved rounds, medians (min..max)`);
console.log(
  Object.entries(machine)
    .map(([key, value]) => `${key}: ${value}`)
    .join(' | '),
);
for (const [name, capture] of told) {
  console.log(`\n${name}: ${digits(capture.packets)} packets, ${digits(capture.flows)} flows (${capture.about})\n`);
  console.log(
    table(
      ['', 'packets/CPU s', 'CPU s', 'min..max', 'user', 'sys', 'ns/packet', 'net', 'peak MiB', 'less start, bytes/flow'],
      rows
        .filter((row) => row.capture === name)
        .map((row) => [
          row.about,
          digits(row.packetsPerSecond),
          row.cpu.median.toFixed(2),
          range(row.cpu, (n) => n.toFixed(2)),
          row.user.toFixed(2),
          row.system.toFixed(2),
          digits(row.nsPerPacket),
          digits(row.nsPerPacketNet),
          mib(row.memory.median),
          row.bytesPerFlow === undefined ? '' : digits(row.bytesPerFlow),
        ]),
    ),
  );
}

console.log('\nstart-up, on an empty capture\n');
const startUp = subjects.flatMap((subject) => {
  const list = all(runs.empty.get(subject.id));
  if (list.length === 0) return [];
  return {
    subject: subject.id,
    about: subject.about,
    cpu: spread(list.map((run) => run.cpu)),
    memory: spread(list.map((run) => run.memory)),
  };
});
console.log(
  table(
    ['', 'CPU s', 'min..max', 'peak MiB'],
    startUp.map((row) => [row.about, row.cpu.median.toFixed(3), range(row.cpu, (n) => n.toFixed(3)), mib(row.memory.median)]),
  ),
);

const verdict = (value: Spread | undefined, limit: number): string =>
  value === undefined ? 'not measured' : value.median <= limit ? 'met' : 'NOT MET';
const judge = <T extends { readonly target: number }>(target: T, value: Spread | undefined) => ({
  ...target,
  halfWay: target.target * HALF_WAY,
  value,
  meets: verdict(value, target.target),
  meetsHalfWay: verdict(value, target.target * HALF_WAY),
});
const judged = TARGETS.map((target) => ({
  ...judge(target, ratioOf(target, runs)),
  net: netRatioOf(target, rows),
}));
const judgedInside = INSIDE.map((target) => judge(target, inside.get(target.id)));
const shown = (value: Spread | undefined, show: (n: number) => string): [string, string] =>
  value === undefined ? ['-', '-'] : [show(value.median), range(value, show)];
const two = (n: number): string => n.toFixed(2);
console.log('\ntargets (at most), and half way to them; net = without start-up, for information\n');
console.log(
  table(
    ['', 'on', 'measured', 'min..max', 'net', 'target', '', 'half way', ''],
    [
      ...judged.map((row) => {
        const show = (n: number): string => amount(n, row);
        const net = row.net === undefined ? '' : two(row.net);
        return [row.about, row.capture, ...shown(row.value, show), net, show(row.target), row.meets, show(row.halfWay), row.meetsHalfWay];
      }),
      ...judgedInside.map((row) => [
        row.about,
        'inside',
        ...shown(row.value, two),
        '',
        two(row.target),
        row.meets,
        two(row.halfWay),
        row.meetsHalfWay,
      ]),
    ],
  ),
);
const also = ALSO.map((target) => ({ ...target, value: ratioOf(target, runs), net: netRatioOf(target, rows) }));
console.log('\nfor comparison\n');
console.log(
  table(
    ['', 'on', 'measured', 'min..max', 'net'],
    also.map((row) => [row.about, row.capture, ...shown(row.value, (n) => amount(n, row)), row.net === undefined ? '' : two(row.net)]),
  ),
);
if (notes.length > 0) console.log(`\nnotes\n${notes.map((note) => `  ${note}`).join('\n')}`);

if (options.json !== undefined) {
  const report = {
    rounds,
    quick: options.quick,
    machine,
    captures: named.map(([name, capture]) => ({ name, ...capture })),
    rows,
    startUp,
    targets: judged,
    inside: judgedInside,
    also,
    notes,
  };
  writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
}
