/** What a script host says of scripts, in the log: called by hosts.ts for each message. */
import type { HostMessage } from '../../interfaces/protocol.ts';
import type { Log } from '../../patrol-types.ts';

/**
 * @param interfaceName where the host belongs to
 * @param started it has loaded what there was when it began: what it loads from now on is new
 * @returns false: the message is about something else
 */
export function logSaid(log: Log, interfaceName: string, message: HostMessage, started: boolean): boolean {
  const of = { interface: interfaceName };
  switch (message.type) {
    case 'print': {
      const { script, callback, flow, level, line } = message;
      const fields = { script, callback, ...(flow === undefined ? {} : { flow }), ...of };
      if (level === 'error') log.error(fields, line);
      else if (level === 'warning') log.warn(fields, line);
      else if (level === 'debug') log.debug(fields, line);
      else log.info(fields, line);
      return true;
    }
    case 'script-error': {
      const { script, callback, flow } = message;
      log.error({ script, callback, ...(flow === undefined ? {} : { flow }), ...of }, message.message);
      return true;
    }
    case 'script-loaded': {
      const { script, version, replaced } = message;
      if (version === undefined) log.info({ script, ...of }, 'the script is gone');
      else if (replaced) log.info({ script, version, ...of }, 'a new version of the script runs');
      else log[started ? 'info' : 'debug']({ script, version, ...of }, 'the script is loaded');
      return true;
    }
    case 'script-switched':
      if (message.on) log.info({ script: message.script, ...of }, `the script is on again: ${message.reason}`);
      else log.error({ script: message.script, ...of }, `the script was switched off: ${message.reason}`);
      return true;
    default:
      return false;
  }
}
