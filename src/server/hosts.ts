/**
 * Which names a request may call this server by. A page of somewhere else can make its own name point to our address (DNS rebinding),
 * and would then be of the same origin: so a name must be one of ours. An address is never such a name.
 */
import { isIP } from 'node:net';

/** @param names beside `localhost`, in lower case */
export function createHostCheck(names: readonly string[]): (host: string | undefined) => boolean {
  const known = new Set(['localhost', ...names.map((name) => name.toLowerCase())]);
  return (host) => {
    if (host === undefined) return false;
    const name = /^\[([0-9a-f:.]+)\](?::\d{1,5})?$/i.exec(host)?.[1] ?? /^([^:[\]/@?#\s]+)(?::\d{1,5})?$/.exec(host)?.[1];
    return name !== undefined && (isIP(name) !== 0 || known.has(name.toLowerCase()));
  };
}
