/**
 * The vm contexts of this thread, and how much memory each of them holds. Called by runtime.ts.
 *
 * V8 has no limit for one context, but when it collects garbage it can count what is reached from each. `vm.measureMemory` tells that count
 * without saying whose it is: contexts come newest first, so they are counted off against the list of those that are open.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { type Context, constants, createContext, measureMemory, runInContext } from 'node:vm';

interface Entry {
  /** Undefined: it was closed. */
  context: Context | undefined;
}

/** Contexts that are open, and those that were closed and that V8 still has, in the order in which they were made. */
let entries: readonly Entry[] = [];
const gone = new FinalizationRegistry<Entry>((entry) => {
  entries = entries.filter((each) => each !== entry);
});
/** A count is of no use if a context goes meanwhile. */
const MOST_TRIES = 4;
/** The answer comes after a turn or two of the event loop. */
const MOST_TURNS = 1000;

export function openContext(): Context {
  const context = createContext(constants.DONT_CONTEXTIFY, {
    codeGeneration: { strings: false, wasm: false },
    // a queue of its own, which nothing works off: no callback of a promise runs outside of a call
    microtaskMode: 'afterEvaluate',
  });
  const entry: Entry = { context };
  entries = [...entries, entry];
  gone.register(context, entry);
  return context;
}

/** V8 forgets it once nobody holds anything of it any more. */
export function closeContext(context: Context): void {
  for (const entry of entries) if (entry.context === context) entry.context = undefined;
}

let collector: (() => void) | undefined;

/** A whole collection of garbage, now. */
export function collectGarbage(): void {
  if (collector === undefined) {
    setFlagsFromString('--expose-gc');
    collector = runInContext('gc', openContext()) as () => void;
    setFlagsFromString('--no-expose-gc');
  }
  collector();
}

/** Starts V8's count. Node warns once that this may change: nothing that a user could act on. */
function count(): Promise<Detailed['other']> {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return measureMemory({ mode: 'detailed', execution: 'eager' }).then((memory) => (memory as unknown as Detailed).other);
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** What Node's types do not have. */
interface Detailed {
  readonly other: readonly { readonly jsMemoryEstimate: number }[];
}

/**
 * Takes two collections of garbage or more, and turns of the event loop.
 * @returns bytes of each open context, those outside of the heap included; undefined where V8 has counted others than are known here
 */
export async function weighContexts(): Promise<ReadonlyMap<Context, number> | undefined> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    collectGarbage();
    await turn(); // who has gone is told
    await turn();
    const counted = entries.toReversed();
    let answer: Detailed['other'] | undefined;
    void count().then((other) => {
      answer = other;
    });
    collectGarbage(); // the count is a part of it
    for (let turns = 0; answer === undefined && turns < MOST_TURNS; turns++) await turn();
    if (answer?.length !== counted.length) continue;
    const sizes = new Map<Context, number>();
    for (const [i, { context }] of counted.entries()) {
      if (context !== undefined) sizes.set(context, answer[i]?.jsMemoryEstimate ?? 0);
    }
    return sizes;
  }
  return undefined;
}
