/**
 * The module `flow_consts` of the scripts, as Lua source made from the declaration of the statuses (flows/statuses.ts):
 * `flow_consts.status_<name>` is the id, `flow_consts.flow_status_types[id]` has its title and relevance.
 */
import { STATUSES } from '../flows/statuses.ts';

/** How much a status matters, 0 to 100, by id. */
const RELEVANCE = [0, 10, 10, 10, 10, 30, 10, 30, 10, 10, 50, 30, 50, 100, 50, 50, 80, 20, 20, 20, 0, 0, 20, 50, 30, 30, 20, 80];

export function flowConsts(): string {
  const lines = STATUSES.map(
    ({ id, name, title }) =>
      `flow_consts.${name} = ${id}\n` +
      `flow_consts.flow_status_types[${id}] = { i18n_title = ${JSON.stringify(title)}, relevance = ${RELEVANCE[id] ?? 0} }`,
  );
  return `local flow_consts = { flow_status_types = {} }\n${lines.join('\n')}\nreturn flow_consts\n`;
}
