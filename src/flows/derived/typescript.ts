/** types/info.d.ts: the type of `info` for scripts in TypeScript. */
import { ANY, type Field, type Member } from '../fields/field.ts';
import { describe } from './words.ts';

const SCALARS = { int: 'number', float: 'number', string: 'string', bool: 'boolean' } as const;

const nameOf = (key: string): string => (/^[a-z_]\w*$/i.test(key) ? key : `'${key}'`);

const typeOf = (member: Member, indent: string): string =>
  member.type === 'table' ? `{\n${membersOf(member.members ?? [], `${indent}  `)}${indent}}` : SCALARS[member.type];

const membersOf = (members: readonly Member[], indent: string): string =>
  members
    .map((member) => {
      const name = member.key === ANY ? '[key: string]' : nameOf(member.key) + (member.when === undefined ? '' : '?');
      return `${indent}/** ${describe(member)} */\n${indent}readonly ${name}: ${typeOf(member, indent)};\n`;
    })
    .join('');

export const typescriptInfo = (fields: readonly Field[]): string => `// Made by \`node docs/generate.ts\`. Do not edit.

/** The fields of a flow, as a callback gets them. A dot is a part of the key; a key that is not present is absent. */
export interface Info {
${membersOf(fields, '  ')}}
`;
