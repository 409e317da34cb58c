/**
 * The targets for speed and memory (docs: design, targets), as ratios of two subjects in one run. Each has a limit beside it, half
 * way to the target: twice the CPU or memory of it. Called by run.ts.
 */
export interface Target {
  readonly about: string;
  readonly capture: 'real' | 'small';
  readonly of: string;
  /** undefined: an amount of its own, not a ratio. */
  readonly to: string | undefined;
  readonly what: 'cpu' | 'memory' | 'bytes per flow' | 'bytes without details';
  readonly target: number;
}

/** How much worse than the target still passes. */
export const HALF_WAY = 2;

export const TARGETS: readonly Target[] = [
  { about: 'CPU, no detection / C with prefetch', capture: 'real', of: 'no-dpi', to: 'limit', what: 'cpu', target: 2 },
  { about: 'CPU, no detection / C with prefetch', capture: 'small', of: 'no-dpi', to: 'limit', what: 'cpu', target: 2 },
  { about: 'CPU, whole path / ndpiReader', capture: 'real', of: 'dpi-12', to: 'ndpiReader', what: 'cpu', target: 1 / 3 },
  { about: 'CPU, whole path / ndpiReader', capture: 'small', of: 'dpi-12', to: 'ndpiReader', what: 'cpu', target: 1 / 3 },
  { about: 'peak memory, whole path / ndpiReader', capture: 'real', of: 'dpi-12', to: 'ndpiReader', what: 'memory', target: 1 / 2 },
  { about: 'peak memory, whole path / ndpiReader', capture: 'small', of: 'dpi-12', to: 'ndpiReader', what: 'memory', target: 1 / 2 },
  {
    about: 'memory per flow without its details, bytes',
    capture: 'small',
    of: 'dpi-12',
    to: undefined,
    what: 'bytes without details',
    target: 448,
  },
];

/** For the reader, without a target: with details, at ndpiReader's own packet limits, beside what detection costs at least. */
export const ALSO: readonly Omit<Target, 'target'>[] = [
  { about: 'memory per flow, whole path, bytes', capture: 'small', of: 'dpi-12', to: undefined, what: 'bytes per flow' },
  { about: 'CPU, whole path at 80/24 / ndpiReader', capture: 'real', of: 'dpi-80-24', to: 'ndpiReader', what: 'cpu' },
  { about: 'CPU, whole path at 80/24 / ndpiReader', capture: 'small', of: 'dpi-80-24', to: 'ndpiReader', what: 'cpu' },
  { about: 'CPU, whole path / table and detection in C', capture: 'real', of: 'dpi-12', to: 'limit-dpi', what: 'cpu' },
  { about: 'CPU, whole path / table and detection in C', capture: 'small', of: 'dpi-12', to: 'limit-dpi', what: 'cpu' },
  { about: 'CPU, table and detection in C / ndpiReader', capture: 'real', of: 'limit-dpi', to: 'ndpiReader', what: 'cpu' },
  { about: 'CPU, table and detection in C / ndpiReader', capture: 'small', of: 'limit-dpi', to: 'ndpiReader', what: 'cpu' },
  { about: 'CPU, no detection / libpcap floor', capture: 'real', of: 'no-dpi', to: 'floor', what: 'cpu' },
  { about: 'CPU, no detection / libpcap floor', capture: 'small', of: 'no-dpi', to: 'floor', what: 'cpu' },
];

/** Measured by inside.ts: no peer, so they hold for a machine like that of the design's own measurements. */
export interface InsideTarget {
  readonly id:
    | 'visit'
    | 'slice'
    | 'question-top'
    | 'question-filter'
    | 'question-hosts'
    | 'question-slice'
    | 'scripts-1'
    | 'scripts-5'
    | 'scripts-20';
  readonly about: string;
  readonly target: number;
}

export const INSIDE: readonly InsideTarget[] = [
  { id: 'visit', about: 'visit per million flows, 5 % changed, ms of CPU', target: 40 },
  { id: 'slice', about: 'longest part of it between packets, ms of CPU', target: 5 },
  { id: 'question-top', about: 'question for the largest of a million flows, ms of CPU', target: 60 },
  { id: 'question-filter', about: 'the same by a protocol, sorted by time', target: 80 },
  { id: 'question-hosts', about: 'question for the hosts of a million flows', target: 80 },
  { id: 'question-slice', about: 'longest part of one between packets, ms of CPU', target: 5 },
  { id: 'scripts-1', about: 'event to 1 script that reads 5 fields, µs', target: 1.5 },
  { id: 'scripts-5', about: 'event to 5 scripts, µs', target: 2.5 },
  { id: 'scripts-20', about: 'event to 20 scripts, µs', target: 6 },
];
