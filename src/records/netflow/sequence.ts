/**
 * Sequence numbers: what an exporter has sent and we have not got. They count modulo 2^32, in v5 flows, in v9 messages (RFC 3954, 5.1),
 * in IPFIX data records (RFC 7011, 3.1), and stand in each message for what was sent before it.
 *
 *   number = expected                   all there
 *   number ahead of it                  the difference is lost, until it comes late
 *   number a little behind              a late message or one that came twice: what it brings is no longer lost
 *   number far behind or ahead, or the exporter was switched on since: it began anew
 */

export interface Sequence {
  /** Number of the next message; -1: not known. */
  expected: number;
  /** Units lost since then, which may come late. */
  missing: number;
  /** Uptime of the last message in order, ms; -1 where messages have none. */
  uptime: number;
}

export const newSequence = (): Sequence => ({ expected: -1, missing: 0, uptime: -1 });

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

const change: SequenceChange = { lost: 0, late: false, restarted: false };

/**
 * Takes the sequence number of a message.
 * @param units that the message itself brings; -1: not known, the next number is then taken as it comes
 * @param window units behind up to which a message is late rather than the first of a new sequence
 * @param uptime of the exporter, ms, or -1
 * @returns what it means; the same object at every call
 */
export function followSequence(sequence: Sequence, number: number, units: number, window: number, uptime: number): SequenceChange {
  change.lost = 0;
  change.late = false;
  change.restarted = false;
  const ahead = sequence.expected < 0 ? 0 : (number - sequence.expected) | 0;
  const older = uptime >= 0 && sequence.uptime >= 0 ? (sequence.uptime - uptime) | 0 : 0;
  const rebooted = older > LATE_MS;

  if (ahead < 0 && ahead >= -window && !rebooted && (uptime >= 0 || number !== 0)) {
    change.late = true;
    const found = Math.min(sequence.missing, Math.max(units, 0));
    sequence.missing -= found;
    change.lost = -found;
    return change;
  }
  if (ahead < 0 || ahead > MOST_LOST || rebooted) {
    change.restarted = true;
    sequence.missing = 0;
  } else if (ahead > 0) {
    change.lost = ahead;
    sequence.missing = Math.min(sequence.missing + ahead, window);
  }
  sequence.expected = units < 0 ? -1 : (number + units) >>> 0;
  sequence.uptime = uptime;
  return change;
}
