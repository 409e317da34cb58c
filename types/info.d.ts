// Made by `node docs/generate.ts`. Do not edit.

/** The fields of a flow, as a callback gets them. A dot is a part of the key; a key that is not present is absent. */
export interface Info {
  /** address of the client: dotted IPv4, or IPv6 as in RFC 5952 */
  readonly 'cli.ip': string;
  /** IPv4: the address as a number; IPv6: the sum of its four 32-bit words as they lie in memory, mod 2^32 */
  readonly 'cli.key': number;
  /** VLAN of the flow; present: the VLAN is not 0 */
  readonly 'cli.vlan'?: number;
  /** port of the client, 0 without ports */
  readonly 'cli.port': number;
  /** may be seen by the reader; always true for scripts */
  readonly 'cli.allowed_host': boolean;
  /** learned name, with ` [IPv6]` behind it for IPv6; empty if there is none */
  readonly 'cli.host': string;
  /** always 0 */
  readonly 'cli.source_id': number;
  /** MAC address at the first packet, upper case; zeros if unknown */
  readonly 'cli.mac': string;
  /** is the machine that runs the monitor */
  readonly 'cli.systemhost': boolean;
  /** the address is on a blacklist */
  readonly 'cli.blacklisted': boolean;
  /** number of the local network that has the address, -1 if it is remote */
  readonly 'cli.network_id': number;
  /** host pool, 0 = the default pool */
  readonly 'cli.pool_id': number;
  /** IPv4 in 10/8, 172.16/12, 192.168/16 or 127/8 */
  readonly 'cli.private': boolean;
  /** the local network that has the address; present: the address is local; not in ntopng */
  readonly 'cli.network'?: string;
  /** name of the host pool; not in ntopng */
  readonly 'cli.pool': string;
  /** maker of the network card by its MAC address, empty if unknown; not in ntopng */
  readonly 'cli.vendor': string;
  /** where the address is, 0 if unknown; unit: degrees */
  readonly 'cli.latitude': number;
  /** where the address is, 0 if unknown; unit: degrees */
  readonly 'cli.longitude': number;
  /** country of the address, ISO 3166 in two letters, empty if unknown */
  readonly 'cli.country': string;
  /** city of the address, empty if unknown */
  readonly 'cli.city': string;
  /** the address is in a local network; since 4.0 */
  readonly 'cli.localhost': boolean;
  /** the address is one for broadcast or multicast; since 4.0 */
  readonly 'cli.broadmulticast': boolean;
  /** autonomous system that announces the address, 0 if unknown; since 4.0 */
  readonly 'cli.asn': number;
  /** operating system by the browser, empty if unknown; since 4.0 */
  readonly 'cli.os': string;
  /** type of the device by the policy of the user, 0 = unknown; since 4.0 */
  readonly 'cli.devtype': number;
  /** organisation of the autonomous system, empty if unknown; not in ntopng */
  readonly 'cli.as_name': string;
  /** address of the server: dotted IPv4, or IPv6 as in RFC 5952 */
  readonly 'srv.ip': string;
  /** IPv4: the address as a number; IPv6: the sum of its four 32-bit words as they lie in memory, mod 2^32 */
  readonly 'srv.key': number;
  /** VLAN of the flow; present: the VLAN is not 0 */
  readonly 'srv.vlan'?: number;
  /** port of the server, 0 without ports */
  readonly 'srv.port': number;
  /** may be seen by the reader; always true for scripts */
  readonly 'srv.allowed_host': boolean;
  /** learned name, with ` [IPv6]` behind it for IPv6; empty if there is none */
  readonly 'srv.host': string;
  /** always 0 */
  readonly 'srv.source_id': number;
  /** MAC address at the first packet, upper case; zeros if unknown */
  readonly 'srv.mac': string;
  /** is the machine that runs the monitor */
  readonly 'srv.systemhost': boolean;
  /** the address is on a blacklist */
  readonly 'srv.blacklisted': boolean;
  /** number of the local network that has the address, -1 if it is remote */
  readonly 'srv.network_id': number;
  /** host pool, 0 = the default pool */
  readonly 'srv.pool_id': number;
  /** IPv4 in 10/8, 172.16/12, 192.168/16 or 127/8 */
  readonly 'srv.private': boolean;
  /** the local network that has the address; present: the address is local; not in ntopng */
  readonly 'srv.network'?: string;
  /** name of the host pool; not in ntopng */
  readonly 'srv.pool': string;
  /** maker of the network card by its MAC address, empty if unknown; not in ntopng */
  readonly 'srv.vendor': string;
  /** where the address is, 0 if unknown; unit: degrees */
  readonly 'srv.latitude': number;
  /** where the address is, 0 if unknown; unit: degrees */
  readonly 'srv.longitude': number;
  /** country of the address, ISO 3166 in two letters, empty if unknown */
  readonly 'srv.country': string;
  /** city of the address, empty if unknown */
  readonly 'srv.city': string;
  /** the address is in a local network; since 4.0 */
  readonly 'srv.localhost': boolean;
  /** the address is one for broadcast or multicast; since 4.0 */
  readonly 'srv.broadmulticast': boolean;
  /** autonomous system that announces the address, 0 if unknown; since 4.0 */
  readonly 'srv.asn': number;
  /** always empty; since 4.0 */
  readonly 'srv.os': string;
  /** type of the device by the policy of the user, 0 = unknown; since 4.0 */
  readonly 'srv.devtype': number;
  /** organisation of the autonomous system, empty if unknown; not in ntopng */
  readonly 'srv.as_name': string;
  /** autonomous system of the client as the exporter says it, else `cli.asn`; present: the autonomous system is known; since 4.2 */
  readonly src_as?: number;
  /** autonomous system of the server as the exporter says it, else `srv.asn`; present: the autonomous system is known; since 4.2 */
  readonly dst_as?: number;
  /** process of the client; present: an agent on the host reports it */
  readonly client_process?: {
    /** number of the process */
    readonly pid: number;
    /** number of its user */
    readonly uid: number;
    /** number of its group */
    readonly gid: number;
    /** its memory */
    readonly actual_memory: number;
    /** most memory that it had */
    readonly peak_memory: number;
    /** its program */
    readonly name: string;
    /** name of its user */
    readonly user_name: string;
    /** its parent */
    readonly father_pid: number;
    /** number of the parent's user */
    readonly father_uid: number;
    /** number of the parent's group */
    readonly father_gid: number;
    /** the parent's program */
    readonly father_name: string;
    /** name of the parent's user */
    readonly father_user_name: string;
  };
  /** container of the client's process; present: an agent on the host reports it */
  readonly client_container?: {
    /** id of the container */
    readonly id: string;
    /** its name in Kubernetes */
    readonly 'k8s.name': string;
    /** its pod */
    readonly 'k8s.pod': string;
    /** its name space */
    readonly 'k8s.ns': string;
    /** its name in Docker */
    readonly 'docker.name': string;
  };
  /** what the kernel of the client knows of the connection; present: an agent on the host reports it */
  readonly client_tcp_info?: {
    /** round-trip time that the kernel measured */
    readonly rtt: number;
    /** its variance */
    readonly rtt_var: number;
  };
  /** process of the server; present: an agent on the host reports it */
  readonly server_process?: {
    /** number of the process */
    readonly pid: number;
    /** number of its user */
    readonly uid: number;
    /** number of its group */
    readonly gid: number;
    /** its memory */
    readonly actual_memory: number;
    /** most memory that it had */
    readonly peak_memory: number;
    /** its program */
    readonly name: string;
    /** name of its user */
    readonly user_name: string;
    /** its parent */
    readonly father_pid: number;
    /** number of the parent's user */
    readonly father_uid: number;
    /** number of the parent's group */
    readonly father_gid: number;
    /** the parent's program */
    readonly father_name: string;
    /** name of the parent's user */
    readonly father_user_name: string;
  };
  /** container of the server's process; present: an agent on the host reports it */
  readonly server_container?: {
    /** id of the container */
    readonly id: string;
    /** its name in Kubernetes */
    readonly 'k8s.name': string;
    /** its pod */
    readonly 'k8s.pod': string;
    /** its name space */
    readonly 'k8s.ns': string;
    /** its name in Docker */
    readonly 'docker.name': string;
  };
  /** what the kernel of the server knows of the connection; present: an agent on the host reports it */
  readonly server_tcp_info?: {
    /** round-trip time that the kernel measured */
    readonly rtt: number;
    /** its variance */
    readonly rtt_var: number;
  };
  /** VRF of the exporter by which the flow's first record came in; present: the exporter says it */
  readonly vrfId?: number;
  /** autonomous system before the exporter on the way of the client's packets (BGP); present: the exporter says it; since 4.2 */
  readonly prev_adjacent_as?: number;
  /** autonomous system behind the exporter on the way of the client's packets (BGP); present: the exporter says it; since 4.2 */
  readonly next_adjacent_as?: number;
  /** IPv4 address of `exporter` as a number; present: the exporter has one; since 4.2 */
  readonly device_id?: number;
  /** interface of the exporter by which the client's packets come in (SNMP index); present: the exporter says it; since 4.2 */
  readonly in_index?: number;
  /** interface of the exporter by which the client's packets go out (SNMP index); present: the exporter says it; since 4.2 */
  readonly out_index?: number;
  /** who exported the first record of the flow; present: it came as a record; not in ntopng */
  readonly exporter?: string;
  /** id of the flow, unique over interfaces and restarts; not in ntopng */
  readonly 'flow.id': string;
  /** hash key of the flow: ports in network byte order, VLAN, IP protocol and host keys, added; not unique */
  readonly 'ntopng.key': number;
  /** number of the flow on its interface, from 1 on; since 4.0 */
  readonly hash_entry_id: number;
  /** VLAN, 0 = none */
  readonly vlan: number;
  /** first packet; unit: s since 1970 */
  readonly 'seen.first': number;
  /** last packet; unit: s since 1970 */
  readonly 'seen.last': number;
  /** last minus first, 0 for a flow of one packet; unit: s */
  readonly duration: number;
  /** the flow has ended */
  readonly 'flow.idle': boolean;
  /** predominant status, 0 = none (statuses.md) */
  readonly 'flow.status': number;
  /** all statuses; unit: bitmap, bit = status id */
  readonly status_map: number;
  /** always true; present: the core has raised its alert about the flow */
  readonly 'flow.alerted'?: boolean;
  /** status of that alert; present: the core has raised its alert about the flow; since 4.0 */
  readonly alerted_status?: number;
  /** `idle`, `table full`, `end of file` or `shutdown`; present: the flow has ended; not in ntopng */
  readonly 'flow.end_reason'?: string;
  /** JSON object that explains the statuses */
  readonly status_info: string;
  /** score that a script gave, -1 = none */
  readonly score: number;
  /** name of the IP protocol, or its number as text */
  readonly 'proto.l4': string;
  /** nDPI name, `Master.App` if both are known; `Unknown` before detection */
  readonly 'proto.ndpi': string;
  /** nDPI id of the application protocol, 0 = unknown */
  readonly 'proto.ndpi_id': number;
  /** nDPI breed */
  readonly 'proto.ndpi_breed': string;
  /** id of the category */
  readonly 'proto.ndpi_cat_id': number;
  /** name of the category */
  readonly 'proto.ndpi_cat': string;
  /** number of the IP protocol; since 4.0 */
  readonly 'proto.l4_id': number;
  /** nDPI name of the application protocol alone; since 4.0 */
  readonly 'proto.ndpi_app': string;
  /** nDPI id of the protocol that carries it, 0 = none; since 4.0 */
  readonly 'proto.master_ndpi_id': number;
  /** how nDPI came to the protocol; not in ntopng */
  readonly 'proto.ndpi_confidence': string;
  /** entropy of a payload, both directions alike; unit: bits per byte; present: nDPI measured it: few of its dissectors do; not in ntopng */
  readonly 'proto.ndpi_entropy'?: number;
  /** what else nDPI says of the flow, at most 15 bytes; present: known; not in ntopng */
  readonly 'proto.ndpi_info'?: string;
  /** nDPI risks: text → id; present: nDPI found a risk; since 4.2 */
  readonly flow_risk?: {
    /** id of the risk */
    readonly [key: string]: number;
  };
  /** nDPI score of all risks together; present: nDPI found a risk; not in ntopng */
  readonly 'flow_risk.score'?: number;
  /** the client's part of the score; present: nDPI found a risk; not in ntopng */
  readonly 'flow_risk.score_client'?: number;
  /** the server's part of the score; present: nDPI found a risk; not in ntopng */
  readonly 'flow_risk.score_server'?: number;
  /** bytes on the wire, both directions; unit: bytes */
  readonly bytes: number;
  /** bytes since the previous visit; unit: bytes */
  readonly 'bytes.last': number;
  /** payload bytes of TCP, UDP and SCTP, both directions; unit: bytes */
  readonly goodput_bytes: number;
  /** payload bytes since the previous visit; unit: bytes */
  readonly 'goodput_bytes.last': number;
  /** packets, both directions; unit: packets */
  readonly packets: number;
  /** packets since the previous visit; unit: packets */
  readonly 'packets.last': number;
  /** bytes on the wire, client to server; unit: bytes */
  readonly 'cli2srv.bytes': number;
  /** payload bytes, client to server; unit: bytes */
  readonly 'cli2srv.goodput_bytes': number;
  /** packets, client to server; unit: packets */
  readonly 'cli2srv.packets': number;
  /** bytes since the previous visit, client to server; unit: bytes */
  readonly 'cli2srv.last': number;
  /** shortest frame; unit: bytes */
  readonly 'cli2srv.pkt_len.min': number;
  /** longest frame, at most 65535; unit: bytes */
  readonly 'cli2srv.pkt_len.max': number;
  /** mean length of a frame, cut off; unit: bytes */
  readonly 'cli2srv.pkt_len.avg': number;
  /** population standard deviation of the frame lengths, cut off; unit: bytes */
  readonly 'cli2srv.pkt_len.stddev': number;
  /** IP fragments; unit: packets */
  readonly 'cli2srv.fragments': number;
  /** bytes on the wire, server to client; unit: bytes */
  readonly 'srv2cli.bytes': number;
  /** payload bytes, server to client; unit: bytes */
  readonly 'srv2cli.goodput_bytes': number;
  /** packets, server to client; unit: packets */
  readonly 'srv2cli.packets': number;
  /** bytes since the previous visit, server to client; unit: bytes */
  readonly 'srv2cli.last': number;
  /** shortest frame; unit: bytes */
  readonly 'srv2cli.pkt_len.min': number;
  /** longest frame, at most 65535; unit: bytes */
  readonly 'srv2cli.pkt_len.max': number;
  /** mean length of a frame, cut off; unit: bytes */
  readonly 'srv2cli.pkt_len.avg': number;
  /** population standard deviation of the frame lengths, cut off; unit: bytes */
  readonly 'srv2cli.pkt_len.stddev': number;
  /** IP fragments; unit: packets */
  readonly 'srv2cli.fragments': number;
  /** under 40 % payload in a flow of a minute or more, not UDP */
  readonly 'flow_goodput.low': boolean;
  /** time between packets, client to server; unit: ms; present: packets were seen one by one */
  readonly 'interarrival.cli2srv'?: {
    /** shortest; unit: ms */
    readonly min: number;
    /** longest; unit: ms */
    readonly max: number;
    /** mean; unit: ms */
    readonly avg: number;
    /** population standard deviation; unit: ms */
    readonly stddev: number;
  };
  /** time between packets, server to client; unit: ms; present: packets were seen one by one */
  readonly 'interarrival.srv2cli'?: {
    /** shortest; unit: ms */
    readonly min: number;
    /** longest; unit: ms */
    readonly max: number;
    /** mean; unit: ms */
    readonly avg: number;
    /** population standard deviation; unit: ms */
    readonly stddev: number;
  };
  /** since the previous visit, both directions; unit: bytes/s */
  readonly throughput_bps: number;
  /** since the previous visit, client to server; unit: bytes/s */
  readonly throughput_cli2srv_bps: number;
  /** since the previous visit, server to client; unit: bytes/s */
  readonly throughput_srv2cli_bps: number;
  /** since the previous visit, both directions; unit: packets/s */
  readonly throughput_pps: number;
  /** since the previous visit, client to server; unit: packets/s */
  readonly throughput_cli2srv_pps: number;
  /** since the previous visit, server to client; unit: packets/s */
  readonly throughput_srv2cli_pps: number;
  /** highest `throughput_bps` so far; unit: bytes/s */
  readonly top_throughput_bps: number;
  /** highest `throughput_pps` so far; unit: packets/s */
  readonly top_throughput_pps: number;
  /** 0 unknown, 1 up, 2 down, 3 stable */
  readonly throughput_trend_bps: number;
  /** 0 unknown, 1 up, 2 down, 3 stable */
  readonly throughput_trend_pps: number;
  /** type of service of the first packet of each end; since 4.2 */
  readonly tos: {
    /** of the client's packet */
    readonly client: {
      /** differentiated services code point (RFC 2474) */
      readonly DSCP: number;
      /** explicit congestion notification (RFC 3168) */
      readonly ECN: number;
    };
    /** of the server's packet */
    readonly server: {
      /** differentiated services code point (RFC 2474) */
      readonly DSCP: number;
      /** explicit congestion notification (RFC 3168) */
      readonly ECN: number;
    };
  };
  /** some segment was retransmitted, out of order, lost or a keep-alive; present: TCP */
  readonly 'tcp.seq_problems'?: boolean;
  /** half of the time from SYN+ACK to ACK, 0 if not measured; unit: ms; present: TCP */
  readonly 'tcp.nw_latency.client'?: number;
  /** half of the time from SYN to SYN+ACK, 0 if not measured; unit: ms; present: TCP */
  readonly 'tcp.nw_latency.server'?: number;
  /** from the client's latest payload to the server's first, 0 if not measured; unit: ms; present: TCP */
  readonly 'tcp.appl_latency'?: number;
  /** bound that the server's window (unscaled) sets, 0 without round-trip time; unit: bits/s; present: TCP */
  readonly 'tcp.max_thpt.cli2srv'?: number;
  /** bound that the client's window (unscaled) sets, 0 without round-trip time; unit: bits/s; present: TCP */
  readonly 'tcp.max_thpt.srv2cli'?: number;
  /** retransmitted segments; unit: packets; present: TCP */
  readonly 'cli2srv.retransmissions'?: number;
  /** segments out of order; unit: packets; present: TCP */
  readonly 'cli2srv.out_of_order'?: number;
  /** gaps: segments that follow missing ones; unit: packets; present: TCP */
  readonly 'cli2srv.lost'?: number;
  /** keep-alives; unit: packets; present: TCP */
  readonly 'cli2srv.keep_alive'?: number;
  /** all flags seen: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128; present: TCP */
  readonly 'cli2srv.tcp_flags'?: number;
  /** retransmitted segments; unit: packets; present: TCP */
  readonly 'srv2cli.retransmissions'?: number;
  /** segments out of order; unit: packets; present: TCP */
  readonly 'srv2cli.out_of_order'?: number;
  /** gaps: segments that follow missing ones; unit: packets; present: TCP */
  readonly 'srv2cli.lost'?: number;
  /** keep-alives; unit: packets; present: TCP */
  readonly 'srv2cli.keep_alive'?: number;
  /** all flags seen: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128; present: TCP */
  readonly 'srv2cli.tcp_flags'?: number;
  /** SYN and ACK from both ends, neither closed nor reset; present: TCP */
  readonly tcp_established?: boolean;
  /** only the handshake was seen; present: TCP */
  readonly tcp_connecting?: boolean;
  /** SYN, ACK and FIN from both ends; present: TCP */
  readonly tcp_closed?: boolean;
  /** RST from some end, not closed before; present: TCP */
  readonly tcp_reset?: boolean;
  /** name of the server from HTTP, TLS and others, not from DNS and DHCP; present: known */
  readonly host_server_name?: string;
  /** info hash, 40 hexadecimal characters; present: known */
  readonly bittorrent_hash?: string;
  /** best short description: DNS query, URL, TLS name, BitTorrent hash, server name, SSH banner; or empty */
  readonly info: string;
  /** further members of a flow record, as a JSON object */
  readonly 'moreinfo.json': string;
  /** `GET`, `POST`, `HEAD` or `PUT`; present: HTTP, URL seen, one of these methods */
  readonly 'protos.http.last_method'?: string;
  /** code of the last response, 0 if there was none; present: HTTP, URL seen */
  readonly 'protos.http.last_return_code'?: number;
  /** server name and path, at most 512 characters; present: HTTP, URL seen */
  readonly 'protos.http.last_url'?: string;
  /** as `host_server_name`; present: HTTP, known */
  readonly 'protos.http.server_name'?: string;
  /** User-Agent of the client; present: HTTP, known; not in ntopng */
  readonly 'protos.http.user_agent'?: string;
  /** Content-Type of the response; present: HTTP, known; not in ntopng */
  readonly 'protos.http.content_type'?: string;
  /** Content-Type of the request; present: HTTP, known; not in ntopng */
  readonly 'protos.http.request_content_type'?: string;
  /** `1.0` or `1.1`, of the request; present: HTTP, request seen; not in ntopng */
  readonly 'protos.http.version'?: string;
  /** operating system of the client, from its User-Agent; present: HTTP, known; not in ntopng */
  readonly 'protos.http.os'?: string;
  /** client behind a proxy, from X-Forwarded-For; present: HTTP, known; not in ntopng */
  readonly 'protos.http.nat_ip'?: string;
  /** name asked for; what cannot be printed is `?`; present: DNS, query seen */
  readonly 'protos.dns.last_query'?: string;
  /** type asked for (RFC 1035: A 1, NS 2, …); present: DNS, query seen */
  readonly 'protos.dns.last_query_type'?: number;
  /** code of the last answer (RFC 1035: 3 = no such name), 0 if there was none; present: DNS, query seen */
  readonly 'protos.dns.last_return_code'?: number;
  /** does the name have characters that no name may have?; present: DNS, query seen; since 4.0 */
  readonly 'protos.dns.invalid_chars_in_query'?: boolean;
  /** resource records of the last message beside its question: answers, authorities, additional ones; present: DNS, known; not in ntopng */
  readonly 'protos.dns.num_answers'?: number;
  /** type of the first answer (A 1, CNAME 5, PTR 12, AAAA 28, …); present: DNS, answer seen; not in ntopng */
  readonly 'protos.dns.answer_type'?: number;
  /** first address of the answer; present: DNS, answered by an address; not in ntopng */
  readonly 'protos.dns.answer_address'?: string;
  /** name asked for or announced; what cannot be printed is `?`; present: MDNS, known; not in ntopng */
  readonly 'protos.mdns.query'?: string;
  /** type asked for (A 1, PTR 12, AAAA 28, …); present: MDNS, query seen; not in ntopng */
  readonly 'protos.mdns.query_type'?: number;
  /** resource records of the last message beside its question: answers, authorities, additional ones; present: MDNS, known; not in ntopng */
  readonly 'protos.mdns.num_answers'?: number;
  /** type of the first answer (A 1, CNAME 5, PTR 12, AAAA 28, …); present: MDNS, answer seen; not in ntopng */
  readonly 'protos.mdns.answer_type'?: number;
  /** first address of the answer; present: MDNS, answered by an address; not in ntopng */
  readonly 'protos.mdns.answer_address'?: string;
  /** name asked for or announced; what cannot be printed is `?`; present: LLMNR, known; not in ntopng */
  readonly 'protos.llmnr.query'?: string;
  /** type asked for (A 1, PTR 12, AAAA 28, …); present: LLMNR, query seen; not in ntopng */
  readonly 'protos.llmnr.query_type'?: number;
  /** resource records of the last message beside its question: answers, authorities, additional ones; present: LLMNR, known; not in ntopng */
  readonly 'protos.llmnr.num_answers'?: number;
  /** type of the first answer (A 1, CNAME 5, PTR 12, AAAA 28, …); present: LLMNR, answer seen; not in ntopng */
  readonly 'protos.llmnr.answer_type'?: number;
  /** first address of the answer; present: LLMNR, answered by an address; not in ntopng */
  readonly 'protos.llmnr.answer_address'?: string;
  /** banner of the client; present: SSH, known */
  readonly 'protos.ssh.client_signature'?: string;
  /** banner of the server; present: SSH, known */
  readonly 'protos.ssh.server_signature'?: string;
  /** HASSH of the client, MD5 in hexadecimal; present: SSH, known */
  readonly 'protos.ssh.hassh.client_hash'?: string;
  /** HASSH of the server, MD5 in hexadecimal; present: SSH, known */
  readonly 'protos.ssh.hassh.server_hash'?: string;
  /** version word: 771 = TLS 1.2, 772 = TLS 1.3; 0 if unknown; present: TLS */
  readonly 'protos.ssl_version'?: number;
  /** server name that the client asked for; present: TLS, known */
  readonly 'protos.ssl.certificate'?: string;
  /** common name of the server certificate; present: TLS, known */
  readonly 'protos.ssl.server_certificate'?: string;
  /** JA3 of the client hello, MD5 in hexadecimal; present: TLS, known */
  readonly 'protos.ssl.ja3.client_hash'?: string;
  /** JA3S of the server hello, MD5 in hexadecimal; present: TLS, known */
  readonly 'protos.ssl.ja3.server_hash'?: string;
  /** number of the cipher suite; present: TLS, server hash known */
  readonly 'protos.ssl.ja3.server_cipher'?: number;
  /** `safe`, `weak` or `insecure`; present: TLS, server hash known */
  readonly 'protos.ssl.ja3.server_unsafe_cipher'?: string;
  /** the hash of the client is known from malware; present: TLS, the hash is on a list of malicious ones */
  readonly 'protos.ssl.ja3.client_malicious'?: boolean;
  /** the hash of the server is known from malware; present: TLS, the hash is on a list of malicious ones */
  readonly 'protos.ssl.ja3.server_malicious'?: boolean;
  /** as `protos.ssl_version`; present: TLS; since 4.0 */
  readonly 'protos.tls_version'?: number;
  /** server name that the client asked for; present: TLS, known; since 4.0 */
  readonly 'protos.tls.client_requested_server_name'?: string;
  /** names in the server certificate, separated by commas; present: TLS, known; since 4.0 */
  readonly 'protos.tls.server_names'?: string;
  /** application protocols that the client offers (RFC 7301); present: TLS, known; since 4.0 */
  readonly 'protos.tls.client_alpn'?: string;
  /** versions that the client offers; present: TLS, known; since 4.0 */
  readonly 'protos.tls.client_tls_supported_versions'?: string;
  /** issuer of the server certificate; present: TLS, known; since 4.2 */
  readonly 'protos.tls.issuerDN'?: string;
  /** subject of the server certificate; present: TLS, known; since 4.2 */
  readonly 'protos.tls.subjectDN'?: string;
  /** begin of its validity; unit: s since 1970; present: TLS, known; since 4.0 */
  readonly 'protos.tls.notBefore'?: number;
  /** end of its validity; unit: s since 1970; present: TLS, known; since 4.0 */
  readonly 'protos.tls.notAfter'?: number;
  /** SHA-1 of the server certificate; present: TLS, known; not in ntopng */
  readonly 'protos.tls.certificate_sha1'?: string;
  /** JA3 of the client hello, MD5 in hexadecimal; present: TLS, known; since 4.0 */
  readonly 'protos.tls.ja3.client_hash'?: string;
  /** JA3S of the server hello, MD5 in hexadecimal; present: TLS, known; since 4.0 */
  readonly 'protos.tls.ja3.server_hash'?: string;
  /** number of the cipher suite; present: TLS, server hash known; since 4.0 */
  readonly 'protos.tls.ja3.server_cipher'?: number;
  /** `safe`, `weak` or `insecure`; present: TLS, server hash known; since 4.0 */
  readonly 'protos.tls.ja3.server_unsafe_cipher'?: string;
  /** the hash of the client is known from malware; present: TLS, the hash is on a list of malicious ones; since 4.0 */
  readonly 'protos.tls.ja3.client_malicious'?: boolean;
  /** the hash of the server is known from malware; present: TLS, the hash is on a list of malicious ones; since 4.0 */
  readonly 'protos.tls.ja3.server_malicious'?: boolean;
  /** JA4 of the client hello; present: TLS, known; not in ntopng */
  readonly 'protos.tls.ja4'?: string;
  /** encrypted server name, in hexadecimal; present: TLS, the client sent one; not in ntopng */
  readonly 'protos.tls.esni'?: string;
  /** cipher suite of the encrypted server name; present: TLS, the client sent one; not in ntopng */
  readonly 'protos.tls.esni_cipher'?: number;
  /** `Firefox`, `Chrome` or `Safari`, guessed from the client hello; often wrong; present: TLS, nDPI guessed one; not in ntopng */
  readonly 'protos.tls.browser'?: string;
  /** version word: 771 = TLS 1.2, 772 = TLS 1.3; 0 if unknown; present: SMTPS, POPS, IMAPS; not in ntopng */
  readonly 'protos.mail_tls.version'?: number;
  /** server name that the client asked for; present: SMTPS, POPS, IMAPS, known; not in ntopng */
  readonly 'protos.mail_tls.client_requested_server_name'?: string;
  /** names in the server certificate, separated by commas; present: SMTPS, POPS, IMAPS, known; not in ntopng */
  readonly 'protos.mail_tls.server_names'?: string;
  /** application protocols that the client offers (RFC 7301); present: SMTPS, POPS, IMAPS, known; not in ntopng */
  readonly 'protos.mail_tls.client_alpn'?: string;
  /** versions that the client offers; present: SMTPS, POPS, IMAPS, known; not in ntopng */
  readonly 'protos.mail_tls.client_tls_supported_versions'?: string;
  /** issuer of the server certificate; present: SMTPS, POPS, IMAPS, known; not in ntopng */
  readonly 'protos.mail_tls.issuerDN'?: string;
  /** subject of the server certificate; present: SMTPS, POPS, IMAPS, known; not in ntopng */
  readonly 'protos.mail_tls.subjectDN'?: string;
  /** begin of its validity; unit: s since 1970; present: SMTPS, POPS, IMAPS, known; not in ntopng */
  readonly 'protos.mail_tls.notBefore'?: number;
  /** end of its validity; unit: s since 1970; present: SMTPS, POPS, IMAPS, known; not in ntopng */
  readonly 'protos.mail_tls.notAfter'?: number;
  /** SHA-1 of the server certificate; present: SMTPS, POPS, IMAPS, known; not in ntopng */
  readonly 'protos.mail_tls.certificate_sha1'?: string;
  /** JA3 of the client hello, MD5 in hexadecimal; present: SMTPS, POPS, IMAPS, known; not in ntopng */
  readonly 'protos.mail_tls.ja3.client_hash'?: string;
  /** JA3S of the server hello, MD5 in hexadecimal; present: SMTPS, POPS, IMAPS, known; not in ntopng */
  readonly 'protos.mail_tls.ja3.server_hash'?: string;
  /** number of the cipher suite; present: SMTPS, POPS, IMAPS, server hash known; not in ntopng */
  readonly 'protos.mail_tls.ja3.server_cipher'?: number;
  /** `safe`, `weak` or `insecure`; present: SMTPS, POPS, IMAPS, server hash known; not in ntopng */
  readonly 'protos.mail_tls.ja3.server_unsafe_cipher'?: string;
  /** the hash of the client is known from malware; present: SMTPS, POPS, IMAPS, the hash is on a list of malicious ones; not in ntopng */
  readonly 'protos.mail_tls.ja3.client_malicious'?: boolean;
  /** the hash of the server is known from malware; present: SMTPS, POPS, IMAPS, the hash is on a list of malicious ones; not in ntopng */
  readonly 'protos.mail_tls.ja3.server_malicious'?: boolean;
  /** JA4 of the client hello; present: SMTPS, POPS, IMAPS, known; not in ntopng */
  readonly 'protos.mail_tls.ja4'?: string;
  /** encrypted server name, in hexadecimal; present: SMTPS, POPS, IMAPS, the client sent one; not in ntopng */
  readonly 'protos.mail_tls.esni'?: string;
  /** cipher suite of the encrypted server name; present: SMTPS, POPS, IMAPS, the client sent one; not in ntopng */
  readonly 'protos.mail_tls.esni_cipher'?: number;
  /** `Firefox`, `Chrome` or `Safari`, guessed from the client hello; often wrong; present: SMTPS, POPS, IMAPS, nDPI guessed one; not in ntopng */
  readonly 'protos.mail_tls.browser'?: string;
  /** version word: 771 = TLS 1.2, 772 = TLS 1.3; 0 if unknown; present: DTLS; not in ntopng */
  readonly 'protos.dtls.version'?: number;
  /** server name that the client asked for; present: DTLS, known; not in ntopng */
  readonly 'protos.dtls.client_requested_server_name'?: string;
  /** names in the server certificate, separated by commas; present: DTLS, known; not in ntopng */
  readonly 'protos.dtls.server_names'?: string;
  /** application protocols that the client offers (RFC 7301); present: DTLS, known; not in ntopng */
  readonly 'protos.dtls.client_alpn'?: string;
  /** versions that the client offers; present: DTLS, known; not in ntopng */
  readonly 'protos.dtls.client_tls_supported_versions'?: string;
  /** issuer of the server certificate; present: DTLS, known; not in ntopng */
  readonly 'protos.dtls.issuerDN'?: string;
  /** subject of the server certificate; present: DTLS, known; not in ntopng */
  readonly 'protos.dtls.subjectDN'?: string;
  /** begin of its validity; unit: s since 1970; present: DTLS, known; not in ntopng */
  readonly 'protos.dtls.notBefore'?: number;
  /** end of its validity; unit: s since 1970; present: DTLS, known; not in ntopng */
  readonly 'protos.dtls.notAfter'?: number;
  /** SHA-1 of the server certificate; present: DTLS, known; not in ntopng */
  readonly 'protos.dtls.certificate_sha1'?: string;
  /** JA3 of the client hello, MD5 in hexadecimal; present: DTLS, known; not in ntopng */
  readonly 'protos.dtls.ja3.client_hash'?: string;
  /** JA3S of the server hello, MD5 in hexadecimal; present: DTLS, known; not in ntopng */
  readonly 'protos.dtls.ja3.server_hash'?: string;
  /** number of the cipher suite; present: DTLS, server hash known; not in ntopng */
  readonly 'protos.dtls.ja3.server_cipher'?: number;
  /** `safe`, `weak` or `insecure`; present: DTLS, server hash known; not in ntopng */
  readonly 'protos.dtls.ja3.server_unsafe_cipher'?: string;
  /** the hash of the client is known from malware; present: DTLS, the hash is on a list of malicious ones; not in ntopng */
  readonly 'protos.dtls.ja3.client_malicious'?: boolean;
  /** the hash of the server is known from malware; present: DTLS, the hash is on a list of malicious ones; not in ntopng */
  readonly 'protos.dtls.ja3.server_malicious'?: boolean;
  /** JA4 of the client hello; present: DTLS, known; not in ntopng */
  readonly 'protos.dtls.ja4'?: string;
  /** encrypted server name, in hexadecimal; present: DTLS, the client sent one; not in ntopng */
  readonly 'protos.dtls.esni'?: string;
  /** cipher suite of the encrypted server name; present: DTLS, the client sent one; not in ntopng */
  readonly 'protos.dtls.esni_cipher'?: number;
  /** `Firefox`, `Chrome` or `Safari`, guessed from the client hello; often wrong; present: DTLS, nDPI guessed one; not in ntopng */
  readonly 'protos.dtls.browser'?: string;
  /** version of QUIC: 1 = RFC 9000, 1798521807 = RFC 9369, 0xff000000 + n = draft n; present: QUIC, client hello read; not in ntopng */
  readonly 'protos.quic.version'?: number;
  /** version word: 771 = TLS 1.2, 772 = TLS 1.3; 0 if unknown; present: QUIC; not in ntopng */
  readonly 'protos.quic.tls_version'?: number;
  /** server name that the client asked for; present: QUIC, known; not in ntopng */
  readonly 'protos.quic.client_requested_server_name'?: string;
  /** application protocols that the client offers (RFC 7301); present: QUIC, known; not in ntopng */
  readonly 'protos.quic.client_alpn'?: string;
  /** versions that the client offers; present: QUIC, known; not in ntopng */
  readonly 'protos.quic.client_tls_supported_versions'?: string;
  /** JA3 of the client hello, MD5 in hexadecimal; present: QUIC, known; not in ntopng */
  readonly 'protos.quic.ja3.client_hash'?: string;
  /** JA4 of the client hello; present: QUIC, known; not in ntopng */
  readonly 'protos.quic.ja4'?: string;
  /** encrypted server name, in hexadecimal; present: QUIC, the client sent one; not in ntopng */
  readonly 'protos.quic.esni'?: string;
  /** cipher suite of the encrypted server name; present: QUIC, the client sent one; not in ntopng */
  readonly 'protos.quic.esni_cipher'?: number;
  /** `Firefox`, `Chrome` or `Safari`, guessed from the client hello; often wrong; present: QUIC, nDPI guessed one; not in ntopng */
  readonly 'protos.quic.browser'?: string;
  /** user agent that the client names; present: QUIC, known; not in ntopng */
  readonly 'protos.quic.user_agent'?: string;
  /** user who logs in, at most 31 bytes; present: FTP_CONTROL, known; not in ntopng */
  readonly 'protos.ftp.user'?: string;
  /** did the server refuse the login?; present: FTP_CONTROL, a login was tried; not in ntopng */
  readonly 'protos.ftp.auth_failed'?: boolean;
  /** did the client ask for TLS before it logged in?; present: FTP_CONTROL, a login was tried; not in ntopng */
  readonly 'protos.ftp.auth_tls'?: boolean;
  /** is the login over?; present: FTP_CONTROL, a login was tried; not in ntopng */
  readonly 'protos.ftp.auth_done'?: boolean;
  /** user who logs in, at most 31 bytes; present: SMTP, SMTPS, known; not in ntopng */
  readonly 'protos.smtp.user'?: string;
  /** did the server refuse the login?; present: SMTP, SMTPS, a login was tried; not in ntopng */
  readonly 'protos.smtp.auth_failed'?: boolean;
  /** did the client ask for TLS before it logged in?; present: SMTP, SMTPS, a login was tried; not in ntopng */
  readonly 'protos.smtp.auth_tls'?: boolean;
  /** is the login over?; present: SMTP, SMTPS, a login was tried; not in ntopng */
  readonly 'protos.smtp.auth_done'?: boolean;
  /** user who logs in, at most 31 bytes; present: POP3, POPS, known; not in ntopng */
  readonly 'protos.pop.user'?: string;
  /** did the server refuse the login?; present: POP3, POPS, a login was tried; not in ntopng */
  readonly 'protos.pop.auth_failed'?: boolean;
  /** did the client ask for TLS before it logged in?; present: POP3, POPS, a login was tried; not in ntopng */
  readonly 'protos.pop.auth_tls'?: boolean;
  /** is the login over?; present: POP3, POPS, a login was tried; not in ntopng */
  readonly 'protos.pop.auth_done'?: boolean;
  /** user who logs in, at most 31 bytes; present: IMAP, IMAPS, known; not in ntopng */
  readonly 'protos.imap.user'?: string;
  /** did the server refuse the login?; present: IMAP, IMAPS, a login was tried; not in ntopng */
  readonly 'protos.imap.auth_failed'?: boolean;
  /** did the client ask for TLS before it logged in?; present: IMAP, IMAPS, a login was tried; not in ntopng */
  readonly 'protos.imap.auth_tls'?: boolean;
  /** is the login over?; present: IMAP, IMAPS, a login was tried; not in ntopng */
  readonly 'protos.imap.auth_done'?: boolean;
  /** user who logs in; present: Telnet, known; not in ntopng */
  readonly 'protos.telnet.user'?: string;
  /** host that asks for a ticket; present: Kerberos, known; not in ntopng */
  readonly 'protos.kerberos.hostname'?: string;
  /** realm; present: Kerberos, known; not in ntopng */
  readonly 'protos.kerberos.domain'?: string;
  /** principal that asks for a ticket; present: Kerberos, known; not in ntopng */
  readonly 'protos.kerberos.username'?: string;
  /** name that the client gives itself; present: DHCP, known; not in ntopng */
  readonly 'protos.dhcp.host_name'?: string;
  /** options that the client asks for; present: DHCP, known; not in ntopng */
  readonly 'protos.dhcp.fingerprint'?: string;
  /** vendor class of the client; present: DHCP, known; not in ntopng */
  readonly 'protos.dhcp.class'?: string;
  /** User-Agent of the client; present: SSDP, known; not in ntopng */
  readonly 'protos.ssdp.user_agent'?: string;
  /** version of the protocol; present: NTP; not in ntopng */
  readonly 'protos.ntp.version'?: number;
  /** request code of a private message (mode 7), else 0; present: NTP; not in ntopng */
  readonly 'protos.ntp.request_code'?: number;
  /** firmware of the device; present: UBNTAC2, known; not in ntopng */
  readonly 'protos.ubntac2.version'?: string;
  /** `type` and `code` of the last packet, `unreach` quoted by it; present: ICMP, ICMPv6 */
  readonly icmp?: {
    /** type of the message */
    readonly type: number;
    /** code of the message */
    readonly code: number;
    /** the UDP packet that is quoted; present: port unreachable (ICMP 3, 3) about UDP */
    readonly unreach?: {
      /** its source */
      readonly src_ip: string;
      /** its destination */
      readonly dst_ip: string;
      /** its source port */
      readonly src_port: number;
      /** its destination port */
      readonly dst_port: number;
      /** its IP protocol */
      readonly protocol: number;
    };
  };
}
