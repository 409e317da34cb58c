/**
 * The kinds of notifications: the one declaration of their names, settings and transports. A new kind is an entry here and a file with
 * the shape of transport.ts.
 */
import type { Clock } from '../alerts/clock.ts';
import { CHATS, createChat } from './chat.ts';
import { createCommand } from './command.ts';
import { createFile } from './file.ts';
import { createMail, MAIL_SECURITY } from './mail.ts';
import type { Setting, SettingValues } from './settings.ts';
import { createSyslog, FACILITIES, SYSLOG_TRANSPORTS } from './syslog.ts';
import type { Transport } from './transport.ts';
import { createWebhook } from './webhook.ts';

export interface Kind {
  readonly title: string;
  readonly settings: readonly Setting[];
  /** Seconds between two deliveries, unless the user says otherwise. */
  readonly pause: number;
  create(settings: SettingValues, clock: Clock): Transport;
}

const CA: Setting = { name: 'ca', type: 'pem', doc: "authorities that the receiver's certificate is held to; those of Node.js without it" };
const PAGE: Setting = { name: 'page', type: 'url', doc: 'address of the pages of flowpatrol, for links' };
const host = (what: string): Setting => ({
  ...{ name: 'host', type: 'text', doc: `name or address of the ${what}`, required: true },
  ...{ pattern: /^[\w.:-]+$/, like: 'host.example' },
});
const port = (value: number): Setting => ({ name: 'port', type: 'integer', from: 1, to: 65_535, default: value, doc: 'its port' });
const MAIL_ADDRESS = /^[^\s@<>,;"]+@[^\s@<>,;"]+$/;

export const KINDS = {
  webhook: {
    title: 'Webhook',
    settings: [
      { name: 'url', type: 'url', required: true, doc: 'where alerts are posted' },
      { name: 'secret', type: 'text', secret: true, doc: 'key of the signature (HMAC-SHA256)' },
      { name: 'authorization', type: 'text', secret: true, doc: 'the Authorization header' },
      CA,
    ],
    pause: 0,
    create: createWebhook,
  },
  mail: {
    title: 'E-mail',
    settings: [
      host('mail server'),
      port(587),
      { name: 'security', type: 'choice', choices: MAIL_SECURITY, default: 'starttls', doc: 'how the connection is protected' },
      { name: 'user', type: 'text', doc: 'who logs in; nobody without it' },
      { name: 'password', type: 'text', secret: true, doc: "the user's password" },
      { name: 'from', type: 'text', required: true, pattern: MAIL_ADDRESS, like: 'flowpatrol@host.example', doc: 'sender' },
      { name: 'to', type: 'list', required: true, most: 20, pattern: MAIL_ADDRESS, like: 'somebody@host.example', doc: 'receivers' },
      PAGE,
      CA,
    ],
    pause: 60,
    create: createMail,
  },
  syslog: {
    title: 'Syslog',
    settings: [
      { name: 'transport', type: 'choice', choices: SYSLOG_TRANSPORTS, default: 'udp', doc: 'how messages travel' },
      host('syslog server'),
      port(514),
      { name: 'facility', type: 'choice', choices: FACILITIES, default: 'local0', doc: 'facility of the messages' },
      CA,
    ],
    pause: 0,
    create: createSyslog,
  },
  chat: {
    title: 'Slack, Mattermost, Teams',
    settings: [
      { name: 'service', type: 'choice', choices: CHATS, default: 'slack', doc: 'whose shape the messages have' },
      { name: 'url', type: 'url', required: true, secret: true, doc: 'the incoming webhook of the room' },
      PAGE,
      CA,
    ],
    pause: 5,
    create: createChat,
  },
  file: {
    title: 'File',
    settings: [
      {
        name: 'path',
        type: 'text',
        required: true,
        pattern: /^\/.*[^/]$/,
        like: '/var/log/flowpatrol/alerts.jsonl',
        doc: 'JSON lines go to its end',
      },
    ],
    pause: 0,
    create: createFile,
  },
  command: {
    title: 'Command',
    settings: [
      { name: 'command', type: 'list', required: true, most: 50, doc: 'the program and its arguments; no shell looks at them' },
      { name: 'limit', type: 'integer', from: 1, to: 300, default: 30, doc: 'seconds after which it is killed' },
    ],
    pause: 0,
    create: createCommand,
  },
} as const satisfies Readonly<Record<string, Kind>>;

export type KindName = keyof typeof KINDS;
export const KIND_NAMES = Object.keys(KINDS) as readonly KindName[];
export const isKind = (name: unknown): name is KindName => typeof name === 'string' && Object.hasOwn(KINDS, name);
