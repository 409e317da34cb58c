/** GET /fields: what flows have, the words of statuses, alerts and callbacks, what filters may ask: for pages that are made of declarations. */
import { Type } from '@sinclair/typebox';
import { SEVERITIES } from '../alerts/alert.ts';
import { ALERT_COUNTERS } from '../alerts/counters.ts';
import { type AlertFilterName, alertFilterNames, alertOperators } from '../alerts/filter.ts';
import { filterFields } from '../filter/filter.ts';
import { COUNTERS } from '../flows/counters.ts';
import { CALLBACKS } from '../flows/event.ts';
import type { FieldGroup, FieldType } from '../flows/fields/field.ts';
import { FIELDS } from '../flows/fields.ts';
import { isSortable } from '../flows/selection.ts';
import { STATUSES } from '../flows/statuses.ts';
import { ALERT_TYPES } from '../scripts/alert-types.ts';
import { object, oneOf, type Route, route } from './route.ts';

const fields = FIELDS.map((field) => ({
  key: field.key,
  type: field.type,
  ...(field.unit === undefined ? {} : { unit: field.unit }),
  doc: field.doc,
  group: field.group,
  ...(field.when === undefined ? {} : { when: field.when }),
  ...(field.column === undefined ? {} : { column: field.column }),
  sortable: isSortable(field),
}));

const statuses = STATUSES.map(({ id, name, title, alertType, severity }) => ({ id, name, title, alertType, severity }));

const counters = [
  ...COUNTERS.map(({ name, help }) => ({ name, help })),
  ...ALERT_COUNTERS.map(({ name, help }) => ({ name: `alerts.${name}`, help })),
];

const alertTypes = ALERT_TYPES.map(({ name }) => name);

const FILTERS = ['flows', 'history', 'alerts'] as const;

/** Names by what may be asked by them, as completion offers them: members of alerts, short names, fields. */
function namesOfFilters() {
  const ofFlows = filterFields().toSorted((a, b) => Number(b.alias) - Number(a.alias));
  const ofAlerts = new Map(alertFilterNames().map((each) => [each.name, each]));
  const named = ({ name, kind, doc }: AlertFilterName, of: readonly (typeof FILTERS)[number][]) => ({ name, type: kind, doc, of: [...of] });
  const flows = ofFlows.map((field) => {
    const alike = ofAlerts.get(field.name) === field;
    if (alike) ofAlerts.delete(field.name);
    return named(field, alike ? FILTERS : ['flows', 'history']);
  });
  return [...[...ofAlerts.values()].map((each) => named(each, ['alerts'])), ...flows];
}
const filterNames = namesOfFilters();

export const declarationsRoutes = (): Route[] => [
  route({
    method: 'get',
    path: '/fields',
    role: 'viewer',
    tag: 'flows',
    summary: 'The fields of flows, statuses, severities, callbacks and the names of filters, as they are declared',
    answer: object({
      fields: Type.Array(
        object({
          key: Type.String(),
          type: Type.Unsafe<FieldType>(Type.String()),
          unit: Type.Optional(Type.String()),
          doc: Type.String(),
          group: Type.Unsafe<FieldGroup>(Type.String()),
          when: Type.Optional(Type.String()),
          column: Type.Optional(object({ title: Type.String(), width: Type.Integer(), shown: Type.Optional(Type.Boolean()) })),
          sortable: Type.Boolean(),
        }),
      ),
      statuses: Type.Array(
        object({ id: Type.Integer(), name: Type.String(), title: Type.String(), alertType: Type.String(), severity: Type.String() }),
      ),
      alertTypes: Type.Array(Type.String()),
      severities: Type.Array(Type.String()),
      callbacks: Type.Array(Type.String()),
      counters: Type.Array(object({ name: Type.String(), help: Type.String() }), { description: 'of interfaces' }),
      filterNames: Type.Array(
        object({
          name: Type.String(),
          type: Type.Unsafe<AlertFilterName['kind']>(Type.String({ description: 'kind of its values' })),
          doc: Type.String(),
          of: Type.Array(oneOf(FILTERS), { description: 'filters that may use it' }),
        }),
        { description: 'all names of the filter language, in the order in which they are offered; one can mean different things' },
      ),
      filterOperators: Type.Record(Type.String(), Type.Array(Type.String()), {
        description: 'by type; without any its presence is all that can be asked',
      }),
    }),
    handle: () => ({
      fields,
      statuses,
      alertTypes,
      severities: SEVERITIES,
      callbacks: CALLBACKS,
      counters,
      filterNames,
      filterOperators: alertOperators(),
    }),
  }),
];
