/**
 * The pages: every file of the built folder is read once, and an address is looked up among them. No path of a request ever reaches
 * the file system.
 *
 *   /assets/NAME-HASH.js   kept by browsers for ever, the name changes with the content
 *   /anything/else         the page itself, which knows its own addresses
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
};
const SMALL = 1024;

interface Page {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly zipped: Uint8Array<ArrayBuffer> | undefined;
  readonly type: string;
  readonly tag: string;
  readonly lasting: boolean;
}

function pageOf(bytes: Buffer, path: string): Page {
  const type = MEDIA_TYPES[extname(path)] ?? 'application/octet-stream';
  const zipped = bytes.length > SMALL && /^(text|application)|svg/.test(type) ? gzipSync(bytes) : undefined;
  return {
    bytes: new Uint8Array(bytes),
    zipped: zipped === undefined || zipped.length >= bytes.length ? undefined : new Uint8Array(zipped),
    type,
    tag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    lasting: path.startsWith('/assets/'),
  };
}

export interface Pages {
  /** @returns undefined where nothing answers to the path */
  answer(request: Request): Response | undefined;
  /** Are there any? */
  readonly built: boolean;
}

/** @param directory of the built pages; it need not be there */
export function readPages(directory: string): Pages {
  let files: string[] = [];
  try {
    files = readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const pages = new Map(
    files.map((file) => {
      const path = `/${relative(directory, file).split(sep).join('/')}`;
      return [path, pageOf(readFileSync(file), path)] as const;
    }),
  );
  const index = pages.get('/index.html');

  return {
    built: index !== undefined,
    answer(request) {
      const { pathname } = new URL(request.url);
      // a page's address has no dot in its last part: what has one is a file, and there or not
      const page = pages.get(pathname) ?? (/\.[^/]*$/.test(pathname) || pathname.startsWith('/assets/') ? undefined : index);
      if (page === undefined) return undefined;
      const headers: Record<string, string> = {
        'content-type': page.type,
        'cache-control': page.lasting ? 'public, max-age=31536000, immutable' : 'no-cache',
        etag: page.tag,
        vary: 'accept-encoding',
      };
      if (request.headers.get('if-none-match') === page.tag) return new Response(null, { status: 304, headers });
      const zips = page.zipped !== undefined && /\bgzip\b/.test(request.headers.get('accept-encoding') ?? '');
      const body = zips && page.zipped !== undefined ? page.zipped : page.bytes;
      if (zips) headers['content-encoding'] = 'gzip';
      headers['content-length'] = String(body.length);
      return new Response(request.method === 'HEAD' ? null : body, { headers });
    },
  };
}
