/**
 * Which page, from the part of the address after `#`: `#/flows/ID?filter=…`. The server needs to know nothing of it, and every view can be
 * kept as a link.
 */

export interface Route {
  readonly path: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

function read(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?', 2);
  return {
    path: path
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

let current = $state.raw<Route>(read());
addEventListener('hashchange', () => (current = read()));

export const route = {
  get path() {
    return current.path;
  },
  get query() {
    return current.query;
  },
};

type Given = Readonly<Record<string, string | number | undefined>>;

/** @param path parts, not encoded */
export function href(path: readonly string[], query: Given = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return `#/${path.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}

export const go = (path: readonly string[], query: Given = {}): void => {
  location.hash = href(path, query);
};

/** Changes the query of this page without a step in the browser's history. */
export function refine(change: Given): void {
  history.replaceState(null, '', href(current.path, { ...current.query, ...change }));
  current = read();
}
