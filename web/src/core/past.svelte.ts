/**
 * What pages of live flows begin with: where all traffic is of captures that are read to their end nothing lives, and what there was is in
 * the history. The address says it too (`show=live`, `show=past`), so that a link is always the same.
 */
import { untrack } from 'svelte';
import { live } from './live.svelte.ts';
import { route } from './route.svelte.ts';
import { settings } from './settings.svelte.ts';

export type Show = 'live' | 'past';

/** Have all interfaces that are looked at ended? */
function allEnded(): boolean {
  const of = (live.status?.interfaces ?? []).filter(({ name }) => settings.interface === '' || name === settings.interface);
  return of.length > 0 && of.every(({ state }) => state === 'ended' || state === 'failed');
}

/** Called while a component is made. It is decided once for each interface that is looked at: a table that somebody reads never becomes another. */
export function beginsWith(): { readonly show: Show | undefined; readonly given: boolean } {
  let decided = $state<Show>();
  const known = $derived(live.status !== undefined);
  $effect(() => {
    void settings.interface;
    if (known) decided = untrack(allEnded) ? 'past' : 'live';
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
