/** Names, addresses and fingerprints that detection found in the payload. */
import { I_EXTRA, R_IAT } from '../record.ts';
import type { DetailName, EventView, KnownProtocol } from '../view.ts';
import { type Declared, type FieldValue, group, int, string, table } from './field.ts';

const MOST_URL = 512;
const METHODS = new Set(['GET', 'POST', 'HEAD', 'PUT']);
/** By nDPI's number of the weakness. */
const CIPHER_CLASSES = ['safe', 'weak', 'insecure'];

export const isIcmp = (view: EventView): boolean => view.l4() === 1 || view.l4() === 58;
/** Type and code of the last ICMP packet. */
export const icmpMessage = (view: EventView): { type: number; code: number } => ({
  type: view.u8(R_IAT + I_EXTRA + 2),
  code: view.u8(R_IAT + I_EXTRA + 3),
});

/** A number of the detail block as an integer. */
const whole = (view: EventView, detail: DetailName): number | undefined => {
  const value = view.number(detail);
  return Number.isSafeInteger(value) ? value : undefined;
};

/** Detection's host name: the port is cut off where it comes from an HTTP header. */
function hostName(view: EventView): string | undefined {
  const name = view.text('host_server_name');
  return name === undefined || !view.is('HTTP') ? name : name.replace(/:\d{1,5}$/, '');
}

const serverName = (view: EventView): string | undefined => (view.is('DNS') || view.is('DHCP') ? undefined : hostName(view));

const dnsQuery = (view: EventView): string | undefined => view.text('host_server_name')?.replace(/[^\x20-\x7e]/g, '?');

/** Host and path, cut before the first character that cannot be printed. */
function httpUrl(view: EventView): string | undefined {
  const url = view.text('http.url');
  if (url === undefined) return undefined;
  const whole = url.startsWith('/') ? (hostName(view) ?? '') + url : url;
  return /^[\x20-\x7e]*/.exec(whole.slice(0, MOST_URL))?.[0];
}

const httpMethod = (view: EventView): string | undefined => {
  const method = view.text('http.method');
  return method !== undefined && METHODS.has(method) ? method : undefined;
};

/** CN of a distinguished name as nDPI writes it: `C=IT, O=Example, CN=www.example.org`. */
const commonName = (name: string | undefined): string | undefined => /(?:^|, ?)CN=([^,]+)/.exec(name ?? '')?.[1];

/** The best short description of the flow. */
function shortInfo(view: EventView): string {
  if (!view.hasDetail()) return '';
  if (view.is('DNS')) return dnsQuery(view) ?? '';
  return (
    (view.is('HTTP') ? httpUrl(view) : undefined) ??
    (view.is('TLS') ? view.text('host_server_name') : undefined) ??
    view.text('bittorrent.hash') ??
    serverName(view) ??
    view.text('ssh.server_signature') ??
    view.text('ssh.client_signature') ??
    ''
  );
}

/** Fields of flows of one protocol. */
const of = (protocol: KnownProtocol, fields: Declared[]): Declared[] =>
  fields.map((field) => ({
    ...field,
    when: field.when === undefined ? protocol : `${protocol}, ${field.when}`,
    read: (view: EventView): FieldValue | undefined => (view.is(protocol) ? field.read(view) : undefined),
  }));

const known = { when: 'known' };
const urlSeen = { when: 'URL seen' };
const ours = { when: 'known', ours: true };
const ifServerHash = (view: EventView, value: FieldValue | undefined): FieldValue | undefined =>
  view.text('tls.ja3_server') === undefined ? undefined : value;

/** The JA3 keys, below the prefix of 2019 and that of 4.x. */
const ja3 = (prefix: string): Declared[] => [
  string(`${prefix}.client_hash`, 'JA3 of the client hello, MD5 in hexadecimal', (view) => view.text('tls.ja3_client'), known),
  string(`${prefix}.server_hash`, 'JA3S of the server hello, MD5 in hexadecimal', (view) => view.text('tls.ja3_server'), known),
  int(
    `${prefix}.server_cipher`,
    'number of the cipher suite',
    (view) => ifServerHash(view, whole(view, 'tls.server_cipher')) as number | undefined,
    {
      when: 'server hash known',
    },
  ),
  string(
    `${prefix}.server_unsafe_cipher`,
    '`safe`, `weak` or `insecure`',
    (view) => ifServerHash(view, CIPHER_CLASSES[whole(view, 'tls.unsafe_cipher') ?? 0]) as string | undefined,
    { when: 'server hash known' },
  ),
];

const tlsVersion = (view: EventView): number => whole(view, 'tls.version') ?? 0;
const requestedName = (view: EventView): string | undefined => view.text('host_server_name');

