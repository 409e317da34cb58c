/**
 * An alert of an external intrusion detection system about one flow, as it travels from the main thread, where files and
 * syslog are read (sources.ts), to the interface threads, where it is matched to its flow (src/interfaces/ids.ts). Plain data:
 * it crosses the thread boundary as it is.
 */
export interface IdsAlert {
  /** Of the packet that raised it, µs since 1970. */
  readonly time: number;
  /** IP protocol number. */
  readonly protocol: number;
  /** Sender and receiver of that packet: text of two IPv4 or two IPv6 addresses. */
  readonly source: string;
  readonly destination: string;
  /** TCP, UDP, SCTP: ports. ICMP: type and code. Others: 0. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Innermost VLAN id, 0 without one. */
  readonly vlan: number;
  /** 1 (highest) to 255. */
  readonly severity: number;
  /** A JSON object in ASCII, at most {@link MAX_ALERT_JSON} bytes: what the flow shows of the alert. */
  readonly json: string;
}

/** Most bytes of {@link IdsAlert.json}. */
export const MAX_ALERT_JSON = 2048;
