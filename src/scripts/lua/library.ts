/**
 * The JavaScript functions behind the globals of a Lua script: arguments on the stack, results on it. Called by sandbox.lua, world/*.lua
 * and generations.lua through the table `host`; scripts never have them. One that throws becomes a Lua error.
 *
 *   world/flow.lua ──fact, is_set──► EventView, Effects, FlowMemory
 *   world/statuses.lua ──alert, status, score──► Effects
 *   world/ntop.lua ──cache_…, preference, read_directory──► ScriptCache, Preferences, the folders of scripts
 *   sandbox.lua ──chunk, module, script_module, constants──► files
 */
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join, resolve, sep } from 'node:path';
import { FACT_DEVICE_CLIENT, FACT_DEVICE_SERVER, R_FACTS, STATE_BLACKLISTED, STATE_TWH_OK } from '../../flows/record.ts';
import { STATUSES } from '../../flows/statuses.ts';
import type { EventView } from '../../flows/view.ts';
import { isPreference, PREFERENCE_NAMES, PREFERENCES } from '../../preferences.ts';
import { constantsSource } from '../flow-consts.ts';
import { createFlowMemory } from '../flow-memory.ts';
import type { PrintLevel, RuntimeHost, ScoreOf } from '../runtime.ts';
import type { LuaState } from './state.ts';
import type { LuaThread } from './wasm.ts';

export interface LibraryContext {
  readonly state: LuaState;
  readonly host: RuntimeHost;
  /** The current event; undefined outside a callback. */
  readonly view: () => EventView | undefined;
}

type LuaFunctions = Record<string, (thread: LuaThread) => number>;

const here = new URL('.', import.meta.url);
const MODULES = new URL('../modules/', here);

/** Sources of ours, read once. */
function sourcesIn(folder: URL): (name: string) => Buffer | undefined {
  const known = new Map<string, Buffer>();
  const names = new Set(readdirSync(folder, { recursive: true }).map((name) => String(name).replaceAll(sep, '/')));
  return (name) => {
    if (!names.has(name) || !name.endsWith('.lua')) return undefined;
    const source = known.get(name) ?? readFileSync(new URL(name, folder));
    known.set(name, source);
    return source;
  };
}

const chunks = sourcesIn(here);
const modules = sourcesIn(MODULES);
/** What scripts can `require` of ours. */
export const MODULE_NAMES = readdirSync(MODULES)
  .filter((name) => name.endsWith('.lua'))
  .map((name) => name.slice(0, -4))
  .sort();

/** Where `ntop.getDirs` says that scripts lie. */
const VIRTUAL_CALLBACKS = /^\/flowpatrol\/scripts\/callbacks\/interface\/(?:alerts\/)?flow\/?$/;
const VIRTUAL_MODULES = /^\/flowpatrol\/scripts\/lua\/modules\/?$/;
const PACKAGE_PATH = '/flowpatrol/scripts/lua/modules/?.lua;/flowpatrol/scripts/callbacks/interface/alerts/flow/?.lua';

const LONGEST_MODULE = 1 << 20;

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', here), 'utf8')) as { version: string };

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** Is the file, or folder, below the folder once all links are followed? */
function isInside(path: string, folder: string): boolean {
  try {
    const real = realpathSync(path);
    const root = realpathSync(folder);
    return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep);
  } catch {
    return false;
  }
}

/** `require` of a script's own file: `a.b` is a/b.lua in one of the folders. */
function scriptModule(name: string, directories: readonly string[]): { source: Buffer; file: string } | undefined {
  if (!/^[\w-]+(?:\.[\w-]+)*$/.test(name)) return undefined;
  const file = `${name.replaceAll('.', '/')}.lua`;
  for (const directory of directories) {
    const path = join(directory, file);
    if (!isInside(path, directory)) continue;
    const source = readFileSync(path);
    if (source.length > LONGEST_MODULE) throw new Error(`${file} is longer than ${LONGEST_MODULE >> 20} MiB`);
    return { source, file };
  }
  return undefined;
}

function readDirectory(path: string, directories: readonly string[]): string[] {
  const visible = (folder: string): string[] => readdirSync(folder).filter((name) => !name.startsWith('.'));
  if (VIRTUAL_MODULES.test(path)) return MODULE_NAMES.map((name) => `${name}.lua`);
  try {
    if (VIRTUAL_CALLBACKS.test(path)) return [...new Set(directories.flatMap(visible))].sort();
    const folder = resolve(path);
    return directories.some((directory) => isInside(folder, directory)) ? visible(folder).sort() : [];
  } catch {
    return []; // unreadable, or no folder
  }
}

