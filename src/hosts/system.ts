/** Addresses of the machine that runs flowpatrol, as the main thread gives them to the books of hosts (book.ts). */
import { networkInterfaces } from 'node:os';

/** Addresses of all network interfaces that are up, without zones (`%eth0`). */
export const systemAddresses = (): string[] => [
  ...new Set(Object.values(networkInterfaces()).flatMap((cards) => (cards ?? []).map((card) => card.address.split('%')[0] as string))),
];
