/**
 * Scripts in TypeScript: each in a `node:vm` context of its own, called with an `info` that reads the event in place.
 *
 *   load: files.ts, source.ts (types stripped, module → function) ──► context: world.ts, then the script
 *   run(call) ── values of the fields seen to be used ──► enter (world.ts) ──► the callback
 *                 read / all ◄── a field that was not handed over ──┤
 *                 library.ts ◄── flow.…, cache.…, console.… ────────┘
 *
 * Which fields are handed over is learnt for each script and callback. A value is read from the event once, however many scripts ask
 * for it. Nothing but primitives crosses between a script and the host: see world.ts. Only who calls can end a call that does not return.
 */
import { getHeapStatistics } from 'node:v8';
import { type Context, Script } from 'node:vm';
import { CALLBACKS, type Callback } from '../../flows/event.ts';
import { properText } from '../../flows/export.ts';
import { FIELDS, type Field, type FieldValue } from '../../flows/fields.ts';
import type { EventView } from '../../flows/view.ts';
import type { CallObserver, EventCall, Runtime, RuntimeHost, ScriptVersion } from '../runtime.ts';
import { closeContext, collectGarbage, openContext, weighContexts } from './contexts.ts';
import { definitionOf } from './definition.ts';
import { failureOf } from './failure.ts';
import { type SourceFile, sourcesOf } from './files.ts';
import { CACHE_METHODS, createLibrary } from './library.ts';
import { SourceError } from './source.ts';
import {
  type Enter,
  type Primitive,
  type StageMaker,
  type StartedScript,
  stageSource,
  type World,
  type WorldData,
  type WorldHost,
  worldSource,
} from './world.ts';

/** What loading a script may take, with its `setup()`. */
const LOAD_MS = 1000;
/** Fields handed over to a callback; the rest is read when it is asked for. */
const MOST_PREPARED = 8;
/** Calls after which the fields are chosen, and chosen anew: one that a quarter of the calls since has asked for joins them. */
const CHOOSE_AT = [32, 1024, 32_768];
const SHORT_TEXT = 64;
const START = '$flowpatrol_start';

/** Bytes of the thread: its heap, and what lies outside it, such as typed arrays. */
function memoryInUse(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

/** One callback of one script. */
interface Stage {
  readonly script: number;
  readonly loaded: Loaded;
  readonly callback: Callback;
  /** The callback only reads fields by their names. */
  readonly named: boolean;
  enter: Enter;
  /** Numbers of the fields handed over. */
  readonly prepared: number[];
  /** How many those are. */
  count: number;
  /** Per field: how often it was asked for since the fields were chosen. */
  readonly fetched: Uint32Array;
  calls: number;
}

interface Loaded {
  readonly context: Context;
  readonly world: World;
  /** Names of its files, its own last. */
  readonly files: readonly string[];
  readonly stages: Map<Callback, Stage>;
}

const worldScript = new Script(worldSource(), { filename: 'flowpatrol:world' });
const startScript = new Script(`${START}()`, { filename: 'flowpatrol:start' });

/** `properText`, twice as fast for the short texts that most fields have. */
function proper(text: string): string {
  if (text.length > SHORT_TEXT) return properText(text);
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return properText(text);
  return text;
}

/** A value of a field as JSON has it, in proper text. */
function plain(value: FieldValue): FieldValue {
  if (typeof value === 'string') return proper(value);
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [properText(key), plain(member)]));
}

