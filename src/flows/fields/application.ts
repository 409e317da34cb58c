/** Names, addresses and fingerprints that detection found in the payload. */
import { I_EXTRA, R_IAT } from '../record.ts';
import type { EventView } from '../view.ts';
import { of, textField, whole } from './detail.ts';
import { DNS_FIELDS, dnsQuery } from './dns.ts';
import { ANY, absent, each, type FieldTable, group, int, string, table } from './field.ts';
import { LOGIN_FIELDS } from './login.ts';
import { TLS_FIELDS } from './tls.ts';

const MOST_URL = 512;
const METHODS = new Set(['GET', 'POST', 'HEAD', 'PUT']);

export const isIcmp = (view: EventView): boolean => view.l4() === 1 || view.l4() === 58;
/** Type and code of the last ICMP packet. */
export const icmpMessage = (view: EventView): { type: number; code: number } => ({
  type: view.u8(R_IAT + I_EXTRA + 2),
  code: view.u8(R_IAT + I_EXTRA + 3),
});

const number16 = (text: string, at: number): number => text.charCodeAt(at) * 256 + text.charCodeAt(at + 1);
const dotted = (text: string, at: number): string => [0, 1, 2, 3].map((i) => text.charCodeAt(at + i)).join('.');

/** The UDP packet that the last "port unreachable" quotes (own-details.ts has its layout). */
export function icmpUnreach(view: EventView): FieldTable | undefined {
  const quoted = view.text('icmp.unreach');
  if (quoted === undefined || quoted.length < 13) return undefined;
  return {
    src_ip: dotted(quoted, 0),
    dst_ip: dotted(quoted, 4),
    src_port: number16(quoted, 8),
    dst_port: number16(quoted, 10),
    protocol: quoted.charCodeAt(12),
  };
}

function icmp(view: EventView): FieldTable | undefined {
  if (!isIcmp(view)) return undefined;
  const unreach = icmpUnreach(view);
  return unreach === undefined ? icmpMessage(view) : { ...icmpMessage(view), unreach };
}

/** Detection's host name: the port is cut off where it comes from an HTTP header. */
function hostName(view: EventView): string | undefined {
  const name = view.text('host_server_name');
  return name === undefined || !view.is('HTTP') ? name : name.replace(/:\d{1,5}$/, '');
}

/** As in ntopng: whatever name nDPI gives, except for DNS and DHCP. */
const serverName = (view: EventView): string | undefined => (view.is('DNS') || view.is('DHCP') ? undefined : hostName(view));

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

