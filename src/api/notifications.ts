/** Notifications: where alerts are sent to. What kinds there are, and what each wants, is declared in src/notify/kinds.ts. */
import { type Static, Type } from '@sinclair/typebox';
import { FilterError } from '../filter/filter.ts';
import { KIND_NAMES, KINDS, type KindName } from '../notify/kinds.ts';
import type { Endpoint } from '../notify/notifier.ts';
import { EndpointError, type Setting } from '../notify/settings.ts';
import { alertOf } from './alerts.ts';
import type { ApiDependencies } from './dependencies.ts';
import { filterProblem, Problem } from './problems.ts';
import { object, oneOf, type Route, route } from './route.ts';
import { limitParameter, OffsetParameter } from './schemas.ts';

const Settings = Type.Record(Type.String(), Type.Unknown(), {
  writeOnly: true,
  description: 'as the kind declares them; secrets are never shown again',
});
const Shown = Type.Record(Type.String(), Type.Unknown());
const EndpointSchema = object({
  id: Type.Integer(),
  name: Type.String(),
  kind: oneOf(KIND_NAMES),
  enabled: Type.Boolean(),
  filter: Type.String(),
  pause: Type.Number({ description: 's' }),
  settings: Shown,
  broken: Type.Optional(Type.String({ description: 'why it takes no alerts' })),
  counters: Type.Record(Type.String(), Type.Number()),
  waiting: Type.Integer(),
  error: Type.Optional(Type.String()),
  deliveredAt: Type.Optional(Type.Number({ description: 'ms since 1970' })),
  againAt: Type.Optional(Type.Number({ description: 'ms since 1970' })),
});
const LetterSchema = object({
  id: Type.Integer(),
  endpoint: Type.Integer(),
  time: Type.Number({ description: 'ms since 1970' }),
  alerts: Type.Array(Type.String()),
  attempts: Type.Integer(),
  error: Type.String(),
});
const common = {
  enabled: Type.Optional(Type.Boolean()),
  filter: Type.Optional(Type.String({ maxLength: 8192, description: 'in the filter language of alerts' })),
  pause: Type.Optional(Type.Number({ minimum: 0, description: 's between two deliveries' })),
};
const Name = Type.String({ minLength: 1, maxLength: 100 });

const SettingSchema = object({
  name: Type.String(),
  type: Type.String(),
  doc: Type.String(),
  secret: Type.Boolean(),
  required: Type.Boolean(),
  default: Type.Optional(Type.Union([Type.String(), Type.Number()])),
  choices: Type.Optional(Type.Array(Type.String())),
  from: Type.Optional(Type.Number()),
  to: Type.Optional(Type.Number()),
  like: Type.Optional(Type.String()),
});
const KindSchema = object({ kind: Type.String(), title: Type.String(), pause: Type.Number(), settings: Type.Array(SettingSchema) });

function declared(setting: Setting): Static<typeof SettingSchema> {
  const { name, type, doc, secret, required, ...more } = setting;
  const { pattern: _, most: __, ...rest } = more as { pattern?: RegExp; most?: number };
  return { name, type, doc, secret: secret === true, required: required === true, ...rest };
}
const kinds = KIND_NAMES.map((kind) => ({
  kind,
  title: KINDS[kind].title,
  pause: KINDS[kind].pause,
  settings: KINDS[kind].settings.map(declared),
}));

/** @throws Problem */
function checked<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof FilterError) throw filterProblem(error);
    if (error instanceof EndpointError) throw new Problem('wrong-value', `${error.message}.`);
    throw error;
  }
}

