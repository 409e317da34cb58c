/** What the program declares: fields, statuses, severities, callbacks. Loaded once a session. */
import { api, type Declarations, type DeclaredField } from './api.ts';

let declared = $state.raw<Declarations>();
let counters = $state.raw<ReadonlyMap<string, string>>(new Map());
let fields = $state.raw<ReadonlyMap<string, DeclaredField>>(new Map());

export const declarations = {
  get all() {
    return declared;
  },
  field: (key: string): DeclaredField | undefined => fields.get(key),
  /** What a counter of an interface counts, in English. */
  counter: (name: string): string | undefined => counters.get(name),
  async load(): Promise<void> {
    declared = await api.declarations();
    counters = new Map(declared.counters.map(({ name, help }) => [name, help]));
    fields = new Map(declared.fields.map((field) => [field.key, field]));
  },
  /** Names of the statuses of a bitmap, strongest knowledge we have: by id. */
  statuses(bitmap: number): { id: number; name: string; title: string; severity: string }[] {
    const bits = BigInt(Math.max(0, bitmap));
    return (declared?.statuses ?? []).filter(({ id }) => id > 0 && ((bits >> BigInt(id)) & 1n) === 1n);
  },
};
