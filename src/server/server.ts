/**
 * The server on the network: HTTP or HTTPS, in front of the programming interface and the pages.
 *
 *   connection ──► Host is one of our names ──► /api/v1/…  ──► programming interface (who: access.ts)
 *                                          ├──► /metrics, /healthz, /readyz, /api
 *                                          └──► pages (static.ts)             every answer ──► headers.ts
 *
 * createWebServer is inert; `listen` opens the port. Called by the command line (src/cli/web.ts).
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { isIP } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { API } from '../api/address.ts';
import { createApi } from '../api/app.ts';
import type { ApiDependencies } from '../api/dependencies.ts';
import { openApiDocument } from '../api/openapi.ts';
import { apiPage, apiStyle } from '../api/page.ts';
import { Problem, problemResponse } from '../api/problems.ts';
import { allRoutes } from '../api/routes.ts';
import type { Access } from './access.ts';
import { securityHeaders } from './headers.ts';
import { createHostCheck } from './hosts.ts';
import type { Pages } from './static.ts';
import type { Credentials } from './tls.ts';

export interface WebAddress {
  readonly address: string;
  /** 0: one that is free. */
  readonly port: number;
}

export interface WebServerOptions {
  readonly dependencies: ApiDependencies;
  readonly access: Access;
  readonly pages: Pages;
  /** Host names that it is called by, beside `localhost` and addresses. */
  readonly names: readonly string[];
  readonly tls?: (Credentials & { readonly own: boolean }) | undefined;
  /** Is everything that should run running? */
  readonly ready: () => boolean;
}

export interface WebServer {
  /** @throws ServerError */
  listen(where: WebAddress): Promise<void>;
  /** Where it listens, for people. */
  url(): string;
  /** Ends what is being answered. */
  close(): Promise<void>;
}

/** The port cannot be had; `hint` says what to do. */
export class ServerError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** Requests and their headers, ms: whoever is slower holds up a connection for nothing. Bodies of captures may take longer. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30 * 60e3;
const IDLE_MS = 65_000;
const MOST_CONNECTIONS = 1000;
const MOST_HEADER_BYTES = 16 << 10;

function listenError({ address, port }: WebAddress, error: NodeJS.ErrnoException): ServerError {
  const where = `${address}:${port}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new ServerError(
        `the web interface cannot listen at ${where}: the port is taken`,
        `another port: -w ${port + 1}, or none: --no-web; ss -ltnp 'sport = :${port}' shows who has it`,
      );
    case 'EACCES':
      return new ServerError(`the web interface cannot listen at ${where}: ports below 1024 need a right`, '-w 3000 needs none');
    case 'EADDRNOTAVAIL':
      return new ServerError(
        `the web interface cannot listen at ${where}: this machine does not have the address`,
        'ip address shows which it has',
      );
    default:
      return new ServerError(`the web interface cannot listen at ${where}: ${error.message}`, '-w ADDRESS:PORT, or --no-web');
  }
}

const page = (title: string, text: string): Response =>
  new Response(`<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1><p>${text}</p>`, {
    headers: { 'content-type': 'text/html; charset=utf-8' },
  });

export function createWebServer({ dependencies, access, pages, names, tls, ready }: WebServerOptions): WebServer {
  const api = createApi(dependencies, access.identify);
  const document = openApiDocument(allRoutes(dependencies), dependencies.version);
  const html = apiPage(document);
  const style = apiStyle();
  const protect = securityHeaders(tls?.own === true);
  let isOurs = createHostCheck(names);
  let shown = '';

  async function answer(request: Request, environment: unknown): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === '/metrics') {
      const inner = new Request(new URL(`${API}/metrics`, request.url), request);
      return api.fetch(inner, environment as object);
    }
    if (pathname.startsWith('/api/v1/')) return api.fetch(request, environment as object);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return problemResponse(new Problem('not-found', `There is no ${request.method} ${pathname}.`));
    }
    switch (pathname) {
      case '/healthz':
        return Response.json({ status: 'ok' });
      case '/readyz':
        return Response.json({ status: ready() ? 'ready' : 'not ready' }, { status: ready() ? 200 : 503 });
      case '/api':
        return new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' } });
      case '/api/style.css':
        return new Response(style, { headers: { 'content-type': 'text/css; charset=utf-8', 'cache-control': 'no-cache' } });
    }
    const found = pages.answer(request);
    if (found !== undefined) return found;
    if (!pages.built && pathname === '/') {
      return page(
        'flowpatrol',
        'The pages are not built: npm run setup builds them. The programming interface is at <a href="/api">/api</a>.',
      );
    }
    return problemResponse(new Problem('not-found', `There is no ${request.method} ${pathname}.`));
  }

  async function handle(request: Request, environment: unknown): Promise<Response> {
    let found: Response;
    try {
      const host = request.headers.get('host') ?? undefined;
      found = isOurs(host)
        ? await answer(request, environment)
        : problemResponse(
            new Problem('wrong-host', `This server is not called ${host ?? '(nothing)'}.`, {
              hint: '--web-name NAME lets it be called so',
            }),
          );
    } catch (error) {
      dependencies.log.error({ stack: (error as Error).stack }, `the web server failed: ${(error as Error).message}`);
      found = problemResponse(new Problem('internal', 'A mistake in flowpatrol; its log says more.'));
    }
    const answered = new Response(found.body, found);
    protect(answered.headers);
    return answered;
  }

  const listener = getRequestListener(handle, {
    overrideGlobalObjects: false,
    errorHandler: () => problemResponse(new Problem('wrong-parameter', 'The request cannot be understood.')),
  });
  const options = { maxHeaderSize: MOST_HEADER_BYTES, headersTimeout: HEADERS_MS, keepAliveTimeout: IDLE_MS, requestTimeout: REQUEST_MS };
  const server: Server =
    tls === undefined
      ? createServer(options, listener)
      : createSecureServer({ ...options, key: tls.key, cert: tls.cert, minVersion: 'TLSv1.2' }, listener);
  server.maxConnections = MOST_CONNECTIONS;

  return {
    async listen(where) {
      server.listen(where.port, where.address);
      try {
        await once(server, 'listening');
      } catch (error) {
        throw listenError(where, error as NodeJS.ErrnoException);
      }
      const { address, port } = server.address() as AddressInfo;
      // a name that it was told to listen at is one that it has
      if (isIP(where.address) === 0) isOurs = createHostCheck([...names, where.address]);
      const any = address === '0.0.0.0' || address === '::';
      const host = any ? 'localhost' : isIP(address) === 6 ? `[${address}]` : address;
      shown = `${tls === undefined ? 'http' : 'https'}://${host}:${port}/`;
      server.on('error', (error) => dependencies.log.error({}, `the web server: ${error.message}`));
    },
    url: () => shown,
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
