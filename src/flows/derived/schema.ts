/** docs/reference/flow.schema.json: JSON schema (draft 2020-12) of a line of `--export-flows`. */
import { ANY, type Field, type Member } from '../fields/field.ts';
import { anyMember, describe } from './words.ts';

const SCALARS = { int: 'integer', float: 'number', string: 'string', bool: 'boolean' } as const;

function objectOf(members: readonly Member[]): Record<string, unknown> {
  const any = anyMember(members);
  const named = members.filter(({ key }) => key !== ANY);
  return {
    type: 'object',
    ...(named.length > 0 && {
      properties: Object.fromEntries(named.map((member) => [member.key, schemaOf(member)])),
      required: named.filter(({ when }) => when === undefined).map(({ key }) => key),
    }),
    ...(any && { additionalProperties: schemaOf(any) }),
  };
}

const schemaOf = (member: Member): Record<string, unknown> => ({
  description: describe(member),
  ...(member.type === 'table' ? objectOf(member.members ?? []) : { type: SCALARS[member.type] }),
});

/** Further keys are allowed: later versions may add some. */
export const flowSchema = (fields: readonly Field[]): string =>
  `${JSON.stringify(
    {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $comment: 'Made by `node docs/generate.ts`. Do not edit.',
      title: 'A flow: one line of --export-flows',
      ...objectOf(fields),
    },
    undefined,
    2,
  )}\n`;
