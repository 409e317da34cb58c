/**
 * What pages of live flows begin with: where all traffic is of captures that are read to their end nothing lives, and what there was is in
 * the history. The address says it too (`show=live`, `show=past`), so that a link is always the same.
 */
import { api, type Status } from './api.ts';
import { route } from './route.svelte.ts';
import { settings } from './settings.svelte.ts';

export type Show = 'live' | 'past';

/** Have all interfaces that are looked at ended? */
export function allEnded(status: Status): boolean {
  const of = status.interfaces.filter(({ name }) => settings.interface === '' || name === settings.interface);
  return of.length > 0 && of.every(({ state }) => state === 'ended' || state === 'failed');
}

/**
 * Called while a component is made. It is decided once for each interface that is looked at, by an answer of that moment (the stream's figures
 * can be a second old): a table that somebody reads never becomes another.
 */
export function beginsWith(): { readonly show: Show | undefined; readonly given: boolean } {
  let decided = $state<Show>();
  $effect(() => {
    void settings.interface;
    const asked = new AbortController();
    api.status(asked.signal).then(
      (status) => {
        decided = allEnded(status) ? 'past' : 'live';
      },
      () => {
        if (!asked.signal.aborted) decided = 'live'; // which says what is wrong
      },
    );
    return () => asked.abort();
  });
  const given = $derived(route.query.show === 'live' || route.query.show === 'past' ? route.query.show : undefined);
  return {
    get show() {
      return given ?? decided;
    },
    get given() {
      return given !== undefined;
    },
  };
}
