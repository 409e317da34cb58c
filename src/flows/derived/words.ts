/** What the generated texts say of a field or member in one line. */
import { ANY, type Field, type Member } from '../fields/field.ts';

type Described = Member & Pick<Field, 'ours' | 'since'>;

/** Generation of scripts that first knew the key; `own` for keys that ntopng does not have. */
export const originOf = ({ ours, since }: Described): string => (ours === true ? 'own' : (since ?? '2019'));

/** Meaning, unit, presence and generation. */
export function describe(member: Described): string {
  const { doc, unit, when, ours, since } = member;
  return [
    doc,
    ...(unit === undefined ? [] : [`unit: ${unit}`]),
    ...(when === undefined ? [] : [`present: ${when}`]),
    ...(ours === true ? ['not in ntopng'] : since === undefined ? [] : [`since ${since}`]),
  ].join('; ');
}

/** The one member that stands for any key, if the table is such a one. */
export const anyMember = (members: readonly Member[]): Member | undefined => members.find(({ key }) => key === ANY);
