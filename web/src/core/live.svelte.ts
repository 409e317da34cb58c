/**
 * What the server tells by itself: alerts as they come, and the state of the run. One connection a page (server-sent events, which the
 * browser resumes at the last event); lost connections are tried again until they are back.
 */
import type { Alert } from '../../../src/alerts/alert.ts';
import type { AlertEvent } from '../../../src/alerts/writing.ts';
import { ApiError, api, type Status, urlOf } from './api.ts';

/** `offline`: nothing comes; what is shown is what there was. */
export type Connection = 'connecting' | 'live' | 'offline';

const RETRY_MS = 3000;
const STATUS_MS = 5000;

let connection = $state<Connection>('connecting');
let status = $state.raw<Status>();
let missed = $state(0);
const listeners = new Set<(alert: Alert, isNew: boolean) => void>();

export const live = {
  get connection() {
    return connection;
  },
  get status() {
    return status;
  },
  /** Grows whenever events may have been missed: lists that follow the stream load anew. */
  get missed() {
    return missed;
  },
};

/** Called while a component is made. */
export function onAlert(listener: (alert: Alert, isNew: boolean) => void): void {
  $effect(() => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  });
}

/** Follows the server until the returned function is called. */
export function follow(): () => void {
  let source: EventSource | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let over = false;

  function open(): void {
    if (over) return;
    source = new EventSource(urlOf('/stream', { topics: 'alerts,stats' }));
    source.onopen = () => {
      if (connection === 'offline') missed++;
      connection = 'live';
    };
    source.onerror = () => {
      connection = 'offline';
      if (source?.readyState !== EventSource.CLOSED) return;
      // refused: the session is over, or too many listen; asking says which
      void ask();
      retry = setTimeout(open, RETRY_MS);
    };
    source.addEventListener('alerts', ({ data }: MessageEvent<string>) => {
      const { alert, type } = JSON.parse(data) as AlertEvent;
      for (const listener of listeners) listener(alert, type === 'new');
    });
    source.addEventListener('stats', ({ data }: MessageEvent<string>) => {
      status = JSON.parse(data) as Status;
    });
    source.addEventListener('gap', () => void missed++);
  }
  async function ask(): Promise<void> {
    try {
      status = await api.status();
    } catch (error) {
      if (!(error instanceof ApiError)) connection = 'offline';
    }
  }
  void ask();
  const timer = setInterval(() => void (document.hidden || connection === 'live' ? undefined : ask()), STATUS_MS);
  open();
  return () => {
    over = true;
    source?.close();
    clearTimeout(retry);
    clearInterval(timer);
  };
}
