/** What the program declares: fields, statuses, severities, callbacks. Loaded once a session. */
import { api, type Declarations, type DeclaredField } from './api.ts';

let declared = $state.raw<Declarations>();
let fields = $state.raw<ReadonlyMap<string, DeclaredField>>(new Map());

export const declarations = {
  get all() {
    return declared;
  },
  field: (key: string): DeclaredField | undefined => fields.get(key),
  async load(): Promise<void> {
    declared = await api.declarations();
    fields = new Map(declared.fields.map((field) => [field.key, field]));
  },
  /** Names of the statuses of a bitmap, strongest knowledge we have: by id. */
  statuses(bitmap: number): { id: number; name: string; title: string; severity: string }[] {
    const bits = BigInt(Math.max(0, bitmap));
    return (declared?.statuses ?? []).filter(({ id }) => id > 0 && ((bits >> BigInt(id)) & 1n) === 1n);
  },
};
