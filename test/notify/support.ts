/** Alerts of the store, and servers that keep what comes to them. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type { TestContext } from 'node:test';
import { ALERT_VERSION, type Alert } from '../../src/alerts/alert.ts';
import { type RaisedOf, raised } from '../alerts/support.ts';
import { CERTIFICATE, KEY } from './certificate.ts';

let numbers = 0;

export function alertOf(of: RaisedOf & Partial<Pick<Alert, 'id' | 'title' | 'description'>> = {}): Alert {
  const { id = `alert${String(++numbers).padStart(6, '0')}`, title = 'Blacklisted', description = 'it is on a list', ...rest } = of;
  const made = raised(rest);
  return {
    ...made,
    ...{ schema: ALERT_VERSION, id, title, description, count: 1, firstTime: made.time, lastTime: made.time },
    ...{ bytes: 1000, packets: 10, secondary: false, state: 'new', by: '', comment: '', changed: 0 },
  };
}

export async function listening(t: TestContext, server: NetServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    if ('closeAllConnections' in server) (server as Server).closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface HttpServer {
  readonly url: string;
  readonly received: Received[];
  /** What it answers, by number of the request; 204 without it. */
  answer: (response: ServerResponse, number: number) => void;
}

export async function httpServer(t: TestContext, secure = false): Promise<HttpServer> {
  const received: Received[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk as string;
    received.push({ path: request.url ?? '', headers: request.headers, body });
    made.answer(response, received.length - 1);
  };
  const server = secure ? createTlsServer({ key: KEY, cert: CERTIFICATE }, take) : createServer(take);
  const port = await listening(t, server);
  const made: HttpServer = {
    url: `http${secure ? 's' : ''}://127.0.0.1:${port}/hook?token=abc`,
    received,
    answer: (response) => void response.writeHead(204).end(),
  };
  return made;
}
