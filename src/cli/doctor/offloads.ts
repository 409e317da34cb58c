/**
 * What a network card does to packets before they are captured, from the words of ethtool(8).
 *
 * The tap of a capture sits between card and protocols. GRO and LRO merge received packets of a TCP connection below it, up to
 * 64 KiB each: the flow then has fewer, longer packets than the wire had, and the times between them are gone. TSO and GSO
 * split what this machine sends above the card, so behind the tap: its own packets look as long. VLAN tags that the card
 * takes off are put back by libpcap.
 */
import { type Finding, hint, ok } from './finding.ts';
import { type Answer, pairs } from './system.ts';

const INSTALL_ETHTOOL = 'sudo apt-get install ethtool';

/** Names in the output, words for `ethtool -K`. */
const RECEIVING = [
  ['generic-receive-offload', 'gro'],
  ['large-receive-offload', 'lro'],
  ['rx-gro-hw', 'rx-gro-hw'],
  ['rx-gro-list', 'rx-gro-list'],
] as const;
const SENDING = [
  ['tcp-segmentation-offload', 'tso'],
  ['generic-segmentation-offload', 'gso'],
] as const;

/** @param answer to `ethtool -k NAME` */
export function offloadsFinding(name: string, answer: Answer): Finding {
  if (answer.state === 'missing') return hint('offloads', `${name}: unknown without ethtool`, INSTALL_ETHTOOL);
  if (answer.state === 'failed') return ok('offloads', `${name}: has none to tell of`);
  const features = pairs(answer.text, ':');
  const on = (list: readonly (readonly [string, string])[]): string[] =>
    list.filter(([feature]) => features.get(feature)?.startsWith('on')).map(([, word]) => word);
  const isFixed = (word: string): boolean =>
    RECEIVING.some(([feature, of]) => of === word && features.get(feature)?.includes('[fixed]') === true);

  const receiving = on(RECEIVING);
  const sending = on(SENDING);
  const vlan = features.get('rx-vlan-offload')?.startsWith('on') ? '; VLAN tags come back through libpcap' : '';
  const own = sending.length === 0 ? '' : `; own packets look longer (${sending.join(', ')})`;
  const changeable = receiving.filter((word) => !isFixed(word));
  if (changeable.length > 0) {
    const what = `${name}: ${receiving.join(', ')} on: packets are merged before capture, so lengths, counts and times are not those of the wire`;
    return hint('offloads', what, `sudo ethtool -K ${name} ${changeable.map((word) => `${word} off`).join(' ')}`);
  }
  const fixed = receiving.length === 0 ? '' : ` as far as this machine can say (${receiving.join(', ')} is fixed)`;
  return ok('offloads', `${name}: received packets are not merged${fixed}${own}${vlan}`);
}

export interface Ring {
  readonly rx: number;
  readonly most: number;
}

/** @param text the output of `ethtool -g NAME`: maximums first, then the current settings; `n/a` where there is none */
export function parseRing(text: string): Ring | undefined {
  const [most, rx] = [...text.matchAll(/^RX:\s*(\d+)\s*$/gm)].map((match) => Number(match[1]));
  return most === undefined || rx === undefined ? undefined : { rx, most };
}

export const ringFinding = (name: string, ring: Ring): Finding =>
  ok('ring', `${name}: the card has room for ${ring.rx} packets${ring.rx < ring.most ? `, at most ${ring.most}` : ', its most'}`);
