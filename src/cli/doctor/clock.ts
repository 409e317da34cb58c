/** Is the time right, cheap to read, and in a known zone? Packets of live interfaces carry the system's time. */
import { existsSync } from 'node:fs';
import { type Finding, hint, ok } from './finding.ts';
import { type Answer, ask, pairs, readText } from './system.ts';

const SOURCES = '/sys/devices/system/clocksource/clocksource0';
/** Made by systemd-timesyncd at its first answer (systemd-timesyncd.service(8)). */
const TIMESYNC = '/run/systemd/timesync/synchronized';

/**
 * @param timedatectl answer to `timedatectl show`; NTPSynchronized is the kernel's own flag, whoever sets the clock
 * @param chronyc answer to `chronyc -n tracking`
 * @param timesync TIMESYNC is there
 */
export function clockFinding(timedatectl: Answer, chronyc: Answer, timesync: boolean): Finding {
  if (timedatectl.state === 'answered') {
    const fields = pairs(timedatectl.text, '=');
    if (fields.get('NTPSynchronized') === 'yes') return ok('clock', 'the clock is synchronised');
    const service = fields.get('NTP') === 'yes';
    if (fields.get('NTPSynchronized') === 'no') {
      return service
        ? hint('clock', 'the clock is not synchronised yet', 'timedatectl timesync-status')
        : hint('clock', 'the clock is not synchronised', 'sudo timedatectl set-ntp true');
    }
  }
  if (chronyc.state === 'answered') {
    const fields = pairs(chronyc.text, ':');
    if (fields.get('Leap status') !== 'Not synchronised')
      return ok('clock', `the clock is synchronised: ${fields.get('System time') ?? 'chrony'}`);
    return hint('clock', 'the clock is not synchronised: chrony has no source', 'chronyc sources');
  }
  if (timesync) return ok('clock', 'the clock is synchronised (systemd-timesyncd)');
  return hint('clock', 'nothing here says whether the clock is right', 'sudo apt-get install chrony');
}

/** Not read in user space but by a system call, and from a slow device: about a microsecond a time. */
const SLOW = ['hpet', 'acpi_pm', 'pit', 'jiffies', 'refined-jiffies'];

/** @param available names with spaces between them, the kernel's best one first */
export function clockSourceFinding(current: string, available: string): Finding {
  if (!SLOW.includes(current)) return ok('clock-source', `time is read from ${current}`);
  const better = available.split(/\s+/).find((name) => name !== '' && !SLOW.includes(name));
  const what = `time is read from ${current}, which is slow`;
  return better === undefined
    ? hint('clock-source', `${what}; this machine has nothing faster`, '')
    : hint('clock-source', what, `echo ${better} | sudo tee ${SOURCES}/current_clocksource`);
}

/** @param asked the variable TZ */
export function timeZoneFinding(asked: string | undefined, zone: string): Finding {
  const name = asked?.replace(/^:/, '') ?? '';
  const what = `times are shown in ${zone}`;
  if (name === '' || name.startsWith('/')) return ok('time-zone', what);
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return ok('time-zone', what);
  } catch {
    return hint('time-zone', `${what}: TZ=${name} is no zone that Node knows`, 'timedatectl list-timezones');
  }
}

export async function* clockChecks(): AsyncGenerator<Finding> {
  const [timedatectl, chronyc] = await Promise.all([ask('timedatectl', 'show'), ask('chronyc', '-n', 'tracking')]);
  yield clockFinding(timedatectl, chronyc, existsSync(TIMESYNC));
  const current = readText(`${SOURCES}/current_clocksource`);
  if (current !== undefined) yield clockSourceFinding(current, readText(`${SOURCES}/available_clocksource`) ?? '');
  yield timeZoneFinding(process.env.TZ, Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'an unknown zone');
}
