/**
 * What an interface can tell by its kind. Records say of a conversation what their exporter has counted, samples are a few of its packets:
 * a status that needs every packet is not applicable there, and says so instead of staying silent.
 */
import { STATUSES, type Status } from '../../flows/statuses.ts';
import type { Names } from '../../flows/view.ts';

/** Statuses that an interface of these names never sets, although it would if it saw every packet. */
export const notApplicable = ({ packetInterface, sampled }: Pick<Names, 'packetInterface' | 'sampled'>): readonly Status[] =>
  packetInterface && !sampled ? [] : STATUSES.filter((status) => status.packetsOnly === true);
