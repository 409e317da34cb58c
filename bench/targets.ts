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
  readonly what: 'cpu' | 'memory' | 'bytes per flow';
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
  { about: 'memory per flow, whole path, bytes', capture: 'small', of: 'dpi-12', to: undefined, what: 'bytes per flow', target: 448 },
];

/** The same at ndpiReader's own packet limits: for the reader, without a target. */
export const ALSO: readonly Omit<Target, 'target'>[] = [
  { about: 'CPU, whole path at 80/24 / ndpiReader', capture: 'real', of: 'dpi-80-24', to: 'ndpiReader', what: 'cpu' },
  { about: 'CPU, whole path at 80/24 / ndpiReader', capture: 'small', of: 'dpi-80-24', to: 'ndpiReader', what: 'cpu' },
  { about: 'CPU, no detection / libpcap floor', capture: 'real', of: 'no-dpi', to: 'floor', what: 'cpu' },
  { about: 'CPU, no detection / libpcap floor', capture: 'small', of: 'no-dpi', to: 'floor', what: 'cpu' },
];
