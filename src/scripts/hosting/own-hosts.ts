/**
 * Scripts that once did not return: each in a host of its own, which is fed by the host of all the others.
 *
 *   add(path) ──► host ──ends again──► the next one, behind the call that it died in
 *                   └ every OWN_ENDS-th time, or where MOST_OWN have one: it rests, and comes back (live), with a longer rest each time
 *
 * A new version of the file goes back to the others. Called by hosts.ts.
 */
import { E_CALLBACKS } from '../../flows/event.ts';
import { createRingBuffer, drain } from '../../flows/ring.ts';
import type { HostCommand, HostData } from '../../interfaces/protocol.ts';
import type { Tallies } from '../tally.ts';
import type { HostThread } from './host-thread.ts';

/** How often a script in a host of its own may be ended before it rests, and for how long at first, ms. */
const OWN_ENDS = 3;
const REST_MS = 60_000;
const LONGEST_REST_MS = 3_600_000;
/** Scripts with a host of their own at one time; more rest. */
const MOST_OWN = 4;
const RING_BYTES = 1 << 20;

interface Own {
  readonly path: string;
  readonly place: number;
  ring: SharedArrayBuffer;
  host: HostThread | undefined;
  ends: number;
  /** The next rest, ms. */
  rest: number;
  timer: NodeJS.Timeout | undefined;
}

export interface OwnHosts {
  readonly paths: () => string[];
  readonly hosts: () => HostThread[];
  /** Does the script of this file rest? undefined: it has no host of its own. */
  rests(path: string): boolean | undefined;
  /** From now on it is in here. */
  add(path: string): void;
  /** @param done callbacks of its first event that it has behind it; the next one is the one that it died in */
  start(path: string, done: number): void;
  /** A host of these was ended. @param why `did not return for …` */
  replace(host: HostThread, why: string): void;
  /** Back among the others: its file has changed. */
  rejoin(path: string): void;
  /** A script that rests comes back, with an empty ring. */
  renew(path: string): void;
  /** Tells the host of all about them: it is new. */
  introduce(): void;
  /** Nothing comes back any more. */
  close(): void;
}

export interface OwnHostsOptions {
  readonly live: boolean;
  readonly tallies: Tallies;
  readonly numberOf: (path: string) => number;
  readonly launch: (path: string, ring: SharedArrayBuffer, place: number, resume: HostData['resume']) => HostThread;
  /** Ends a host of these: `then` follows, unless all is over. */
  readonly terminate: (host: HostThread, then: () => void) => void;
  /** To the host of all. */
  readonly tell: (command: HostCommand) => void;
  /** A sentence about a script. */
  readonly complain: (path: string, what: string) => void;
  /** One fewer runs. */
  readonly fewer: () => void;
}

export function createOwnHosts({ live, tallies, numberOf, launch, terminate, tell, complain, fewer }: OwnHostsOptions): OwnHosts {
  const all = new Map<string, Own>();
  let places = 0;
  let closed = false;

  const forward = ({ path, ring, host }: Own): void => tell({ type: 'forward', path, ring: host && ring, back: false });

  /** Starts its host, if there is room for one more. */
  function startHost(own: Own, resume: HostData['resume']): void {
    if ([...all.values()].filter(({ host }) => host !== undefined).length < MOST_OWN) {
      own.host = launch(own.path, own.ring, own.place, resume);
      forward(own);
    } else {
      rest(own, `${MOST_OWN} scripts have hosts of their own already: this one is switched off`);
    }
  }

  function rest(own: Own, why: string): void {
    own.host = undefined;
    forward(own);
    complain(own.path, `${why} ${live ? `for ${own.rest / 1000} s` : 'until the end of the run'}`);
    if (live && !closed) {
      clearTimeout(own.timer);
      own.timer = setTimeout(() => renew(own.path), own.rest).unref();
      own.rest = Math.min(own.rest * 2, LONGEST_REST_MS);
    }
    fewer();
  }

  /** Counts what a script had before it whose host is gone: at the first event the callbacks behind the one it was in. */
  function leaveOut({ path, ring }: Own, host: HostThread): void {
    let behind = host.lastCall().done + 1;
    drain(ring, (bytes, at) => {
      tallies.leftOut(numberOf(path), bytes[at + E_CALLBACKS] as number, 'broken', behind);
      behind = 0;
    });
  }

  function renew(path: string): void {
    const own = all.get(path);
    if (closed || own === undefined || own.host !== undefined) return;
    clearTimeout(own.timer);
    own.timer = undefined;
    own.ring = createRingBuffer(RING_BYTES);
    startHost(own, undefined);
  }

  return {
    paths: () => [...all.keys()],
    hosts: () => [...all.values()].flatMap(({ host }) => (host === undefined ? [] : [host])),
    rests(path) {
      const own = all.get(path);
      return own && own.host === undefined;
    },
    add(path) {
      const ring = createRingBuffer(RING_BYTES);
      all.set(path, { path, ring, place: ++places, host: undefined, ends: 0, rest: REST_MS, timer: undefined });
    },
    start(path, done) {
      const own = all.get(path);
      if (own !== undefined) startHost(own, { done: done + 1 });
    },
    replace(host, why) {
      const own = [...all.values()].find((each) => each.host === host);
      if (own === undefined) return;
      own.ends++;
      if (own.ends % OWN_ENDS !== 0) {
        const { done } = host.lastCall();
        own.host = launch(own.path, own.ring, own.place, done < 0 ? undefined : { done: done + 1 });
        return;
      }
      leaveOut(own, host);
      rest(own, `the script ${why} ${own.ends} times: it is switched off`);
    },
    rejoin(path) {
      const own = all.get(path);
      if (own === undefined) return;
      clearTimeout(own.timer);
      all.delete(path);
      const back = (): void => {
        tell({ type: 'forward', path, ring: undefined, back: true });
        fewer();
      };
      const { host } = own;
      if (host === undefined) {
        back();
        return;
      }
      terminate(host, () => {
        leaveOut(own, host);
        back();
      });
    },
    renew,
    introduce() {
      for (const own of all.values()) forward(own);
    },
    close() {
      closed = true;
      for (const { timer } of all.values()) clearTimeout(timer);
    },
  };
}
