/** A TypeScript runtime over scripts given as text, with everything that leaves it in lists. */
import type { TestContext } from 'node:test';
import { CALLBACKS, type Callback } from '../../../src/flows/event.ts';
import type { Field } from '../../../src/flows/fields.ts';
import { createEventView, type Names } from '../../../src/flows/view.ts';
import { EMPTY_BOOK } from '../../../src/hosts/book.ts';
import { DEFAULT_PREFERENCES } from '../../../src/preferences.ts';
import { createScriptCache, type SharedCache } from '../../../src/scripts/cache.ts';
import { createEffects, type Effect } from '../../../src/scripts/effects.ts';
import type { Definition, EventCall, Runtime, RuntimeHost } from '../../../src/scripts/runtime.ts';
import { createTypeScriptRuntime } from '../../../src/scripts/typescript/runtime.ts';
import { eventOf, FIELDS_OF_TEST, NAMES, TYPICAL, type Values, VISIT_TIME } from '../support.ts';

export interface Failed {
  readonly script: number;
  readonly reason: string;
  readonly message: string;
  readonly stack: string;
}

export type How = Partial<Pick<EventCall, 'chosen' | 'timed'>>;

export interface Harness {
  readonly runtime: Runtime;
  readonly cache: SharedCache;
  /** By the place of the script, from 0 on. */
  readonly definitions: readonly Definition[];
  readonly failures: Failed[];
  readonly took: number[];
  /** Calls of the host's `translate`: number of the script that runs. */
  readonly running: number[];
  /** Runs a callback of all scripts that have it. @returns what they did */
  run(callback: Callback, values?: Values, how?: How): readonly Effect[];
  /** The same with the bytes of an event. */
  runEvent(callback: Callback, bytes: Uint8Array, how?: How): readonly Effect[];
  /** Lines that the last run printed. */
  lines(callback: Callback, values?: Values): string[];
}

export interface Options {
  readonly names?: Names;
  readonly fields?: readonly Field[];
  readonly directories?: readonly string[];
  readonly live?: boolean;
}

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Loads the texts as `a.ts`, `b.ts`, …, numbered from 1 on. */
export function start(t: TestContext, texts: readonly string[], options: Options = {}): Harness {
  const { names = NAMES, fields = FIELDS_OF_TEST, directories = [], live = false } = options;
  const effects = createEffects();
  const view = createEventView(names);
  const cache = createScriptCache({ now: () => VISIT_TIME / 1e6 });
  const word = new Int32Array(1);
  const running: number[] = [];
  const host: RuntimeHost = {
    interfaceId: 3,
    interfaceName: 'eth0',
    live,
    seed: 0,
    names,
    hosts: EMPTY_BOOK,
    effects,
    cache,
    translate(key, params) {
      running.push(word[0] as number);
      return key === 'greeting' ? `Good day ${params?.name}` : undefined;
    },
    running: word,
    preferences: () => DEFAULT_PREFERENCES,
    directories,
  };
  const runtime = createTypeScriptRuntime(host, fields);
  t.after(() => runtime.close());
  const definitions = texts.map((text, i) => {
    const file = `${String.fromCharCode(97 + i)}.ts`;
    return runtime.load(i + 1, {
      file,
      path: `${directories[0] ?? '/nowhere'}/${file}`,
      language: 'typescript',
      source: encode(text),
      hash: '0',
    });
  });
  for (const callback of CALLBACKS) {
    runtime.arrange(
      callback,
      definitions.flatMap((definition, i) => (definition.callbacks.includes(callback) ? [i + 1] : [])),
    );
  }
  const failures: Failed[] = [];
  const took: number[] = [];
  const observer = {
    failed: (script: number, reason: string, message: string, stack: string) => failures.push({ script, reason, message, stack }),
    took: (script: number) => took.push(script),
    grew: () => undefined,
  };
  const runEvent: Harness['runEvent'] = (callback, bytes, { chosen, timed = false } = {}) => {
    view.set(bytes, 0);
    effects.begin(view);
    runtime.run({ view, callback, chosen, timed }, observer);
    return effects.take();
  };
  const run: Harness['run'] = (callback, values = TYPICAL, how = {}) => runEvent(callback, eventOf(values), how);
  return {
    runtime,
    cache,
    definitions,
    failures,
    took,
    running,
    run,
    runEvent,
    lines: (callback, values) => run(callback, values).flatMap((effect) => (effect.type === 'print' ? [effect.line] : [])),
  };
}

/** A script with one callback. */
export const script = (
  key: string,
  callback: Callback,
  body: string,
  more = '',
): string => `import { defineScript, type Info } from 'flowpatrol';
export default defineScript({
  key: '${key}', ${more}
  ${callback}(info, flow) {
${body}
  },
});
`;