export function createLibrary({ state, host, view }: LibraryContext): LuaFunctions {
  const { api } = state;
  const { effects, cache, names } = host;
  const memory = createFlowMemory();

  const text = (thread: LuaThread, index: number): string => state.latin1(thread, index);
  const textOrNone = (thread: LuaThread, index: number): string | undefined =>
    state.isNil(thread, index) ? undefined : state.latin1(thread, index);
  const flag = (thread: LuaThread, index: number): boolean => api.lua_toboolean(thread, index) !== 0;
  const numberOrNone = (thread: LuaThread, index: number): number | undefined =>
    state.isNil(thread, index) ? undefined : state.number(thread, index);

  type Pushed = string | number | boolean | undefined;
  /** Texts in Latin-1 form. */
  function push(thread: LuaThread, value: Pushed): void {
    if (value === undefined) api.lua_pushnil(thread);
    else if (typeof value === 'string') state.pushText(thread, value);
    else if (typeof value === 'boolean') api.lua_pushboolean(thread, value ? 1 : 0);
    else if (Number.isSafeInteger(value)) state.pushInteger(thread, value);
    else api.lua_pushnumber(thread, value);
  }
  function answer(thread: LuaThread, ...values: readonly Pushed[]): number {
    for (const value of values) push(thread, value);
    return values.length;
  }
  function answerTable(thread: LuaThread, members: Iterable<readonly [string | number, Pushed]>): number {
    api.lua_createtable(thread, 0, 0);
    for (const [key, value] of members) {
      push(thread, key);
      push(thread, value);
      api.lua_rawset(thread, -3);
    }
    return 1;
  }
  const answerList = (thread: LuaThread, values: readonly string[]): number =>
    answerTable(
      thread,
      values.map((value, i) => [i + 1, value] as const),
    );
  function answerBytes(thread: LuaThread, source: Buffer | undefined): number {
    if (source === undefined) return answer(thread, undefined);
    state.pushBytes(thread, source, 0, source.length);
    return 1;
  }

  const event = (): EventView => {
    const of = view();
    if (of === undefined) throw new Error('there is no flow outside a callback');
    return of;
  };
  const flow = (): ReturnType<typeof memory.of> => memory.of(event());
  const inFacts = (bit: number): boolean => (event().u32(R_FACTS) & bit) !== 0;
  const inState = (bits: number): boolean => (event().state() & bits) !== 0;
  const facts: Readonly<Record<string, () => boolean>> = {
    handshake: () => inState(STATE_TWH_OK),
    blacklisted: () => inState(STATE_BLACKLISTED),
    client_forbidden: () => inFacts(FACT_DEVICE_CLIENT),
    server_forbidden: () => inFacts(FACT_DEVICE_SERVER),
  };

  /** As scripts read it: '1' and '0' for a switch. */
  function preference(name: string): string | undefined {
    if (!isPreference(name)) return undefined;
    const value = host.preferences()[name];
    return typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
  }

  const about: readonly (readonly [string, Pushed])[] = [
    ['modules', MODULE_NAMES.join(', ')],
    ['package_path', PACKAGE_PATH],
    ['is_packet_interface', names.packetInterface],
    ['is_sampled', names.sampled],
    ['is_live', host.live],
    ['has_protocols', names.protocols.length > 0],
    ['version', version],
  ];

  return {
    about: (thread) => answerTable(thread, about),

    // Sources -------------------------------------------------------------------------------------------

    chunk: (thread) => answerBytes(thread, chunks(text(thread, 1))),
    module: (thread) => answerBytes(thread, modules(`${text(thread, 1)}.lua`)),
    constants: (thread) => answer(thread, constantsSource()),
    /** @returns source and file name */
    script_module(thread) {
      const found = scriptModule(text(thread, 1), host.directories);
      answerBytes(thread, found?.source);
      return 1 + answer(thread, found?.file);
    },

    // Output and effects ----------------------------------------------------------------------------------

    print(thread) {
      const script = state.number(thread, 1);
      const level = text(thread, 2) as PrintLevel;
      for (const line of state.text(thread, 3).split(/\r?\n/)) effects.print(script, level, line);
      return 0;
    },

    /** script, type, severity, name of the type, of the severity, info, score, status */
    alert(thread) {
      const alertTypeName = textOrNone(thread, 4);
      const severityName = textOrNone(thread, 5);
      const info = textOrNone(thread, 6);
      const score = numberOrNone(thread, 7);
      const status = numberOrNone(thread, 8);
      effects.alert(state.number(thread, 1), {
        alertType: state.number(thread, 2),
        ...(alertTypeName === undefined ? {} : { alertTypeName }),
        severity: state.number(thread, 3),
        ...(severityName === undefined ? {} : { severityName }),
        ...(score === undefined ? {} : { score }),
        ...(status === undefined ? {} : { status }),
        ...(info === undefined ? {} : { info }),
      });
      return 0;
    },

    status(thread) {
      effects.status(state.number(thread, 1), state.number(thread, 2), flag(thread, 3));
      return 0;
    },
    is_set: (thread) => answer(thread, effects.isStatusSet(state.number(thread, 1))),
    /** All statuses as a bitmap. */
    bitmap(thread) {
      let map = 0;
      for (const { id } of STATUSES) if (effects.isStatusSet(id)) map += 2 ** id;
      return answer(thread, map);
    },
    score(thread) {
      const of = text(thread, 2) as ScoreOf;
      const value = state.number(thread, 3);
      effects.score(state.number(thread, 1), of, value);
      memory.setScore(event(), of, value);
      return 0;
    },
    score_of(thread) {
      const of = text(thread, 1) as ScoreOf;
      return answer(thread, effects.scoreOf(of) ?? memory.scoreOf(event(), of));
    },
    /** Score and status of the alert that the script has raised about the flow. */
    alerted(thread) {
      const alert = flow().alerts.get(state.number(thread, 1));
      return answer(thread, alert?.score, alert?.status);
    },
    remember_alert(thread) {
      flow().alerts.set(state.number(thread, 1), { score: state.number(thread, 2), status: state.number(thread, 3) });
      return 0;
    },

    // The flow ----------------------------------------------------------------------------------------------

    fact: (thread) => answer(thread, facts[text(thread, 1)]?.()),
    /** JSON of the intrusion detection system's alert; the same one only once to a script. */
    external_alert(thread) {
      const script = state.number(thread, 1);
      const alert = event().text('ids.alert');
      const { externalAlerts } = flow();
      if (alert === undefined || externalAlerts.get(script) === alert) return answer(thread, undefined);
      externalAlerts.set(script, alert);
      return answer(thread, alert);
    },
    /** Is the communication of a host recorded? A preference that scripts keep. */
    mud: (thread) => answer(thread, cache.get(`ntopng.prefs.mud_recording.${text(thread, 1)}`) ?? 'disabled'),

    // Names ---------------------------------------------------------------------------------------------------

    translate(thread) {
      const found = host.translate(state.text(thread, 1));
      return answer(thread, found === undefined ? undefined : latin1(found));
    },
    protocol_id(thread) {
      const name = text(thread, 1).toLowerCase();
      const id = names.protocols.findIndex((known) => known.toLowerCase() === name);
      return answer(thread, id < 0 ? undefined : id);
    },
    protocol_name: (thread) => answer(thread, names.protocols[state.number(thread, 1)]),
    category_name: (thread) => answer(thread, names.categories[state.number(thread, 1)]),
    risk_name: (thread) => answer(thread, names.risks[state.number(thread, 1)]),

    // Preferences and folders -----------------------------------------------------------------------------------

    preference: (thread) => answer(thread, preference(text(thread, 1))),
    preference_number(thread) {
      const name = text(thread, 1);
      return answer(thread, isPreference(name) && PREFERENCES[name].type === 'int' ? Number(host.preferences()[name]) : 0);
    },
    preferences: (thread) =>
      answerTable(
        thread,
        PREFERENCE_NAMES.map((name) => [name, host.preferences()[name]] as const),
      ),
    alerts_on: (thread) => answer(thread, !host.preferences().disable_alerts_generation),
    read_directory: (thread) =>
      answerList(
        thread,
        readDirectory(state.text(thread, 1), host.directories).map((name) => latin1(basename(name))),
      ),

    // Cache -----------------------------------------------------------------------------------------------------

    cache_get: (thread) => answer(thread, cache.get(text(thread, 1))),
    cache_set(thread) {
      cache.set(text(thread, 1), text(thread, 2), state.number(thread, 3));
      return 0;
    },
    cache_delete(thread) {
      cache.delete(text(thread, 1));
      return 0;
    },
    cache_increment: (thread) => answer(thread, cache.increment(text(thread, 1), state.number(thread, 2))),
    cache_expire(thread) {
      cache.expire(text(thread, 1), state.number(thread, 2));
      return 0;
    },
    cache_keys: (thread) => answerList(thread, cache.keys(text(thread, 1))),
    hash_get: (thread) => answer(thread, cache.hashGet(text(thread, 1), text(thread, 2))),
    hash_set(thread) {
      cache.hashSet(text(thread, 1), text(thread, 2), text(thread, 3));
      return 0;
    },
    hash_delete(thread) {
      cache.hashDelete(text(thread, 1), text(thread, 2));
      return 0;
    },
    hash_all(thread) {
      const all = cache.hashAll(text(thread, 1));
      return all === undefined ? answer(thread, undefined) : answerTable(thread, all);
    },
    set_add(thread) {
      cache.setAdd(text(thread, 1), text(thread, 2));
      return 0;
    },
    set_remove(thread) {
      cache.setRemove(text(thread, 1), text(thread, 2));
      return 0;
    },
    set_has: (thread) => answer(thread, cache.setHas(text(thread, 1), text(thread, 2))),
    set_members: (thread) => answerList(thread, cache.setMembers(text(thread, 1))),
    list_push(thread) {
      const keep = state.number(thread, 4);
      cache.listPush(text(thread, 1), text(thread, 2), text(thread, 3) as 'left' | 'right', keep > 0 ? keep : undefined);
      return 0;
    },
    list_pop: (thread) => answer(thread, cache.listPop(text(thread, 1), text(thread, 2) as 'left' | 'right')),
    list_length: (thread) => answer(thread, cache.listLength(text(thread, 1))),
    list_range: (thread) => answerList(thread, cache.listRange(text(thread, 1), state.number(thread, 2), state.number(thread, 3))),
  };
}
