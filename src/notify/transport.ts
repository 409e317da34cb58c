/**
 * What a kind of notification has to be able to do: a batch of alerts in, done or a {@link DeliveryError}. Implemented by webhook.ts,
 * chat.ts, mail.ts, syslog.ts, file.ts and command.ts; called by queue.ts, one delivery at a time.
 */
import type { Alert } from '../alerts/alert.ts';

export interface Delivery {
  /** One or more, at most {@link Transport.most}. */
  readonly alerts: readonly Alert[];
  /** Stays the same when the delivery is tried again, so that a receiver can tell repetitions. */
  readonly id: string;
  /** Somebody looks whether the endpoint works. */
  readonly test: boolean;
}

export interface Transport {
  /** Alerts of one delivery. */
  readonly most: number;
  /** @throws DeliveryError; any other error counts as one that may pass */
  send(delivery: Delivery): Promise<void>;
  close(): void;
}

/** A delivery has failed. */
export class DeliveryError extends Error {
  /** Trying again would not help. */
  readonly permanent: boolean;
  /** The receiver asks for so much time, ms. */
  readonly retryAfterMs: number;

  constructor(message: string, permanent = false, retryAfterMs = 0) {
    super(message);
    this.permanent = permanent;
    this.retryAfterMs = retryAfterMs;
  }
}

/** How long a receiver may take, ms. */
export const TIMEOUT_MS = 10_000;
