/**
 * ZMQ endpoints as given to `-i`: one interface, one or several endpoints.
 *
 *   tcp://probe:5556                       we connect to the probe
 *   tcp://*:5556c                          we listen, probes connect to us ("c" for collector)
 *   zmq://…                                the same as tcp://
 *   ipc:///run/probe.sock                  a Unix socket; with c at its end we listen (not where the name ends in ".ipc")
 *   tcp://a:5556,tcp://b:5556              several, separated by commas
 *   office@tcp://probe:5556                what is before @ is a remark
 *   tcp://probe:5556?curve                 encrypted to our own key; ?curve=FILE to the secret key in the file
 *   …?password-file=FILE                   bodies are masked by a password (old probes: --zmq-encrypt-pwd), the first line of the file
 *   …?sampling=ignore                      sampling rates in records are not applied: the probe has scaled its counters already
 */
import { isIPv4, isIPv6 } from 'node:net';

export interface ZmqEndpoint {
  /** As the user wrote it, without remark. */
  readonly text: string;
  readonly transport: 'tcp' | 'ipc';
  /** Of TCP; '*' is every address of this machine. */
  readonly host: string;
  readonly port: number;
  /** Of ipc; a name that begins with @ is abstract (Linux). */
  readonly path: string;
  /** We listen and probes connect. */
  readonly bind: boolean;
  /** Encrypted: with our own key pair, or with the secret key in this file. */
  readonly curve?: true | { readonly keyFile: string };
  readonly passwordFile?: string;
  /** The probe has scaled its counters already. */
  readonly ignoreSampling?: true;
}

/** Most endpoints of one interface. */
export const MOST_ENDPOINTS = 32;

const EXAMPLE = 'It should look like tcp://probe:5556 (we connect) or tcp://*:5556c (probes connect to us)';

/** Is the value of `-i` one for this reader? */
export const isZmqInterface = (text: string): boolean => /(?:^|[@,])(?:tcp|zmq|ipc):\/\//.test(text);

/** @throws Error that says what is wrong and how it should look */
export function parseZmqEndpoints(text: string): ZmqEndpoint[] {
  const endpoints = text.split(',').map((part) => parseEndpoint(part.trim()));
  if (endpoints.length > MOST_ENDPOINTS) throw new Error(`${endpoints.length} endpoints: one interface has ${MOST_ENDPOINTS} at most`);
  const twice = endpoints.find((endpoint, index) => endpoints.findIndex((other) => other.text === endpoint.text) !== index);
  if (twice !== undefined) throw new Error(`${twice.text}: given twice`);
  return endpoints;
}

function parseEndpoint(given: string): ZmqEndpoint {
  const schemeEnd = given.indexOf('://');
  const text = given.slice(given.lastIndexOf('@', Math.max(0, schemeEnd)) + 1);
  const wrong = (what: string): Error => new Error(`${given === '' ? 'an empty endpoint' : given}: ${what}. ${EXAMPLE}`);
  const parts = /^([a-z]+):\/\/([^?]*)(?:\?(.*))?$/i.exec(text);
  if (parts === null) throw wrong('not a scheme, :// and an address');
  const [, scheme, place, query] = parts;
  const common = { text, host: '', port: 0, path: '', ...(query === undefined ? {} : parseSettings(query, wrong)) };

  switch (scheme.toLowerCase()) {
    case 'ipc': {
      const bind = place.endsWith('c') && !place.endsWith('.ipc');
      const path = bind ? place.slice(0, -1) : place;
      if (path === '' || path === '@') throw wrong('no path of a socket after ipc://');
      return { ...common, transport: 'ipc', path, bind };
    }
    case 'tcp':
    case 'zmq': {
      const address = /^(\[[^\]]*\]|[^:[\]]*):([^:]*?)(c?)$/.exec(place);
      if (address === null) throw wrong('not a host and a port (an IPv6 address stands in [ ])');
      const [, hostText, portText, suffix] = address;
      const bind = suffix === 'c';
      const host = hostText.startsWith('[') ? hostText.slice(1, -1) : hostText;
      if (hostText.startsWith('[') ? !isIPv6(host) : host === '' || /^[\d.]+$/.test(host) !== isIPv4(host)) {
        throw wrong(`"${hostText}" is no host`);
      }
      const port = Number(portText);
      if (!/^\d+$/.test(portText) || port > 65535 || (port === 0 && !bind)) throw wrong(`"${portText}" is no port (1 to 65535)`);
      if (!bind && host === '*') throw wrong('nobody can connect to *: put c at the end to listen, or name the probe');
      return { ...common, transport: 'tcp', host, port, bind };
    }
    default:
      throw wrong(`${scheme}:// is not spoken here; tcp://, zmq:// and ipc:// are`);
  }
}

type Settings = Pick<ZmqEndpoint, 'curve' | 'passwordFile' | 'ignoreSampling'>;

/** @param query `name` or `name=value`, joined by & */
function parseSettings(query: string, wrong: (what: string) => Error): Settings {
  const settings: { -readonly [K in keyof Settings]: Settings[K] } = {};
  for (const setting of query.split('&')) {
    const name = /^[^=]*/.exec(setting)?.[0] ?? '';
    const value = setting === name ? undefined : setting.slice(name.length + 1);
    if (value === '') throw wrong(`?${name}= has nothing after it`);
    if (name === 'curve') settings.curve = value === undefined || { keyFile: value };
    else if (name === 'password-file' && value !== undefined) settings.passwordFile = value;
    else if (name === 'sampling' && value === 'ignore') settings.ignoreSampling = true;
    else if (name !== 'sampling' || value !== 'apply')
      throw wrong(`"${setting}" is not understood: there are curve, curve=FILE, password-file=FILE and sampling=ignore`);
  }
  return settings;
}
