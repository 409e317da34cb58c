/** May this process capture? Linux asks for the capability CAP_NET_RAW, root or not; promiscuous mode wants nothing more. */
import { realpathSync } from 'node:fs';
import { type Finding, hint, ok, problem } from './finding.ts';
import type { Inputs } from './inputs.ts';
import { pairs, readText } from './system.ts';

/** capabilities(7), linux/capability.h */
const CAP_NET_RAW = 1n << 13n;

const BOUNDED = 'docker run --cap-add=NET_RAW --network=host …\nor, in the unit of systemd: CapabilityBoundingSet=CAP_NET_RAW';

/**
 * @param status the text of /proc/self/status, capabilities in hexadecimal (proc(5))
 * @param node path of the running Node
 * @param needed a network interface was named; captures need no rights
 */
export function rightsFinding(status: string, node: string, needed: boolean): Finding {
  const fields = pairs(status, ':');
  const has = (set: string): boolean => (BigInt(`0x${fields.get(set) ?? '0'}`) & CAP_NET_RAW) !== 0n;
  const uid = fields.get('Uid')?.split(/\s/)[1];
  const who = uid === '0' ? 'root' : `user ${uid}`;
  if (has('CapEff')) return ok('rights', `${who} may capture (CAP_NET_RAW)`);
  const level = needed ? problem : hint;
  const what = `${who} may not capture from interfaces (CAP_NET_RAW is missing)${needed ? '' : '; captures can be read'}`;
  // what is outside the bounding set no setcap and no sudo can bring back
  if (!has('CapBnd')) return level('rights', `${what}; this container or service must not have it`, BOUNDED);
  return level('rights', what, `sudo setcap cap_net_raw=ep ${node}\nor: sudo flowpatrol …`);
}

export function* rightsChecks(inputs: Inputs): Generator<Finding> {
  const status = readText('/proc/self/status');
  if (status !== undefined) yield rightsFinding(status, realpathSync(process.execPath), inputs.named && inputs.live.length > 0);
}
