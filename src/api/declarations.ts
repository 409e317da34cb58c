/** GET /fields: what flows have, and the words of statuses, alerts and callbacks: for pages that are made of declarations. */
import { Type } from '@sinclair/typebox';
import { SEVERITIES } from '../alerts/alert.ts';
import { CALLBACKS } from '../flows/event.ts';
import type { FieldGroup, FieldType } from '../flows/fields/field.ts';
import { FIELDS } from '../flows/fields.ts';
import { isSortable } from '../flows/selection.ts';
import { STATUSES } from '../flows/statuses.ts';
import { ALERT_TYPES } from '../scripts/alert-types.ts';
import { object, type Route, route } from './route.ts';

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

const alertTypes = ALERT_TYPES.map(({ name }) => name);

export const declarationsRoutes = (): Route[] => [
  route({
    method: 'get',
    path: '/fields',
    role: 'viewer',
    tag: 'flows',
    summary: 'The fields of flows, statuses, severities and callbacks, as they are declared',
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
    }),
    handle: () => ({ fields, statuses, alertTypes, severities: SEVERITIES, callbacks: CALLBACKS }),
  }),
];
