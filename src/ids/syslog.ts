/**
 * Syslog messages by UDP: datagrams in, the text of the JSON object in each of them out. Runs in the main thread; called by
 * sources.ts.
 *
 *   RFC 5424   <PRI>1 TIME HOST APP PROCESS MESSAGE-ID STRUCTURED-DATA [BOM]message
 *   RFC 3164   <PRI>Mmm dd hh:mm:ss HOST suricata[PID]: message        what stands before the tag differs from sender to sender
 *   bare       message
 *
 * In each the message is the object, or `@cee: ` and the object. Messages of other programs are told apart by having none:
 * before an object stands nothing, or a colon.
 */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { IdsError } from './option.ts';

const BRACE = '{';
const HEADER_5424 = /^<\d{1,3}>[1-9]\d{0,2} (?:[^ ]+ ){5}/;

/** Position after the structured data that begins at `at`: `-`, or `[id name="value" …]` with \" \\ \] escaped in values. */
function afterStructuredData(text: string, at: number): number {
  if (text[at] === '-') return at + 1;
  let quoted = false;
  while (text[at] === '[' || quoted) {
    for (at++; at < text.length; at++) {
      const character = text[at];
      if (quoted && character === '\\') at++;
      else if (character === '"') quoted = !quoted;
      else if (!quoted && character === ']') break;
    }
    if (at >= text.length) return text.length;
    at++;
  }
  return at;
}

/** @returns the message from its JSON object on, undefined where there is none */
export function syslogPayload(datagram: string): string | undefined {
  const header = HEADER_5424.exec(datagram)?.[0].length ?? 0;
  const start = header > 0 ? afterStructuredData(datagram, header) : (/^<\d{1,3}>/.exec(datagram)?.[0].length ?? 0);
  const brace = datagram.indexOf(BRACE, start);
  if (brace < 0) return undefined;
  const before = datagram.slice(start, brace).trim(); // trims a BOM too
  if (before !== '' && !before.endsWith(':')) return undefined;
  let end = datagram.length; // some senders end with a line feed or a NUL
  while (datagram.charCodeAt(end - 1) <= 0x20) end--;
  return datagram.slice(brace, end);
}

export interface SyslogListener {
  /** The port that was bound. */
  readonly port: number;
  /** Messages of programs without a JSON object. */
  others(): number;
  close(): Promise<void>;
}

export interface SyslogOptions {
  readonly address: string;
  readonly port: number;
  onMessage(payload: string): void;
  readonly log: { warn(text: string): void };
}

/** Datagrams wait here while the main thread is busy; the kernel may allow less (net.core.rmem_max). */
const RECEIVE_BUFFER = 1 << 20;

const HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there: choose another port, or stop it',
  EACCES: 'ports below 1024 are for root: choose a higher one',
  EADDRNOTAVAIL: 'this machine does not have the address; udp:0.0.0.0:PORT listens on all',
};

/**
 * Does not keep the process alive.
 * @throws IdsError when the port cannot be had
 */
export async function listenSyslog({ address, port, onMessage, log }: SyslogOptions): Promise<SyslogListener> {
  let others = 0;
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BUFFER });
  socket.on('message', (datagram) => {
    const payload = syslogPayload(datagram.toString('utf8'));
    if (payload === undefined) others++;
    else onMessage(payload);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      reject(new IdsError(`udp:${address}:${port} cannot be listened on: ${error.message}`, HINTS[error.code ?? ''] ?? ''));
    });
    socket.bind({ address, port, exclusive: true }, resolve);
  });
  socket.removeAllListeners('error');
  socket.on('error', (error) => log.warn(`udp:${address}:${port}: ${error.message}`));
  socket.unref();
  return {
    port: socket.address().port,
    others: () => others,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
