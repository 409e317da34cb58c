/** Details that only records of probes and exporters have: their ids follow those of own-details.ts. */

export const EXPORTED_DETAILS = [
  /** JSON object of what is understood by nobody: name or number of the element → value. */
  'moreinfo',
  /** Name of the protocol where nDPI has none that is equal: an NBAR application, an application of a firewall. */
  'proto.name',
  /** Who exported the flow first: address, address and domain, name of a probe. */
  'exporter',
  /** SNMP index of the interface by which the client's packets came in, and went out. */
  'in_index',
  'out_index',
  /** What an agent on the host of an end says: JSON objects with the members that the fields of these names have. */
  'client_process',
  'server_process',
  'client_container',
  'server_container',
  'client_tcp_info',
  'server_tcp_info',
] as const;
