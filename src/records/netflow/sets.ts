/**
 * The sets of a v9 or IPFIX message: what follows its header, one after the other.
 *
 *   id 2 │ length 2, these four bytes among them │ content │ padding
 *
 *   v9     0 templates   1 options templates   from 256 on data
 *   IPFIX  2             3                     the same
 *
 * Data go to records.ts with their template, or wait for it (waiting.ts). Called by v9.ts and ipfix.ts.
 */
import type { Trouble } from '../trouble.ts';
import { netflowCounter } from './counters.ts';
import type { Domain } from './exporters.ts';
import type { Records } from './records.ts';
import { FIRST_TEMPLATE, makeTemplate, readTemplates, sameTemplate, type Template, type TemplateRules } from './templates.ts';
import { type ToldMemory, templateWeight } from './told.ts';
import type { Waiting, WaitingSet } from './waiting.ts';

const SETS_DAMAGED = netflowCounter('sets.damaged');
const SETS_RESERVED = netflowCounter('sets.reserved');
const RECORDS_DAMAGED = netflowCounter('records.damaged');
const TEMPLATES = netflowCounter('templates');
const CHANGED = netflowCounter('templates.changed');
const WITHDRAWN = netflowCounter('templates.withdrawn');
const DAMAGED = netflowCounter('templates.damaged');
const REFUSED = netflowCounter('templates.refused');

/** Length of a set's header. */
const HEADER = 4;

/** Data records of a message; both -1: not known, because a set could not be read. */
export interface Tally {
  /** Options among them. */
  units: number;
  flows: number;
}

export interface Sets {
  /**
   * Reads the sets of a message. The draft has the message's times.
   * @returns data records in it; the same object at every call
   */
  read(domain: Domain, bytes: Buffer, at: number, end: number, arrived: number): Tally;
  /** Reads templates that were saved. @returns whether all could be used */
  restore(domain: Domain, bytes: Buffer, options: boolean): boolean;
  /** Grows with every template taken or withdrawn. */
  revision(): number;
}

export interface SetsOptions {
  readonly records: Records;
  readonly waiting: Waiting;
  readonly trouble: Trouble;
  readonly counters: Float64Array;
  readonly memory: ToldMemory;
  /** Most templates of one domain. */
  readonly mostTemplates: number;
}

/** Whether a set can begin here: a message whose first one cannot is none of this version. */
export function beginsSet(bytes: Buffer, at: number, end: number): boolean {
  if (at + HEADER > end) return at === end;
  const length = bytes.readUInt16BE(at + 2);
  return length >= HEADER && at + length <= end;
}

export function createSets({ records, waiting, trouble, counters, memory, mostTemplates }: SetsOptions): Sets {
  const { draft } = records;
  let revision = 0;
  const tally: Tally = { units: 0, flows: 0 };

  const forget = (domain: Domain, id: number): boolean => {
    const template = domain.told.templates.get(id);
    if (template === undefined) return false;
    const told = (domain.told = memory.writable(domain.told));
    if (told.templates.delete(id)) memory.grow(told, -templateWeight(template));
    return true;
  };

  const decode = (domain: Domain, template: Template, bytes: Buffer, at: number, end: number): number => {
    const read = records.data(domain, template, bytes, at, end);
    if (read < 0) trouble.report(RECORDS_DAMAGED);
    return read;
  };

  const decodeWaiting = (domain: Domain, template: Template, set: WaitingSet): void => {
    const { sent, uptime } = draft;
    draft.sent = set.sent;
    draft.uptime = set.uptime;
    decode(domain, template, set.bytes, 0, set.bytes.length);
    draft.sent = sent;
    draft.uptime = uptime;
  };

  const take = (domain: Domain, rules: TemplateRules, bytes: Buffer, id: number, at: number, end: number): void => {
    const before = domain.told.templates.get(id);
    if (sameTemplate(before, rules.options, bytes, at, end)) return;
    const room = before !== undefined || domain.told.templates.size < mostTemplates;
    const made = room ? makeTemplate(bytes.subarray(at, end), rules) : 'refused';
    forget(domain, id); // what it says now cannot be read by what it said before
    const told = (domain.told = memory.writable(domain.told));
    const template = typeof made === 'object' && !memory.grow(told, templateWeight(made)) ? 'refused' : made;
    if (typeof template === 'string') {
      trouble.report(template === 'refused' ? REFUSED : DAMAGED);
      return;
    }
    if (before !== undefined) counters[CHANGED]++;
    told.templates.set(id, template);
    counters[TEMPLATES]++;
    revision++;
    for (const set of waiting.take(domain, id)) decodeWaiting(domain, template, set);
  };

  const withdraw = (domain: Domain, id: number, options: boolean): void => {
    for (const [known, template] of [...domain.told.templates]) {
      if ((id < FIRST_TEMPLATE ? template.options === options : known === id) && forget(domain, known)) {
        counters[WITHDRAWN]++;
        revision++;
      }
    }
  };

  const templates = (domain: Domain, bytes: Buffer, at: number, end: number, options: boolean): boolean => {
    const rules: TemplateRules = { version: domain.version, options };
    const whole = readTemplates(bytes, at, end, rules, {
      template: (id, from, to) => take(domain, rules, bytes, id, from, to),
      withdrawn: (id) => withdraw(domain, id, options),
    });
    if (!whole) trouble.report(DAMAGED);
    return whole;
  };

  return {
    read(domain, bytes, at, end, arrived) {
      const first = domain.version === 9 ? 0 : 2;
      let known = true;
      tally.units = 0;
      tally.flows = 0;
      while (at + HEADER <= end) {
        const id = bytes.readUInt16BE(at);
        const length = bytes.readUInt16BE(at + 2);
        if (length < HEADER || at + length > end) {
          trouble.report(SETS_DAMAGED);
          known = false;
          break;
        }
        const from = at + HEADER;
        at += length;
        if (id >= FIRST_TEMPLATE) {
          const template = domain.told.templates.get(id);
          if (template !== undefined) {
            const read = decode(domain, template, bytes, from, at);
            if (read < 0) known = false;
            tally.units += read;
            if (!template.options) tally.flows += read;
          } else {
            known = false;
            const { sent, uptime } = draft;
            waiting.add({ domain, template: id, bytes: Buffer.from(bytes.subarray(from, at)), sent, uptime, arrived });
          }
        } else if (id === first || id === first + 1) {
          templates(domain, bytes, from, at, id !== first);
        } else {
          trouble.report(SETS_RESERVED);
        }
      }
      if (!known) {
        tally.units = -1;
        tally.flows = -1;
      }
      return tally;
    },
    restore: (domain, bytes, options) => templates(domain, bytes, 0, bytes.length, options),
    revision: () => revision,
  };
}
