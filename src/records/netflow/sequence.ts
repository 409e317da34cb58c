/**
 * Sequence numbers: what an exporter has sent and we have not got. They count modulo 2^32, in v5 flows, in v9 messages (RFC 3954, 5.1),
 * in IPFIX data records (RFC 7011, 3.1), and stand in each message for what was sent before it.
 *
 *   number = expected                   all there
 *   number ahead of it                  the difference is lost, until it comes late
 *   number a little behind              a late message or one that came twice: what it brings is no longer lost
 *   number far behind or ahead, or the exporter was switched on since: it began anew
 *
 * Some exporters (softflowd) count a message's own flows, without options, in its number. Three messages that fit only this, and
 * none between that does not, tell them; what was taken for lost meanwhile is not.
 */

export interface Sequence {
  /** Number of the last message in order; -1: none. */
  last: number;
  /** Units that it brought; -1: not known. */
  units: number;
  /** Units lost since then, which may come late. */
  missing: number;
  /** Uptime of the last message in order, ms; -1 where messages have none. */
  uptime: number;
  /** The exporter counts a message's own flows. */
  ownCounted: boolean;
  /** Number and units of the last message in whatever order, how many fitted only that, and what was taken for lost by them. */
  heard: number;
  heardUnits: number;
  doubts: number;
  doubted: number;
}

export const newSequence = (): Sequence => ({
  last: -1,
  units: -1,
  missing: 0,
  uptime: -1,
  ownCounted: false,
  heard: -1,
  heardUnits: -1,
  doubts: 0,
  doubted: 0,
});

export interface Arrival {
  readonly number: number;
  /** Units that the message brings; -1: not known, the next number is then taken as it comes. */
  readonly units: number;
  /** Flows among them; -1: not known. */
  readonly flows: number;
  /** Units behind up to which a message is late rather than the first of a new sequence. */
  readonly window: number;
  /** Of the exporter, ms; -1: messages have none. */
  readonly uptime: number;
}

export interface SequenceChange {
  /** Units lost; negative: lost ones that came. */
  lost: number;
  late: boolean;
  restarted: boolean;
}

/** Jumps ahead by more than this, in units, are no loss: the exporter began anew. */
const MOST_LOST = 1_000_000;
/** ms by which a late message is older at most. */
const LATE_MS = 10_000;
const DOUBTS = 3;

const change: SequenceChange = { lost: 0, late: false, restarted: false };

/** Takes the number of a message. @returns what it means; the same object at every call */
export function followSequence(sequence: Sequence, arrival: Arrival): SequenceChange {
  const { number, units, flows, window, uptime } = arrival;
  change.lost = 0;
  change.late = false;
  change.restarted = false;
  const ahead = aheadOf(sequence, number, flows);
  const fitsOwn = sequence.heard >= 0 && flows > 0 && (sequence.heard + flows) >>> 0 === number;
  const fitsBefore = sequence.heardUnits >= 0 && (sequence.heard + sequence.heardUnits) >>> 0 === number;
  const doubtful = fitsOwn && !fitsBefore && !sequence.ownCounted;
  sequence.heard = number;
  sequence.heardUnits = units;
  if (doubtful && ++sequence.doubts >= DOUBTS) {
    sequence.ownCounted = true;
    change.lost = -Math.max(0, sequence.doubted);
    return advance(sequence, arrival);
  }
  if (!fitsOwn) {
    sequence.doubts = 0;
    sequence.doubted = 0;
  }

  const rebooted = uptime >= 0 && sequence.uptime >= 0 && ((sequence.uptime - uptime) | 0) > LATE_MS;
  if (ahead < 0 && ahead >= -window && !rebooted && (uptime >= 0 || number !== 0)) {
    change.late = true;
    const found = Math.min(sequence.missing, Math.max(units, 0));
    sequence.missing -= found;
    change.lost = -found;
    if (sequence.doubts > 0) sequence.doubted += change.lost;
    return change;
  }
  if (ahead < 0 || ahead > MOST_LOST || rebooted) {
    change.restarted = true;
    sequence.missing = 0;
    sequence.ownCounted = false;
  } else if (ahead > 0) {
    change.lost = ahead;
    sequence.missing = Math.min(sequence.missing + ahead, window);
    if (sequence.doubts > 0) sequence.doubted += ahead;
  }
  return advance(sequence, arrival);
}

/** How far the number is ahead of the expected one. */
function aheadOf({ last, units, ownCounted }: Sequence, number: number, flows: number): number {
  if (last < 0) return 0;
  const brought = ownCounted ? flows : units;
  return brought < 0 ? 0 : (number - (last + brought)) | 0;
}

function advance(sequence: Sequence, { number, units, uptime }: Arrival): SequenceChange {
  sequence.last = number;
  sequence.units = units;
  sequence.uptime = uptime;
  return change;
}
