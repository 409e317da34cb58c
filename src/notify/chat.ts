/**
 * Messages for rooms of Slack, Mattermost and Teams: a POST to the address that the room has given out.
 *
 *   slack, mattermost   attachments with colour, title and text (Slack's legacy attachments, which Mattermost takes too)
 *   teams               an adaptive card (version 1.4) in a message
 *
 * Names in alerts come from the traffic: nothing of them may become a link, a mention or a format.
 */
import type { Alert, Severity } from '../alerts/alert.ts';
import type { Clock } from '../alerts/clock.ts';
import { post } from './http.ts';
import { optional, type SettingValues, textOf } from './settings.ts';
import type { Transport } from './transport.ts';
import { byStrength, linkOf, momentOf } from './words.ts';

export const CHATS = ['slack', 'mattermost', 'teams'] as const;
export type Chat = (typeof CHATS)[number];

const COLOURS: Readonly<Record<Severity, string>> = {
  debug: '#8a8f98',
  info: '#3b82f6',
  notice: '#0ea5e9',
  warning: '#d97706',
  error: '#dc2626',
  critical: '#b91c1c',
  alert: '#991b1b',
  emergency: '#7f1d1d',
};
const CARD_COLOURS: Readonly<Record<Severity, string>> = {
  debug: 'Default',
  info: 'Accent',
  notice: 'Accent',
  warning: 'Warning',
  error: 'Attention',
  critical: 'Attention',
  alert: 'Attention',
  emergency: 'Attention',
};

/** Slack has three characters that mean something; a mention is written with them. */
const forSlack = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
/** Signs of Markdown get a backslash; after `@` and in `://` stands a character of no width. */
const forMarkdown = (text: string): string =>
  text
    .replace(/[\\`*_{}[\]()#+!|~<>-]/g, '\\$&')
    .replaceAll('@', '@\u200b')
    .replaceAll('://', ':\u200b//');

function attachments(alerts: readonly Alert[], page: string, clean: (text: string) => string): object[] {
  return alerts.map((alert) => {
    const link = linkOf(alert, page);
    return {
      color: COLOURS[alert.severity],
      title: clean(`[${alert.severity}] ${alert.title}`),
      ...(link === '' ? {} : { title_link: link }),
      text: clean(alert.description),
      fallback: clean(`${alert.title}: ${alert.description}`),
      footer: clean(`${alert.interface} · ${alert.script}`),
      ts: Math.floor(alert.time / 1e6),
    };
  });
}

function card(alerts: readonly Alert[], head: string, page: string): object {
  const block = (text: string, more: object = {}): object => ({ type: 'TextBlock', wrap: true, text, ...more });
  const body = alerts.flatMap((alert) => {
    const link = linkOf(alert, page);
    const title = forMarkdown(`[${alert.severity}] ${alert.title}`);
    return [
      block(link === '' ? title : `[${title}](${link})`, { weight: 'Bolder', color: CARD_COLOURS[alert.severity], separator: true }),
      block(forMarkdown(alert.description), { spacing: 'None' }),
      block(forMarkdown(`${momentOf(alert.time)} · ${alert.interface} · ${alert.script}`), {
        spacing: 'None',
        isSubtle: true,
        size: 'Small',
      }),
    ];
  });
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [block(head, { size: 'Medium' }), ...body],
  };
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }] };
}

/** What is posted. */
export function chatMessage(chat: Chat, given: readonly Alert[], test: boolean, page: string): object {
  const alerts = byStrength(given);
  const head = `flowpatrol: ${test ? 'a test, ' : ''}${alerts.length === 1 ? 'an alert' : `${alerts.length} alerts`}`;
  if (chat === 'teams') return card(alerts, head, page);
  return { text: head, attachments: attachments(alerts, page, chat === 'slack' ? forSlack : forMarkdown) };
}

export function createChat(settings: SettingValues, clock: Clock): Transport {
  return {
    most: 10,
    async send({ alerts, test }) {
      const message = chatMessage(textOf(settings, 'service') as Chat, alerts, test, textOf(settings, 'page'));
      await post({ url: textOf(settings, 'url'), body: JSON.stringify(message), ...optional(settings, 'ca', 'ca') }, clock.now());
    },
    close() {},
  };
}
