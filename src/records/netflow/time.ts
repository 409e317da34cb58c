/** Clocks of NetFlow and IPFIX: everything becomes µs since 1970. */

/** Seconds from 1900, where NTP begins, to 1970. */
const NTP_EPOCH = 2_208_988_800;
const WRAP_US = 2 ** 32 * 1000;

/**
 * `dateTimeMicroseconds` and `dateTimeNanoseconds` (RFC 7011, 6.1.9 and 6.1.10): NTP time, seconds since 1900 and 2^-32 seconds.
 * Some exporters put plain µs or ns since 1970 there. NTP has its topmost bit set from 1968 to 2036, these have not.
 */
export function fromNtp(high: number, low: number): number {
  if (high >= 2 ** 31) return (high - NTP_EPOCH) * 1e6 + Math.round((low * 1e6) / 2 ** 32);
  const plain = high * 2 ** 32 + low;
  return plain > 1e17 ? Math.floor(plain / 1000) : plain;
}

/**
 * The time at which an exporter had been up for `at` ms, from a message sent at `sent` µs when it had been up for `uptime` ms.
 * Both count modulo 2^32 ms (49.7 days): their difference is taken as a signed number of 32 bit, so a wrap between them is harmless.
 */
export const fromUptime = (at: number, uptime: number, sent: number): number => sent - ((uptime - at) | 0) * 1000;

/** The same when the exporter says when it was switched on (`systemInitTimeMilliseconds`): the wrap nearest to `sent`. */
export function fromBoot(at: number, bootMs: number, sent: number): number {
  const time = (bootMs + at) * 1000;
  return time + Math.round((sent - time) / WRAP_US) * WRAP_US;
}
