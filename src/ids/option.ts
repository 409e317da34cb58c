/**
 * Where alerts come from: the text of one `--ids` in, its meaning out. Called by the command line and by sources.ts.
 *
 *   FILE                 Suricata's eve.json, followed
 *   udp:ADDRESS:PORT     syslog messages; an IPv6 address in brackets
 */
import { isIPv4, isIPv6 } from 'node:net';

export type IdsSource =
  | { readonly kind: 'file'; readonly path: string }
  /** @property port 0 takes any that is free; the log says which */
  | { readonly kind: 'udp'; readonly address: string; readonly port: number };

/** A source that cannot be used: a sentence, and what to do about it. */
export class IdsError extends Error {
  /** `''` for none. */
  readonly hint: string;

  constructor(message: string, hint = '') {
    super(message);
    this.hint = hint;
  }
}

const UDP_FORM = 'write udp:127.0.0.1:5514, or udp:[::1]:5514';

/** @throws IdsError */
export function parseIdsOption(text: string): IdsSource {
  if (text.trim() === '') throw new IdsError('no source of alerts is named', `give the path of eve.json; for syslog ${UDP_FORM}`);
  if (text === '-') throw new IdsError('alerts are not read from standard input', 'write them to a file and give its path');
  const scheme = /^(tcp|tls|unix|redis|syslog|https?):/i.exec(text)?.[1];
  if (scheme !== undefined) {
    throw new IdsError(
      `alerts do not come by ${scheme}: only a file or udp:ADDRESS:PORT`,
      `a file of that name: ./${text}; for syslog ${UDP_FORM}`,
    );
  }
  if (!/^udp:/i.test(text)) return { kind: 'file', path: text };
  const end = text.lastIndexOf(':');
  const port = text.slice(end + 1);
  const host = text.slice(4, Math.max(4, end));
  const address = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  if (address === '') throw new IdsError(`${text} lacks the address to listen on`, UDP_FORM);
  if (address === host ? !isIPv4(address) : !isIPv6(address)) {
    throw new IdsError(`${text}: ${host} is no address of this machine`, `${UDP_FORM}; udp:0.0.0.0:5514 listens on all`);
  }
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535)
    throw new IdsError(`${text}: ${port} is no port`, `ports are 1 to 65535: ${UDP_FORM}`);
  return { kind: 'udp', address, port: Number(port) };
}