/** The best short description of the flow. */
function shortInfo(view: EventView): string {
  if (!view.hasDetail()) return '';
  if (view.is('DNS') || view.is('MDNS') || view.is('LLMNR')) return dnsQuery(view) ?? '';
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

const urlSeen = { when: 'URL seen' };
const messageMembers = [
  { key: 'type', type: 'int', doc: 'type of the message' },
  { key: 'code', type: 'int', doc: 'code of the message' },
  {
    key: 'unreach',
    type: 'table',
    doc: 'the UDP packet that is quoted',
    when: 'port unreachable (ICMP 3, 3) about UDP',
    members: [
      { key: 'src_ip', type: 'string', doc: 'its source' },
      { key: 'dst_ip', type: 'string', doc: 'its destination' },
      { key: 'src_port', type: 'int', doc: 'its source port' },
      { key: 'dst_port', type: 'int', doc: 'its destination port' },
      { key: 'protocol', type: 'int', doc: 'its IP protocol' },
    ],
  },
] as const;

export const APPLICATION = group('application', [
  string('host_server_name', 'name of the server from HTTP, TLS and others, not from DNS and DHCP', serverName, {
    when: 'known',
    column: { title: 'Host name', width: 28 },
  }),
  textField('bittorrent_hash', 'info hash, 40 hexadecimal characters', 'bittorrent.hash'),
  string('info', 'best short description: DNS query, URL, TLS name, BitTorrent hash, server name, SSH banner; or empty', shortInfo, {
    column: { title: 'Info', width: 40, shown: true },
  }),
  string('moreinfo.json', 'further members of a flow record, as a JSON object', (view) => view.text('moreinfo') ?? '{}'),
  ...of('HTTP', [
    ...each({ getter: 'getHTTPInfo' }, [
      string(
        'protos.http.last_method',
        '`GET`, `POST`, `HEAD` or `PUT`',
        (view) => (httpUrl(view) === undefined ? undefined : httpMethod(view)),
        { when: 'URL seen, one of these methods' },
      ),
      int(
        'protos.http.last_return_code',
        'code of the last response, 0 if there was none',
        (view) => (httpUrl(view) === undefined ? undefined : (whole(view, 'http.return_code') ?? 0)),
        urlSeen,
      ),
      string('protos.http.last_url', 'server name and path, at most 512 characters', httpUrl, urlSeen),
      string('protos.http.server_name', 'as `host_server_name`', serverName, { when: 'known' }),
    ]),
    ...each({ ours: true }, [
      textField('protos.http.user_agent', 'User-Agent of the client', 'http.user_agent'),
      textField('protos.http.content_type', 'Content-Type of the response', 'http.content_type'),
      textField('protos.http.request_content_type', 'Content-Type of the request', 'http.request_content_type'),
      string('protos.http.version', '`1.0` or `1.1`, of the request', (view) => ['1.0', '1.1'][whole(view, 'http.request_version') ?? -1], {
        when: 'request seen',
      }),
      textField('protos.http.os', 'operating system of the client, from its User-Agent', 'http.os'),
      textField('protos.http.nat_ip', 'client behind a proxy, from X-Forwarded-For', 'http.nat_ip'),
    ]),
  ]),
  ...DNS_FIELDS,
  ...of(
    'SSH',
    each({ getter: 'getSSHInfo' }, [
      textField('protos.ssh.client_signature', 'banner of the client', 'ssh.client_signature'),
      textField('protos.ssh.server_signature', 'banner of the server', 'ssh.server_signature'),
      textField('protos.ssh.hassh.client_hash', 'HASSH of the client, MD5 in hexadecimal', 'ssh.hassh_client'),
      textField('protos.ssh.hassh.server_hash', 'HASSH of the server, MD5 in hexadecimal', 'ssh.hassh_server'),
    ]),
  ),
  ...TLS_FIELDS,
  ...LOGIN_FIELDS,
  ...each({ ours: true }, [
    ...of('DHCP', [
      textField('protos.dhcp.host_name', 'name that the client gives itself', 'host_server_name'),
      textField('protos.dhcp.fingerprint', 'options that the client asks for', 'dhcp.fingerprint'),
      textField('protos.dhcp.class', 'vendor class of the client', 'dhcp.class'),
    ]),
    ...of('SSDP', [textField('protos.ssdp.user_agent', 'User-Agent of the client', 'http.user_agent')]),
    ...of('NTP', [
      int('protos.ntp.version', 'version of the protocol', (view) => whole(view, 'ntp.version')),
      int('protos.ntp.request_code', 'request code of a private message (mode 7), else 0', (view) => whole(view, 'ntp.request_code')),
    ]),
    ...of('UBNTAC2', [textField('protos.ubntac2.version', 'firmware of the device', 'ubntac2.version')]),
  ]),
  table('icmp', '`type` and `code` of the last packet, `unreach` quoted by it', icmp, {
    when: 'ICMP, ICMPv6',
    getter: 'getICMPInfo',
    members: messageMembers,
  }),
  table('iec104', 'types of IEC 60870-5-104 messages; nDPI 4.2 tells the protocol and reads nothing of it', absent, {
    when: 'a dissector of IEC 60870-5-104 tells them',
    since: '4.2',
    never: true,
    members: [{ key: ANY, type: 'int', doc: 'messages of the type' }],
  }),
]);
