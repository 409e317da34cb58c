/** Flows that a script wants to be called for: tested before the call, so that what is left out costs nothing. Called by host.ts. */
import type { Callback } from '../../flows/event.ts';
import { STATE_TWH_OK } from '../../flows/record.ts';
import type { EventView } from '../../flows/view.ts';
import type { CallFilter } from '../runtime.ts';

const TCP = 6;

/**
 * A script that needs packets where there are none is not applicable as a whole (scripts.ts).
 * @param maxIdle the interface's maximum idleness, s
 * @returns the part of the filter that the flow does not pass
 */
export function stoppedBy(filter: CallFilter, callback: Callback, view: EventView, maxIdle: () => number): keyof CallFilter | undefined {
  if (filter.l4 !== undefined && !filter.l4.includes(view.l4())) return 'l4';
  if (filter.l7 !== undefined && view.application() !== filter.l7 && view.master() !== filter.l7) return 'l7';
  if (filter.handshake === true && view.l4() === TCP && (view.state() & STATE_TWH_OK) === 0) return 'handshake';
  const { periodicSeconds: seconds } = filter;
  if (callback === 'periodicUpdate' && seconds !== undefined && !isPeriod(seconds, view.time() / 1e6, maxIdle())) return 'periodicSeconds';
  return undefined;
}

/** Is this the first periodicUpdate of the flow within another stretch of `seconds`? The engine's own come every 5 times the idleness. */
const isPeriod = (seconds: number, now: number, maxIdle: number): boolean =>
  Math.floor(now / seconds) !== Math.floor((now - maxIdle * 5) / seconds);
