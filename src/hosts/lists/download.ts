/**
 * Downloads one list over http or https.
 *
 * Enters: a URL and what is known of the last answer. Leaves: the bytes (unpacked), or undefined where the server says that
 * nothing has changed. Errors are sentences (ListError) for the log. Called by the store.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ListError } from './declaration.ts';

export interface Limits {
  /** Bytes of a list after unpacking. */
  readonly bytes: number;
  readonly lines: number;
  /** For one download, redirects included, ms. */
  readonly downloadMs: number;
}

/** What a server has said of a list's version; `''` where it has not. */
export interface Version {
  readonly etag: string;
  readonly lastModified: string;
}

export interface Download extends Version {
  readonly bytes: Buffer;
}

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

const tooLarge = (limit: number): ListError =>
  new ListError(`is larger than ${Math.floor(limit / 1024)} KiB`, 'split it, or drop what you do not need');

/** @throws ListError when more than `limit` bytes come */
export async function collect(stream: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > limit) throw tooLarge(limit); // leaving the loop closes the stream
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** The content of a gzip file (RFC 1952), anything else as it is. */
export async function unpacked(bytes: Buffer, limit: number): Promise<Buffer> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit);
    throw new ListError(`is a damaged gzip file: ${(error as Error).message}`);
  }
}

/**
 * Where a redirect leads.
 * @throws ListError where it leads away from http and https, or from https back to http
 */
export function redirected(from: URL, location: string | null): URL {
  if (location === null || !URL.canParse(location, from.href)) throw new ListError(`${from.host} redirects to nowhere`);
  const to = new URL(location, from);
  if (to.protocol !== 'https:' && (to.protocol !== 'http:' || from.protocol === 'https:')) {
    throw new ListError(`${from.host} redirects from ${from.protocol.slice(0, -1)} to ${to.protocol.slice(0, -1)}, which is not followed`);
  }
  return to;
}

/** What went wrong on the way, in words: fetch hides it in `cause`. */
function reason(error: Error, host: string, limits: Limits): ListError {
  if (error instanceof ListError) return error;
  if (error.name === 'TimeoutError') return new ListError(`${host} was not done within ${limits.downloadMs / 1000} s`);
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException).code;
  return new ListError(`no answer from ${host}: ${[code, cause.message].filter(Boolean).join(' ') || 'connection failed'}`);
}

/** @throws ListError */
export async function download(
  from: string,
  known: Version,
  limits: Limits,
  fetch: typeof globalThis.fetch,
): Promise<Download | undefined> {
  const signal = AbortSignal.timeout(limits.downloadMs);
  let url = new URL(from);
  try {
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const headers = new Headers({ 'user-agent': 'flowpatrol', accept: 'text/plain, */*' });
      if (known.etag !== '') headers.set('if-none-match', known.etag);
      if (known.lastModified !== '') headers.set('if-modified-since', known.lastModified);
      const response = await fetch(url.href, { headers, redirect: 'manual', signal });
      if (response.status === 200 && response.body !== null) {
        return {
          bytes: await unpacked(await collect(response.body, limits.bytes), limits.bytes),
          etag: response.headers.get('etag') ?? '',
          lastModified: response.headers.get('last-modified') ?? '',
        };
      }
      await response.body?.cancel();
      if (response.status === 304) return undefined;
      if (!REDIRECTS.has(response.status)) throw new ListError(`HTTP status ${response.status} from ${url.host}`);
      url = redirected(url, response.headers.get('location'));
    }
  } catch (error) {
    throw reason(error as Error, url.host, limits);
  }
  throw new ListError(`more than ${MAX_REDIRECTS} redirects, the last to ${url.host}`);
}
