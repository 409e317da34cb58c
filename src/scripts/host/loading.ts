/**
 * New states of files: a version that can be loaded takes the place of the one before it, another one is refused, and what runs stays. Called
 * by host.ts.
 */
import { basename } from 'node:path';
import type { Field } from '../../flows/fields.ts';
import { createBreaker } from '../breaker.ts';
import { printable } from '../effects.ts';
import { fieldsReadBy, mayFeedBack } from '../reading.ts';
import type { Definition, Language, Runtime, ScriptVersion } from '../runtime.ts';
import type { Plans } from './plan.ts';
import { keyOf, type Script, type ScriptSet } from './scripts.ts';
import type { FileChange, HostSink, ScriptHostOptions } from './types.ts';

/** Scripts with the same callback; a position is one byte. */
const MOST_SCRIPTS = 255;

export interface Loading {
  /** Takes files over, in their order. */
  change(files: readonly FileChange[]): void;
  /** The same version anew: its variables are gone. */
  reload(script: Script): void;
  /** Scripts that others run, by path. */
  exclude(paths: ReadonlySet<string>): void;
}

interface LoadingOptions {
  readonly scripts: ScriptSet;
  readonly plans: Plans;
  readonly runtimes: Readonly<Record<Language, Runtime>>;
  readonly fields: readonly Field[];
  readonly sink: HostSink;
  readonly guard: NonNullable<ScriptHostOptions['guard']>;
  /** What a `setup` or `teardown` has said goes out, where no callback is under way. */
  readonly tell: () => void;
}

const languageOf = (file: string): Language => (file.endsWith('.ts') ? 'typescript' : 'lua');

export function createLoading({ scripts, plans, runtimes, fields, sink, guard, tell }: LoadingOptions): Loading {
  const { all, numbered } = scripts;
  let numbers = 0;
  let excluded: ReadonlySet<string> = new Set();

  function unload(script: Script): void {
    if (script.loaded === undefined) return;
    const { runtime, number, version } = script.loaded;
    guard(number, version, 'unload', () => runtime.unload(number));
    tell();
    numbered.delete(number);
    script.loaded = undefined;
  }

  function refuse(script: Script, version: ScriptVersion | undefined, message: string): void {
    script.error = printable(message);
    script.refused = version;
    sink.error(keyOf(script), 'load', script.error, undefined);
  }

  /** Why the script cannot be taken in beside the others. */
  function conflict(script: Script, { key, callbacks }: Definition): string | undefined {
    const other = [...all.values()].find((each) => each !== script && each.loaded?.definition.key === key);
    if (other !== undefined) return `the key "${key}" is taken by ${other.file}`;
    if (script.loaded !== undefined) return undefined;
    const count = (callback: Definition['callbacks'][number]): number =>
      plans.of(callback).reduce((sum, row) => sum + row.scripts.length, 0);
    const crowd = callbacks.find((callback) => count(callback) >= MOST_SCRIPTS);
    return crowd === undefined ? undefined : `${MOST_SCRIPTS} scripts have ${crowd} already`;
  }

  /** @returns false when the version was refused */
  function load(script: Script, version: ScriptVersion): boolean {
    const runtime = runtimes[version.language];
    const number = ++numbers;
    numbered.set(number, script);
    let definition: Definition;
    try {
      definition = guard(number, version, 'load', () => runtime.load(number, version));
    } catch (error) {
      tell();
      numbered.delete(number);
      refuse(script, version, (error as Error).message);
      return false;
    }
    tell();
    const why = conflict(script, definition);
    if (why !== undefined) {
      guard(number, version, 'unload', () => runtime.unload(number));
      numbered.delete(number);
      refuse(script, version, `${version.file}: ${why}`);
      return false;
    }
    const replaced = script.loaded !== undefined;
    unload(script);
    const source = Buffer.from(version.source).toString('utf8');
    script.language = version.language;
    script.loaded = { number, version, definition, runtime, reads: fieldsReadBy(source, fields), feedsBack: mayFeedBack(source) };
    script.error = undefined;
    script.refused = undefined;
    for (const warning of definition.warnings) sink.print(definition.key, 'warning', printable(warning), 'load', undefined);
    sink.loaded(definition.key, version.hash, replaced);
    plans.changed();
    return true;
  }

  function newScript(path: string): Script {
    const file = basename(path);
    return {
      path,
      file,
      language: languageOf(file),
      loaded: undefined,
      error: undefined,
      refused: undefined,
      profiles: new Map(),
      breaker: createBreaker(),
      lastError: undefined,
      lastStack: undefined,
      grown: 0,
      excluded: excluded.has(path),
      usedBefore: 0,
      greedy: false,
    };
  }

  function remove(script: Script): void {
    const key = keyOf(script);
    unload(script);
    all.delete(script.path);
    plans.changed();
    sink.loaded(key, undefined, false);
  }

  function take({ path, version, error }: FileChange): void {
    const known = all.get(path);
    if (version === undefined && error === undefined) {
      if (known !== undefined) remove(known);
      return;
    }
    const script = known ?? newScript(path);
    all.set(path, script);
    if (version !== undefined) {
      if (script.loaded?.version.hash === version.hash) {
        script.error = undefined; // the one that runs is back
        script.refused = undefined;
      } else if (load(script, version)) {
        script.breaker.reset();
      }
    }
    if (error !== undefined) refuse(script, undefined, `${script.file}: ${error}`);
  }

  /** Scripts that were refused for a key that is free now. */
  function retry(): void {
    const taken = new Set([...all.values()].map((script) => script.loaded?.definition.key));
    for (const script of [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1))) {
      const key = script.error?.match(/the key "(.*)" is taken by /)?.[1];
      if (key !== undefined && script.refused !== undefined && !taken.has(key) && load(script, script.refused)) taken.add(key);
    }
  }

  return {
    change(files) {
      for (const file of files) take(file);
      retry();
    },
    reload(script) {
      const version = script.loaded?.version;
      if (version === undefined) return;
      unload(script);
      load(script, version);
      plans.changed();
    },
    exclude(paths) {
      excluded = paths;
      for (const script of all.values()) script.excluded = paths.has(script.path);
      plans.changed();
    },
  };
}