export function notificationsRoutes(dependencies: ApiDependencies): Route[] {
  const { notifier } = dependencies;
  if (notifier === undefined) return [];
  const unknown = (id: string): Problem => new Problem('unknown-notification', `There is no notification ${id}.`);
  const numbered = (id: string): number => {
    const found = /^\d{1,15}$/.test(id) ? notifier.get(Number(id)) : undefined;
    if (found === undefined) throw unknown(id);
    return found.id;
  };
  const lettered = (id: string): number => {
    const found = notifier.deadLetters().find((letter) => String(letter.id) === id);
    if (found === undefined) throw new Problem('unknown-letter', `There is no dead letter ${id}.`);
    return found.id;
  };
  const shown = (endpoint: Endpoint | undefined, id: string): Endpoint => {
    if (endpoint === undefined) throw unknown(id);
    return endpoint;
  };

  return [
    route({
      method: 'get',
      path: '/notifications',
      role: 'operator',
      tag: 'notifications',
      summary: 'Where alerts are sent to, and how that goes; the kinds that there are',
      answer: object({ notifications: Type.Array(EndpointSchema), kinds: Type.Array(KindSchema) }),
      handle: () => ({ notifications: notifier.list(), kinds }),
    }),
    route({
      method: 'post',
      path: '/notifications',
      role: 'admin',
      tag: 'notifications',
      summary: 'Adds one',
      problems: ['wrong-filter', 'wrong-value'],
      body: object(
        { name: Name, kind: oneOf(KIND_NAMES), settings: Settings, ...common },
        {
          examples: [{ name: 'on call', kind: 'webhook', filter: 'severity >= error', settings: { url: 'https://hooks.example/alerts' } }],
        },
      ),
      answer: EndpointSchema,
      status: 201,
      handle: ({ body }) => checked(() => notifier.add(body as typeof body & { kind: KindName })),
    }),
    route({
      method: 'put',
      path: '/notifications/{id}',
      role: 'admin',
      tag: 'notifications',
      summary: 'Changes one: what is not given stays, a setting that is null goes',
      problems: ['unknown-notification', 'wrong-filter', 'wrong-value'],
      body: object({ name: Type.Optional(Name), settings: Type.Optional(Settings), ...common }),
      answer: EndpointSchema,
      handle: ({ param, body }) => checked(() => shown(notifier.update(numbered(param('id')), body), param('id'))),
    }),
    route({
      method: 'delete',
      path: '/notifications/{id}',
      role: 'admin',
      tag: 'notifications',
      summary: 'Takes one away, with what waits for it',
      problems: ['unknown-notification'],
      answer: object({ gone: Type.Integer({ description: 'alerts that waited' }) }),
      handle: ({ param }) => ({ gone: notifier.remove(numbered(param('id'))) ?? 0 }),
    }),
    route({
      method: 'post',
      path: '/notifications/{id}/test',
      role: 'admin',
      tag: 'notifications',
      summary: 'Sends an alert, marked as a test: one that is named, or the newest',
      problems: ['unknown-notification', 'unknown-alert'],
      body: object({ alert: Type.Optional(Type.String({ maxLength: 100, description: 'its id' })) }, { examples: [{}] }),
      answer: object({ delivered: Type.Boolean(), error: Type.Optional(Type.String()), ms: Type.Number() }),
      async handle({ param, body }) {
        const id = numbered(param('id'));
        const outcome = await notifier.test(
          id,
          await (body.alert === undefined ? newest(dependencies) : alertOf(dependencies, body.alert)),
        );
        if (outcome === undefined) throw unknown(param('id'));
        return outcome;
      },
    }),
    route({
      method: 'get',
      path: '/dead-letters',
      role: 'operator',
      tag: 'notifications',
      summary: 'Alerts that could not be delivered, the newest first',
      query: object({
        notification: Type.Optional(Type.Integer({ minimum: 1, description: 'of this one alone' })),
        limit: limitParameter(1000, 1000),
        offset: OffsetParameter,
      }),
      answer: object({ total: Type.Integer(), letters: Type.Array(LetterSchema) }),
      handle({ query: { notification, limit, offset } }) {
        const letters = notifier.deadLetters(notification);
        return { total: letters.length, letters: letters.slice(offset, offset + limit) };
      },
    }),
    route({
      method: 'post',
      path: '/dead-letters/{id}/retry',
      role: 'admin',
      tag: 'notifications',
      summary: 'Puts a dead letter back into its queue',
      problems: ['unknown-letter'],
      answer: object({ alerts: Type.Integer({ description: 'on their way again; those that the history has lost are gone' }) }),
      handle: async ({ param }) => ({ alerts: await notifier.resend([lettered(param('id'))]) }),
    }),
    route({
      method: 'delete',
      path: '/dead-letters/{id}',
      role: 'admin',
      tag: 'notifications',
      summary: 'Throws a dead letter away',
      problems: ['unknown-letter'],
      answer: object({}),
      handle({ param }) {
        notifier.discard([lettered(param('id'))]);
        return {};
      },
    }),
    route({
      method: 'post',
      path: '/dead-letters/actions',
      role: 'admin',
      tag: 'notifications',
      summary: 'Sends dead letters again, or throws them away',
      body: object(
        { action: oneOf(['resend', 'discard'] as const), ids: Type.Array(Type.Integer(), { maxItems: 1000 }) },
        { examples: [{ action: 'resend', ids: [1] }] },
      ),
      answer: object({
        alerts: Type.Integer({ description: 'on their way again' }),
        discarded: Type.Integer({ description: 'letters that were thrown away' }),
      }),
      async handle({ body: { action, ids } }) {
        if (action === 'resend') return { alerts: await notifier.resend(ids), discarded: 0 };
        return { alerts: 0, discarded: notifier.discard(ids) };
      },
    }),
  ];
}

async function newest({ history }: ApiDependencies) {
  const found = await history?.alerts({ filter: '', sort: 'time', descending: true, limit: 1, offset: 0, shadow: false });
  const alert = found?.rows[0];
  if (alert === undefined) throw new Problem('unknown-alert', 'There is no alert yet that could be sent.');
  return alert;
}
