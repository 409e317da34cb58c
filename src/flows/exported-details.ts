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
  /** Autonomous systems of client and server, and those before and behind the exporter on the way of the client's packets. */
  'src_as',
  'dst_as',
  'prev_adjacent_as',
  'next_adjacent_as',
  /** VRF by which the packets came in to the exporter. */
  'vrf',
] as const;
