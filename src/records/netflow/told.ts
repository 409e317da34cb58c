/**
 * What an exporter has told of how its data are to be read: templates and options. Sessions of one exporter (exporters.ts) share it until
 * one of them tells something else and gets a copy of its own: nobody can fill the memory with copies by sending from many ports.
 *
 * Everything has a weight, and all together a limit; what is beyond it is refused.
 */
import type { Template } from './templates.ts';

export interface Told {
  readonly templates: Map<number, Template>;
  /** Sampling rates: of samplers and selectors by their ids, of interfaces by their indexes, of all the rest (0 = not said). */
  readonly samplers: Map<number, number>;
  readonly interfaces: Map<number, number>;
  rate: number;
  /** Names of applications by `applicationId`. */
  readonly applications: Map<number, string>;
  /** s; 0 = not said. */
  activeTimeout: number;
  idleTimeout: number;
  /** When the exporter was switched on, ms since 1970; 0 = not said. */
  boot: number;
  /** Sessions that share it. */
  holders: number;
  weight: number;
}

/** A template costs as much as its fields and some more; an entry of a table as much as a field. */
export const templateWeight = (template: Template | undefined): number => (template === undefined ? 0 : template.fields + 8);
export const ENTRY_WEIGHT = 1;

export interface ToldMemory {
  create(): Told;
  share(told: Told): Told;
  release(told: Told): void;
  /** What a session may write to: the same, or a copy where others share it; an empty one where there is no room for a copy. */
  writable(told: Told): Told;
  /** Makes room. @returns false: there is none */
  grow(told: Told, weight: number): boolean;
}

/** @param limit weight of all */
export function createToldMemory(limit: number): ToldMemory {
  let used = 0;

  const create = (): Told => ({
    templates: new Map(),
    samplers: new Map(),
    interfaces: new Map(),
    rate: 0,
    applications: new Map(),
    activeTimeout: 0,
    idleTimeout: 0,
    boot: 0,
    holders: 1,
    weight: 0,
  });

  const grow = (told: Told, weight: number): boolean => {
    if (weight > 0 && used + weight > limit) return false;
    used += weight;
    told.weight += weight;
    return true;
  };

  const release = (told: Told): void => {
    told.holders--;
    if (told.holders === 0) used -= told.weight;
  };

  return {
    create,
    grow,
    release,
    share(told) {
      told.holders++;
      return told;
    },
    writable(told) {
      if (told.holders === 1) return told;
      const copy = create();
      if (!grow(copy, told.weight)) {
        release(told);
        return copy;
      }
      for (const [id, template] of told.templates) copy.templates.set(id, template);
      for (const [id, rate] of told.samplers) copy.samplers.set(id, rate);
      for (const [id, rate] of told.interfaces) copy.interfaces.set(id, rate);
      for (const [id, name] of told.applications) copy.applications.set(id, name);
      const { rate, activeTimeout, idleTimeout, boot } = told;
      Object.assign(copy, { rate, activeTimeout, idleTimeout, boot });
      release(told);
      return copy;
    },
  };
}