export const APPLICATION = group('application', [
  string('host_server_name', 'name of the server from HTTP, TLS and others, not from DNS and DHCP', serverName, known),
  string('bittorrent_hash', 'info hash, 40 hexadecimal characters', (view) => view.text('bittorrent.hash'), known),
  string('info', 'best short description: DNS query, URL, TLS name, BitTorrent hash, server name, SSH banner; or empty', shortInfo),
  string('moreinfo.json', 'further members of a flow record, as a JSON object', () => '{}'),
  ...of('HTTP', [
    string(
      'protos.http.last_method',
      '`GET`, `POST`, `HEAD` or `PUT`',
      (view) => (httpUrl(view) === undefined ? undefined : httpMethod(view)),
      {
        when: 'URL seen, one of these methods',
      },
    ),
    int(
      'protos.http.last_return_code',
      'code of the last response, 0 if there was none',
      (view) => (httpUrl(view) === undefined ? undefined : (whole(view, 'http.return_code') ?? 0)),
      urlSeen,
    ),
    string('protos.http.last_url', 'server name and path, at most 512 characters', httpUrl, urlSeen),
    string('protos.http.server_name', 'as `host_server_name`', serverName, known),
    string('protos.http.user_agent', 'User-Agent of the client', (view) => view.text('http.user_agent'), ours),
    string('protos.http.content_type', 'Content-Type of the response', (view) => view.text('http.content_type'), ours),
  ]),
  ...of('DNS', [
    string('protos.dns.last_query', 'name asked for; what cannot be printed is `?`', dnsQuery, { when: 'query seen' }),
    int('protos.dns.last_query_type', 'type asked for (RFC 1035: A 1, NS 2, …)', (view) => whole(view, 'dns.query_type'), {
      when: 'query seen',
    }),
    int(
      'protos.dns.last_return_code',
      'code of the last answer (RFC 1035: 3 = no such name), 0 if there was none',
      (view) => (whole(view, 'dns.query_type') === undefined ? undefined : (whole(view, 'dns.reply_code') ?? 0)),
      { when: 'query seen' },
    ),
  ]),
  ...of('SSH', [
    string('protos.ssh.client_signature', 'banner of the client', (view) => view.text('ssh.client_signature'), known),
    string('protos.ssh.server_signature', 'banner of the server', (view) => view.text('ssh.server_signature'), known),
    string('protos.ssh.hassh.client_hash', 'HASSH of the client, MD5 in hexadecimal', (view) => view.text('ssh.hassh_client'), known),
    string('protos.ssh.hassh.server_hash', 'HASSH of the server, MD5 in hexadecimal', (view) => view.text('ssh.hassh_server'), known),
  ]),
  ...of('TLS', [
    int('protos.ssl_version', 'version word: 771 = TLS 1.2, 772 = TLS 1.3; 0 if unknown', tlsVersion),
    string('protos.ssl.certificate', 'server name that the client asked for', requestedName, known),
    string('protos.ssl.server_certificate', 'common name of the server certificate', (view) => commonName(view.text('tls.subject')), known),
    ...ja3('protos.ssl.ja3'),
    int('protos.tls_version', 'as `protos.ssl_version`', tlsVersion),
    string('protos.tls.client_requested_server_name', 'as `protos.ssl.certificate`', requestedName, known),
    string(
      'protos.tls.server_names',
      'names in the server certificate, separated by commas',
      (view) => view.text('tls.server_names'),
      known,
    ),
    string('protos.tls.client_alpn', 'application protocols that the client offers (RFC 7301)', (view) => view.text('tls.alpn'), known),
    string(
      'protos.tls.client_tls_supported_versions',
      'versions that the client offers',
      (view) => view.text('tls.supported_versions'),
      known,
    ),
    string('protos.tls.issuerDN', 'issuer of the server certificate', (view) => view.text('tls.issuer'), known),
    string('protos.tls.subjectDN', 'subject of the server certificate', (view) => view.text('tls.subject'), known),
    int('protos.tls.notBefore', 'begin of its validity', (view) => whole(view, 'tls.not_before'), { unit: 's since 1970', when: 'known' }),
    int('protos.tls.notAfter', 'end of its validity', (view) => whole(view, 'tls.not_after'), { unit: 's since 1970', when: 'known' }),
    string('protos.tls.certificate_sha1', 'SHA-1 of the server certificate', (view) => view.text('tls.sha1'), ours),
    ...ja3('protos.tls.ja3'),
  ]),
  ...of('DHCP', [
    string('protos.dhcp.fingerprint', 'options that the client asks for', (view) => view.text('dhcp.fingerprint'), ours),
    string('protos.dhcp.class', 'vendor class of the client', (view) => view.text('dhcp.class'), ours),
  ]),
  table('icmp', '`type` and `code` of the last packet', (view) => (isIcmp(view) ? icmpMessage(view) : undefined), { when: 'ICMP, ICMPv6' }),
]);
