/** types/info.lua: the type of `info` for editors that read LuaLS annotations. */
import type { Field, Member } from '../fields/field.ts';
import { anyMember, describe } from './words.ts';

const SCALARS = { int: 'integer', float: 'number', string: 'string', bool: 'boolean' } as const;

const nameOf = (key: string): string => (/^[a-z_]\w*$/i.test(key) ? key : `["${key}"]`);

/** A class and those of the tables in it, which come before it. */
function classOf(name: string, doc: string, members: readonly Member[]): string {
  const inner: string[] = [];
  const typeOf = (member: Member): string => {
    if (member.type !== 'table') return SCALARS[member.type];
    const any = anyMember(member.members ?? []);
    if (any !== undefined) return `table<string, ${typeOf(any)}>`;
    const named = `${name}.${member.key}`;
    inner.push(classOf(named, member.doc, member.members ?? []));
    return named;
  };
  const lines = members.map(
    (member) => `---@field ${nameOf(member.key)}${member.when === undefined ? '' : '?'} ${typeOf(member)} ${describe(member)}\n`,
  );
  return `${inner.join('')}---${doc}\n---@class ${name}\n${lines.join('')}\n`;
}

export const luaInfo = (fields: readonly Field[]): string => `---@meta
-- Made by \`node docs/generate.ts\`. Do not edit.

${classOf('flowpatrol.Info', 'The fields of a flow, as a callback gets them; a key that is not present is nil', fields).trimEnd()}
`;
