/**
 * Reads a value by its path, also one within a table, for filters and the like:
 *
 *   `cli.ip`   `icmp.type`   `tos.client.DSCP`   `flow_risk.Weak TLS cipher`
 */
import { ANY, type Field, type FieldValue, type Member } from '../fields/field.ts';
import type { EventView } from '../view.ts';

export interface Access {
  /** What the path leads to. */
  readonly member: Member;
  /** @returns undefined when the flow has no such value */
  read(view: EventView): FieldValue | undefined;
}

/** Keys that lead from a table to what `rest` names, with the member there. */
function descend(members: readonly Member[], rest: string): { member: Member; keys: readonly string[] } | undefined {
  for (const member of members) {
    if (member.key === ANY) return { member, keys: [rest] };
    if (rest === member.key) return { member, keys: [rest] };
    if (!rest.startsWith(`${member.key}.`)) continue;
    const below = descend(member.members ?? [], rest.slice(member.key.length + 1));
    if (below !== undefined) return { member: below.member, keys: [member.key, ...below.keys] };
  }
  return undefined;
}

/** @returns undefined for a path that leads nowhere in any flow */
export function accessTo(fields: ReadonlyMap<string, Field>, path: string): Access | undefined {
  const whole = fields.get(path);
  if (whole !== undefined) return { member: whole, read: whole.read };
  for (let dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
    const field = fields.get(path.slice(0, dot));
    const found = field && descend(field.members ?? [], path.slice(dot + 1));
    if (field === undefined || found === undefined) continue;
    return {
      member: found.member,
      read(view) {
        let value = field.read(view);
        for (const key of found.keys) {
          if (typeof value !== 'object' || !Object.hasOwn(value, key)) return undefined;
          value = value[key];
        }
        return value;
      },
    };
  }
  return undefined;
}
