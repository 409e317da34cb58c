/** Hosts of the past: what the history has summed by client and by server, put together. Pure. */

type Sums = readonly { readonly value: unknown; readonly sum: number }[];

export interface PastHost {
  readonly address: string;
  /** Bytes of flows that it began, and of those that it was the server of. */
  readonly asClient: number;
  readonly asServer: number;
  readonly bytes: number;
  readonly flows: number;
}

export interface HostSums {
  readonly clientBytes: Sums;
  readonly serverBytes: Sums;
  readonly clientFlows: Sums;
  readonly serverFlows: Sums;
}

/** The largest first. */
export function pastHosts({ clientBytes, serverBytes, clientFlows, serverFlows }: HostSums): PastHost[] {
  const found = new Map<string, { address: string; asClient: number; asServer: number; bytes: number; flows: number }>();
  const add = (sums: Sums, to: 'asClient' | 'asServer' | 'flows'): void => {
    for (const { value, sum } of sums) {
      const address = String(value);
      const host = found.get(address) ?? { address, asClient: 0, asServer: 0, bytes: 0, flows: 0 };
      host[to] += sum;
      host.bytes = host.asClient + host.asServer;
      found.set(address, host);
    }
  };
  add(clientBytes, 'asClient');
  add(serverBytes, 'asServer');
  add(clientFlows, 'flows');
  add(serverFlows, 'flows');
  return [...found.values()].filter(({ address }) => address !== '').sort((a, b) => b.bytes - a.bytes);
}
