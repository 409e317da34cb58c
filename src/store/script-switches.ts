/**
 * The user's switches of scripts, kept in the settings file: on, off or shadow, for an interface or for all of them. What is said of
 * one interface wins over what is said of all; without a word a script is on.
 *
 * Enters: the settings store. Leaves: the switches of an interface, for its script host. Called by patrol.ts and the programming
 * interface, and by `flowpatrol scripts` where nothing runs.
 */
import type { ScriptSwitch } from '../scripts/report.ts';
import type { Settings } from './settings.ts';

export const SCRIPT_SWITCHES: readonly ScriptSwitch[] = ['on', 'off', 'shadow'];

export const isScriptSwitch = (word: unknown): word is ScriptSwitch => (SCRIPT_SWITCHES as readonly unknown[]).includes(word);

export interface StoredSwitch {
  /** As given to `-i`; absent: every interface that nothing else is said of. */
  readonly interface?: string;
  readonly key: string;
  readonly state: ScriptSwitch;
}

export interface ScriptSwitches {
  /** The switch of a script on an interface. */
  get(interfaceName: string, key: string): ScriptSwitch;
  /** Stores it, of one interface, or of all (undefined): then what was said of single ones holds no more. */
  set(interfaceName: string | undefined, key: string, state: ScriptSwitch): void;
  /** Switches of an interface that are not `on`. */
  of(interfaceName: string): ReadonlyMap<string, ScriptSwitch>;
  /** All that is stored. */
  all(): StoredSwitch[];
}

export function createScriptSwitches({ database }: Settings): ScriptSwitches {
  const rows = database.prepare('SELECT interface, key, state FROM script_switches ORDER BY interface, key');
  const one = database.prepare("SELECT state FROM script_switches WHERE key = ? AND interface IN (?, '') ORDER BY interface DESC LIMIT 1");
  const put = database.prepare('INSERT INTO script_switches VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state');
  const remove = database.prepare('DELETE FROM script_switches WHERE interface = ? AND key = ?');
  const removeAll = database.prepare('DELETE FROM script_switches WHERE key = ?');

  /** What a newer flowpatrol may have written there is taken for `on`. */
  const stateOf = (word: unknown): ScriptSwitch => (isScriptSwitch(word) ? word : 'on');

  const get = (interfaceName: string, key: string): ScriptSwitch => stateOf(one.get(key, interfaceName)?.state);
  const all = (): StoredSwitch[] =>
    rows.all().map((row) => {
      const { interface: name, key, state } = row as { interface: string; key: string; state: string };
      return { ...(name === '' ? {} : { interface: name }), key, state: stateOf(state) };
    });

  return {
    get,
    set(interfaceName, key, state) {
      if (interfaceName === undefined) removeAll.run(key);
      else remove.run(interfaceName, key);
      // `on` goes without saying, unless all interfaces are told otherwise
      const before = interfaceName === undefined ? 'on' : get(interfaceName, key);
      if (state !== before) put.run(interfaceName ?? '', key, state);
    },
    of(interfaceName) {
      const found = new Map<string, ScriptSwitch>();
      for (const each of all()) {
        if (each.interface === undefined || each.interface === interfaceName) found.set(each.key, each.state);
      }
      for (const [key, state] of found) if (state === 'on') found.delete(key);
      return found;
    },
    all,
  };
}
