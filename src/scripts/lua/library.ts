/** The JavaScript functions behind the globals of a Lua script. */
import type { EventView } from '../../flows/view.ts';
import type { RuntimeHost } from '../runtime.ts';
import type { LuaState } from './state.ts';
import type { LuaThread } from './wasm.ts';

export interface LibraryContext {
  readonly state: LuaState;
  readonly host: RuntimeHost;
  /** The current event; undefined outside a callback. */
  readonly view: () => EventView | undefined;
}

export function createLibrary({ state, host }: LibraryContext): Record<string, (thread: LuaThread) => number> {
  return {
    print(thread) {
      for (const line of state.text(thread, 2).split(/\r?\n/)) host.effects.print(state.number(thread, 1), 'print', line);
      return 0;
    },
    alert(thread) {
      const text = (index: number): string | undefined => (state.isNil(thread, index) ? undefined : state.latin1(thread, index));
      const alertTypeName = text(4);
      const severityName = text(5);
      const info = text(6);
      host.effects.alert(state.number(thread, 1), {
        alertType: state.number(thread, 2),
        ...(alertTypeName === undefined ? {} : { alertTypeName }),
        severity: state.number(thread, 3),
        ...(severityName === undefined ? {} : { severityName }),
        ...(info === undefined ? {} : { info }),
      });
      return 0;
    },
  };
}
