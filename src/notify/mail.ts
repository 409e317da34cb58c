/** E-mail by SMTP: one message per delivery, with up to 50 alerts, the strongest first. */
import { createTransport } from 'nodemailer';
import type { Alert } from '../alerts/alert.ts';
import { listOf, type SettingValues, textOf } from './settings.ts';
import { DeliveryError, TIMEOUT_MS, type Transport } from './transport.ts';
import { byStrength, factsOf, lineOf, linkOf } from './words.ts';

export const MAIL_SECURITY = ['starttls', 'tls', 'none'] as const;

const LONGEST_SUBJECT = 150;

export interface MailText {
  readonly subject: string;
  readonly text: string;
}

export function mailOf(given: readonly Alert[], test: boolean, page: string): MailText {
  const alerts = byStrength(given);
  const [first] = alerts as [Alert];
  const count = alerts.length === 1 ? '' : `${alerts.length} alerts, first `;
  const subject = `${test ? 'Test: ' : ''}${count}${lineOf(first)}`;
  const parts = alerts.map((alert) => {
    const link = linkOf(alert, page);
    const facts = factsOf(alert).map(([name, value]) => `  ${name}: ${value}`);
    return [lineOf(alert), ...facts, ...(link === '' ? [] : [`  ${link}`])].join('\n');
  });
  return {
    subject: subject.length > LONGEST_SUBJECT ? `${subject.slice(0, LONGEST_SUBJECT - 1)}…` : subject,
    text: `${parts.join('\n\n')}\n`,
  };
}

/** Refusals for good (RFC 5321, 4.2.1: 5yz) are not tried again; a name that is not there may come back. */
const isPermanent = (error: Error & { responseCode?: number }): boolean => (error.responseCode ?? 0) >= 500;

export function createMail(settings: SettingValues): Transport {
  const security = textOf(settings, 'security');
  const user = textOf(settings, 'user');
  const ca = textOf(settings, 'ca');
  const mailer = createTransport({
    host: textOf(settings, 'host'),
    port: Number(settings.port),
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(user === '' ? {} : { auth: { user, pass: textOf(settings, 'password') } }),
    ...(ca === '' ? {} : { tls: { ca } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: 2 * TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    most: 50,
    async send({ alerts, id, test }) {
      const from = textOf(settings, 'from');
      try {
        await mailer.sendMail({
          ...mailOf(alerts, test, textOf(settings, 'page')),
          from,
          to: [...listOf(settings, 'to')],
          messageId: `<${id}@flowpatrol.invalid>`,
          headers: { 'Auto-Submitted': 'auto-generated' }, // RFC 3834: nobody's holiday notice answers
        });
      } catch (error) {
        throw new DeliveryError((error as Error).message, isPermanent(error as Error));
      }
    },
    close: () => mailer.close(),
  };
}
