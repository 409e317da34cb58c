/** A TypeScript runtime over scripts given as text, with everything that leaves it in lists. */
import type { TestContext } from 'node:test';
import { CALLBACKS, type Callback } from '../../../src/flows/event.ts';
import type { Field } from '../../../src/flows/fields.ts';
import { createEventView, type EventView, type Names } from '../../../src/flows/view.ts';
import { EMPTY_BOOK } from '../../../src/hosts/book.ts';
import { DEFAULT_PREFERENCES } from '../../../src/preferences.ts';
import { createScriptCache } from '../../../src/scripts/cache.ts';
import { createEffects, type Effect } from '../../../src/scripts/effects.ts';
import type { Definition, Runtime, RuntimeHost } from '../../../src/scripts/runtime.ts';
import { createTypeScriptRuntime } from '../../../src/scripts/typescript/runtime.ts';
import { eventOf, FIELDS_OF_TEST, NAMES, TYPICAL, type Values, VISIT_TIME } from '../support.ts';

export interface Failed {
  readonly script: number;
  readonly reason: string;
  readonly message: string;
  readonly stack: string;
}

export interface Harness {
  readonly runtime: Runtime;
  readonly view: EventView;
  /** By the place of the script, from 0 on. */
  readonly definitions: readonly Definition[];
  readonly failures: Failed[];
  readonly took: number[];
  readonly starting: number[];
  /** Runs a callback of all scripts that have it. @returns what they did */
  run(
    callback: Callback,
    values?: Values,
    more?: { readonly chosen?: Uint8Array; readonly timed?: boolean; readonly careful?: boolean },
  ): readonly Effect[];
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
  const host: RuntimeHost = {
    interfaceId: 3,
    interfaceName: 'eth0',
    live,
    seed: 0,
    names,
    hosts: EMPTY_BOOK,
    effects,
    cache: createScriptCache({ now: () => VISIT_TIME / 1e6 }),
    translate: (key, params) => (key === 'greeting' ? `Good day ${params?.name}` : undefined),
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
  const starting: number[] = [];
  const observer = {
    failed: (script: number, reason: string, message: string, stack: string) => failures.push({ script, reason, message, stack }),
    took: (script: number) => took.push(script),
    starting: (script: number) => starting.push(script),
    grew: () => undefined,
  };
  const run: Harness['run'] = (callback, values = TYPICAL, { chosen, timed = false, careful = false } = {}) => {
    view.set(eventOf(values), 0);
    effects.begin(view);
    runtime.run({ view, callback, chosen, timed, careful }, observer);
    return effects.take();
  };
  return {
    runtime,
    view,
    definitions,
    failures,
    took,
    starting,
    run,
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