/** @param fields the keys of `info`; the real ones, or those of a test */
export function createTypeScriptRuntime(of: RuntimeHost, fields: readonly Field[] = FIELDS): Runtime {
  const scripts = new Map<number, Loaded>();
  const rows = Object.fromEntries(CALLBACKS.map((callback) => [callback, []])) as unknown as Record<Callback, (Stage | undefined)[]>;

  // The current event ------------------------------------------------------------------------------------------

  let view: EventView | undefined;
  let running: Stage | undefined;
  /** Numbers the events; a value is one of the current event if its stamp is that. */
  let event = 0;
  const values: Primitive[] = fields.map(() => undefined);
  const stamps = new Float64Array(fields.length);
  /** What scripts have written to `info`: JSON by key, null for what they removed. */
  const written = new Map<string, string | null>();
  // what the view stood at
  let lastBytes: Uint8Array | undefined;
  let [lastOffset, lastSeq, lastVisit] = [-1, -1, -1];
  let lastCallback: Callback | undefined;

  /** An event goes on where scripts of another language were called between two calls of `run`. */
  function begin(next: EventView, callback: Callback): void {
    view = next;
    const bytes = next.bytes();
    const offset = next.offset();
    const seq = next.seq();
    const visit = next.visit();
    if (bytes === lastBytes && offset === lastOffset && seq === lastSeq && visit === lastVisit && callback === lastCallback) return;
    lastBytes = bytes;
    lastOffset = offset;
    lastSeq = seq;
    lastVisit = visit;
    lastCallback = callback;
    event++;
    if (written.size > 0) written.clear();
  }

  const current = (): EventView => {
    if (view === undefined) throw new Error('there is no flow outside a callback');
    return view;
  };

  function read(number: number): Primitive {
    const read = (fields[number] as Field).read(current());
    const value = typeof read === 'object' ? JSON.stringify(plain(read)) : typeof read === 'string' ? proper(read) : read;
    values[number] = value;
    stamps[number] = event;
    return value;
  }

  const at = (number = -1): Primitive => (stamps[number] === event ? values[number] : read(number));

  const hostOf = (script: number): WorldHost => ({
    ...createLibrary(of, script),
    read(number) {
      if (running !== undefined) running.fetched[number] = (running.fetched[number] as number) + 1;
      current();
      return at(number);
    },
    all() {
      const all: Record<string, FieldValue> = {};
      for (const field of fields) {
        const value = field.read(current());
        if (value !== undefined) all[field.key] = plain(value);
      }
      return JSON.stringify(all);
    },
    written: () => JSON.stringify(Object.fromEntries(written)),
    write(key, json) {
      current();
      written.set(key, json ?? null);
    },
    now: () => (view === undefined ? 0 : Math.floor(view.time() / 1000)),
  });

  // Loading --------------------------------------------------------------------------------------------------------

  const data: Omit<WorldData, 'seed'> = {
    fields: fields.map(({ key, type }) => ({ key, table: type === 'table' })),
    callbacks: CALLBACKS,
    cacheMethods: CACHE_METHODS,
    interfaceId: of.interfaceId,
    interfaceName: of.interfaceName,
    start: START,
  };

  function compiled({ file, code }: SourceFile): Script {
    try {
      return new Script(code, { filename: file });
    } catch (error) {
      const { message, stack = '' } = error as Error;
      throw new SourceError(file, Number(/^.*?:(\d+)\n/.exec(stack)?.[1] ?? 0), 1, message);
    }
  }

  function started(
    script: number,
    version: ScriptVersion,
    sources: readonly SourceFile[],
    context: Context,
  ): { readonly loaded: Loaded; readonly told: string } {
    const world = (worldScript.runInContext(context) as (host: WorldHost, json: string) => World)(
      hostOf(script),
      JSON.stringify({ ...data, seed: of.seed }),
    );
    for (const source of sources) world.add(source.file, compiled(source).runInContext(context), JSON.stringify(source.from));
    const loaded = { context, world, files: sources.map(({ file }) => file), stages: new Map<Callback, Stage>() };
    try {
      return { loaded, told: startScript.runInContext(context, { timeout: LOAD_MS }) as string };
    } catch (error) {
      const { code } = error as { readonly code?: unknown };
      const cause =
        code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? `loading it and its setup() took more than ${LOAD_MS} ms` : 'it cannot be loaded';
      throw new Error(`${version.file}: ${cause}`);
    }
  }

  function arm({ loaded, callback, prepared, named }: Pick<Stage, 'loaded' | 'callback' | 'prepared' | 'named'>): Enter {
    const keys = prepared.map((number) => (fields[number] as Field).key);
    const make = new Script(stageSource(keys), { filename: 'flowpatrol:call' }).runInContext(loaded.context) as StageMaker;
    return loaded.world.stage(callback, make, JSON.stringify(keys), named);
  }

  /** Hands over what the calls have asked for. */
  function choose(stage: Stage): void {
    const since = stage.calls - (CHOOSE_AT[CHOOSE_AT.indexOf(stage.calls) - 1] ?? 0);
    const wanted = fields
      .map((field, number) => ({ number, field, count: stage.fetched[number] as number }))
      .filter(({ field, count }) => field.type !== 'table' && count * 4 >= since)
      .sort((a, b) => b.count - a.count);
    stage.fetched.fill(0);
    stage.prepared.push(...wanted.map(({ number }) => number).slice(0, MOST_PREPARED - stage.prepared.length));
    if (stage.prepared.length === stage.count) return;
    stage.count = stage.prepared.length;
    stage.enter = arm(stage);
  }

  // Calls ----------------------------------------------------------------------------------------------------------

  /** Reads no more than the stage has prepared: each look at a value costs. */
  function call({ enter, prepared: p, count }: Stage): string | undefined {
    const shared = written.size > 0;
    const none = undefined;
    if (count <= 2) return enter(shared, count > 0 ? at(p[0]) : none, count > 1 ? at(p[1]) : none, none, none, none, none, none, none);
    if (count <= 5) {
      return enter(shared, at(p[0]), at(p[1]), at(p[2]), count > 3 ? at(p[3]) : none, count > 4 ? at(p[4]) : none, none, none, none);
    }
    const [seventh, eighth] = [count > 6 ? at(p[6]) : none, count > 7 ? at(p[7]) : none];
    return enter(shared, at(p[0]), at(p[1]), at(p[2]), at(p[3]), at(p[4]), at(p[5]), seventh, eighth);
  }

  function callOne(stage: Stage, observer: CallObserver): void {
    stage.calls++;
    of.running[0] = stage.script;
    let failed: string | undefined;
    try {
      running = stage;
      failed = call(stage);
    } catch (error) {
      failed = `V${(error as Error).message}`; // a field that cannot be read
    }
    if (failed !== undefined) {
      const { message, stack } = failureOf(failed, stage.loaded.files);
      observer.failed(stage.script, 'error', message, stack);
    }
    if ((stage.calls & 31) === 0 && CHOOSE_AT.includes(stage.calls)) choose(stage);
  }

  /** What the thread had in use when it began: the host, Lua, what else runs in there. */
  const before = memoryInUse();

  return {
    load(script, version) {
      const sources = sourcesOf(version, of.directories);
      const context = openContext();
      try {
        const { loaded, told } = started(script, version, sources, context);
        if (!told.startsWith('D')) throw new Error(failureOf(told, loaded.files).message);
        const said = JSON.parse(told.slice(1)) as StartedScript;
        const definition = definitionOf(version.file, said, of.names);
        for (const callback of definition.callbacks) {
          const named = sources.some(({ reads }) => reads.has(said.callbacks[callback] as string));
          const stage = { script, loaded, callback, named, prepared: [], count: 0, fetched: new Uint32Array(fields.length), calls: 0 };
          loaded.stages.set(callback, { ...stage, enter: arm(stage) });
        }
        scripts.set(script, loaded);
        return definition;
      } catch (error) {
        closeContext(context);
        throw error;
      }
    },

    unload(script) {
      const loaded = scripts.get(script);
      scripts.delete(script);
      for (const callback of CALLBACKS) rows[callback] = rows[callback].map((stage) => (stage?.script === script ? undefined : stage));
      if (loaded === undefined) return;
      closeContext(loaded.context);
      loaded.world.teardown();
    },

    arrange(callback, order) {
      rows[callback] = order.map((script) => scripts.get(script)?.stages.get(callback));
    },

    run({ view: next, callback, chosen, timed }: EventCall, observer) {
      const row = rows[callback];
      const count = chosen === undefined ? row.length : chosen.length;
      if (count === 0) return;
      begin(next, callback);
      let now = timed ? performance.now() : 0;
      for (let k = 0; k < count; k++) {
        const stage = row[chosen === undefined ? k : (chosen[k] as number)];
        if (stage === undefined) continue;
        callOne(stage, observer);
        if (!timed) continue;
        const ended = performance.now();
        observer.took(stage.script, (ended - now) * 1000);
        now = ended;
      }
      running = undefined;
      view = undefined;
    },

    memory(collected) {
      if (collected) collectGarbage();
      // contexts share the memory of the thread with the host and with Lua: V8 counts no part of it apart
      return memoryInUse() - before;
    },

    async weigh() {
      const weights = await weighContexts();
      return weights && new Map([...scripts].map(([script, { context }]) => [script, weights.get(context) ?? 0]));
    },

    close() {
      for (const { context } of scripts.values()) closeContext(context);
      scripts.clear();
      for (const callback of CALLBACKS) rows[callback] = [];
    },
  };
}
