/**
 * Webhook: a POST of JSON, `{"schema":2,"test":false,"alerts":[…]}`, alerts as they are everywhere (src/alerts/alert.ts).
 *
 *   x-flowpatrol-delivery:  id, the same when it is tried again
 *   x-flowpatrol-signature: t=SECONDS,v1=HEX     with a secret: HMAC-SHA256 (RFC 2104) over `SECONDS.BODY`
 */
import { createHmac } from 'node:crypto';
import { ALERT_VERSION } from '../alerts/alert.ts';
import type { Clock } from '../alerts/clock.ts';
import { post } from './http.ts';
import { optional, type SettingValues, textOf } from './settings.ts';
import type { Transport } from './transport.ts';

/** @param seconds since 1970 */
export const signatureOf = (secret: string, seconds: number, body: string): string =>
  `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;

export function createWebhook(settings: SettingValues, clock: Clock): Transport {
  const secret = textOf(settings, 'secret');
  const authorization = textOf(settings, 'authorization');
  return {
    most: 50,
    async send({ alerts, id, test }) {
      const body = JSON.stringify({ schema: ALERT_VERSION, test, alerts });
      const now = clock.now();
      const headers = {
        'x-flowpatrol-delivery': id,
        ...(secret === '' ? {} : { 'x-flowpatrol-signature': signatureOf(secret, Math.floor(now / 1000), body) }),
        ...(authorization === '' ? {} : { authorization }),
      };
      await post({ url: textOf(settings, 'url'), body, headers, ...optional(settings, 'ca', 'ca') }, now);
    },
    close() {},
  };
}
