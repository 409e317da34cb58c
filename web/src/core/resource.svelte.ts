/** Something that is loaded, perhaps again and again, with all that can become of it: what every page shows its states from. */
import { untrack } from 'svelte';

export interface Resource<T> {
  /** The last one that came; stays while a newer one is loaded or has failed. */
  readonly data: T | undefined;
  readonly error: Error | undefined;
  readonly loading: boolean;
  reload(): void;
}

/**
 * Called while a component is made.
 * @param load what it reads of reactive state before its first `await` makes it load anew
 * @param everyMs 0 = once. A page that nobody sees loads nothing.
 */
export function resource<T>(load: (signal: AbortSignal) => Promise<T>, everyMs = 0): Resource<T> {
  let data = $state.raw<T>();
  let error = $state.raw<Error>();
  let loading = $state(true);
  let again = $state(0);

  $effect(() => {
    void again;
    const control = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const later = (): void => {
      if (everyMs > 0 && !control.signal.aborted)
        timer = setTimeout(() => (document.hidden ? later() : void run(load(control.signal))), everyMs);
    };
    async function run(answer: Promise<T>): Promise<void> {
      try {
        const found = await answer;
        if (control.signal.aborted) return;
        data = found;
        error = undefined;
      } catch (failure) {
        if (control.signal.aborted) return;
        error = failure as Error;
      }
      loading = false;
      later();
    }
    const answer = load(control.signal); // its reads are tracked here
    untrack(() => {
      loading = true;
      void run(answer);
    });
    return () => {
      control.abort();
      clearTimeout(timer);
    };
  });

  return {
    get data() {
      return data;
    },
    get error() {
      return error;
    },
    get loading() {
      return loading;
    },
    reload: () => void again++,
  };
}
