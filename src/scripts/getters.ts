/** The `flow.get…` functions that return a part of `info` as a table of its own: name → keys. */

const both = (a: string, b: string, names: readonly string[]): string[] =>
  [a, b].flatMap((prefix) => names.map((name) => `${prefix}.${name}`));

const traffic = (prefix: string): string[] =>
  ['bytes', 'goodput_bytes', 'packets', 'last', 'pkt_len.min', 'pkt_len.max', 'pkt_len.avg', 'pkt_len.stddev', 'fragments'].map(
    (name) => `${prefix}.${name}`,
  );
const address = (end: string): string[] => [`${end}.ip`, `${end}.key`, `${end}.vlan`];
const details = (end: string): string[] =>
  ['host', 'source_id', 'mac', 'systemhost', 'blacklisted', 'network_id', 'pool_id', 'private'].map((name) => `${end}.${name}`);
const place = (end: string): string[] => ['latitude', 'longitude', 'country', 'city'].map((name) => `${end}.${name}`);

export const GETTERS: Readonly<Record<string, readonly string[]>> = {
  getStatus: ['flow.idle', 'flow.status', 'status_map', 'flow.alerted', 'flow.alert_rowid'],
  getProtocols: ['proto.l4', 'proto.ndpi', 'proto.ndpi_id', 'proto.ndpi_breed', 'proto.ndpi_cat_id', 'proto.ndpi_cat'],
  getBytes: ['bytes', 'goodput_bytes', 'bytes.last', 'goodput_bytes.last'],
  getClient2ServerTraffic: traffic('cli2srv'),
  getServer2ClientTraffic: traffic('srv2cli'),
  getClient2ServerIAT: ['interarrival.cli2srv'],
  getServer2ClientIAT: ['interarrival.srv2cli'],
  getPackets: ['packets', 'packets.last'],
  getTime: ['seen.first', 'seen.last', 'duration'],
  getClientIp: address('cli'),
  getServerIp: address('srv'),
  getClientInfo: details('cli'),
  getServerInfo: details('srv'),
  getSSLInfo: [
    'protos.ssl_version',
    'protos.ssl.certificate',
    'protos.ssl.server_certificate',
    'protos.ssl.ja3.client_hash',
    'protos.ssl.ja3.server_hash',
    'protos.ssl.ja3.server_cipher',
    'protos.ssl.ja3.server_unsafe_cipher',
    'protos.ssl.ja3.client_malicious',
    'protos.ssl.ja3.server_malicious',
  ],
  getSSHInfo: [
    'protos.ssh.client_signature',
    'protos.ssh.server_signature',
    'protos.ssh.hassh.client_hash',
    'protos.ssh.hassh.server_hash',
  ],
  getHTTPInfo: ['protos.http.last_method', 'protos.http.last_return_code', 'protos.http.last_url', 'protos.http.server_name'],
  getDNSInfo: ['protos.dns.last_query', 'protos.dns.last_query_type', 'protos.dns.last_return_code'],
  getICMPInfo: ['icmp'],
  getTCPInfo: [
    'tcp.seq_problems',
    'tcp.nw_latency.client',
    'tcp.nw_latency.server',
    'tcp.appl_latency',
    'tcp.max_thpt.cli2srv',
    'tcp.max_thpt.srv2cli',
    ...both('cli2srv', 'srv2cli', ['retransmissions', 'out_of_order', 'lost', 'keep_alive', 'tcp_flags']),
    'tcp_established',
    'tcp_connecting',
    'tcp_closed',
    'tcp_reset',
  ],
  getClientPort: ['cli.port'],
  getServerPort: ['srv.port'],
  getClientGeolocation: place('cli'),
  getServerGeolocation: place('srv'),
};
