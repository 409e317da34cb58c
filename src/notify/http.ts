/** One POST of JSON, for webhook.ts and chat.ts: what the receiver answers, or a DeliveryError. Redirects are not followed. */

import type { IncomingMessage } from 'node:http';
import { request as http } from 'node:http';
import { request as https } from 'node:https';
import { DeliveryError, TIMEOUT_MS } from './transport.ts';

export interface Post {
  readonly url: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Authorities that the receiver's certificate is held to, PEM; those of the system without it. */
  readonly ca?: string;
}

/** Bytes of an answer that are looked at, for messages. */
const MOST_ANSWER = 300;
/** Refusals that may pass: time-out, too early, too many (RFC 9110, 8470, 6585). */
const PASSING = new Set([408, 425, 429]);
const LONGEST_WAIT_MS = 3_600_000;

/** Seconds, or a date (RFC 9110, 10.2.3). */
function retryAfter(header: string | undefined, now: number): number {
  if (header === undefined) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.min(LONGEST_WAIT_MS, Math.max(0, ms)) : 0;
}

/** The beginning of the answer, as one line. */
async function answerOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk as string;
    if (text.length > MOST_ANSWER) break; // ends the response too
  }
  return text.slice(0, MOST_ANSWER).replace(/\s+/g, ' ').trim();
}

/**
 * @param now ms since 1970, for dates that the receiver names
 * @throws DeliveryError
 */
export async function post({ url, body, headers, ca }: Post, now: number): Promise<void> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let response: IncomingMessage;
  let answer: string;
  try {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const length = Buffer.byteLength(body);
    const options = {
      ...{ method: 'POST', signal, agent: false as const },
      headers: { 'content-type': 'application/json', 'content-length': length, 'user-agent': 'flowpatrol', ...headers },
      ...(ca === undefined ? {} : { ca }),
    };
    const request = url.startsWith('https:') ? https(url, options) : http(url, options);
    request.on('response', resolve).on('error', reject).end(body);
    response = await promise;
    answer = await answerOf(response);
  } catch (error) {
    throw new DeliveryError(signal.aborted ? `no answer within ${TIMEOUT_MS / 1000} s` : (error as Error).message);
  }
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return;
  const what = `the receiver answered ${status}${answer === '' ? '' : `: ${answer}`}`;
  throw new DeliveryError(what, status < 500 && !PASSING.has(status), retryAfter(response.headers['retry-after'], now));
}
