/** Details that flowpatrol itself adds to those of nDPI: their ids follow those of the addon. */

export const OWN_DETAILS = [
  /** JA4 of the client hello. */
  'tls.ja4',
  /** Version of QUIC, of which the client hello came. */
  'quic.version',
  /** Quoted packet of an ICMP "port unreachable" (RFC 792): source, destination (4 bytes each), ports (2 each, big-endian), IP protocol. */
  'icmp.unreach',
  /** JSON object of the intrusion detection system. */
  'ids.alert',
  /** nDPI's category, where a list gave the flow another one. */
  'dpi.category',
] as const;

/** @param addon names of the addon's details, by id */
export const detailNames = (addon: readonly string[]): string[] => [...addon, ...OWN_DETAILS.filter((name) => !addon.includes(name))];
