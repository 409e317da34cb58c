/** The model's networks and lists: looked through from end to end. */
import { BlockList, isIP } from 'node:net';

/** An entry of a list: an address, a network, or a name that stands for those below it too. */
export interface Listed {
  readonly what: string;
  readonly category: number;
}

/** Position of the longest of the networks that has the address, -1 for none. */
export function matchNetwork(networks: readonly string[], ip: string): number {
  let best = -1;
  let longest = -1;
  for (const [position, text] of networks.entries()) {
    const [network, length = isIP(text) === 4 ? '32' : '128'] = text.split('/');
    if (isIP(network) !== isIP(ip) || Number(length) <= longest) continue;
    const block = new BlockList();
    block.addSubnet(network, Number(length), isIP(ip) === 4 ? 'ipv4' : 'ipv6');
    if (!block.check(ip, isIP(ip) === 4 ? 'ipv4' : 'ipv6')) continue;
    best = position;
    longest = Number(length);
  }
  return best;
}

export const isUnicast = (ip: string): boolean => {
  const first = Number.parseInt(ip, 10);
  return ip.includes(':') ? ip !== '::' && !ip.startsWith('ff') : first > 0 && first < 224;
};

export function categoryOfAddress(listed: readonly Listed[], ip: string): number {
  const networks = listed.filter(({ what }) => isIP(what.split('/')[0]) !== 0);
  return (
    networks[
      matchNetwork(
        networks.map(({ what }) => what),
        ip,
      )
    ]?.category ?? 0
  );
}

/** Category of the name, or of the nearest domain above it. */
export function categoryOfName(listed: readonly Listed[], name: string): number {
  const labels = name.toLowerCase().replace(/\.$/, '').split('.');
  for (let i = 0; i < labels.length; i++) {
    const found = listed.find(({ what }) => what === labels.slice(i).join('.'));
    if (found !== undefined) return found.category;
  }
  return 0;
}
