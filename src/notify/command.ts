/**
 * A command for each alert, started without a shell: the words are its arguments as they are. The alert comes as a line of JSON on
 * standard input. Exit status 0 is success; after the time limit it is killed with all that it has started.
 */
import { spawn } from 'node:child_process';
import type { Alert } from '../alerts/alert.ts';
import { listOf, type SettingValues } from './settings.ts';
import { DeliveryError, type Transport } from './transport.ts';

/** Characters of what it says on its error output, for messages. */
const MOST_SAID = 300;
/** What is in the program's own environment is nobody else's business. */
const PASSED = ['PATH', 'HOME', 'LANG', 'TZ'];

const environment = (alert: Alert, test: boolean): Record<string, string> => ({
  ...Object.fromEntries(PASSED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name] as string]]))),
  FLOWPATROL_ALERT_ID: alert.id,
  FLOWPATROL_SEVERITY: alert.severity,
  FLOWPATROL_TEST: test ? '1' : '',
});

function run(words: readonly string[], seconds: number, alert: Alert, test: boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const [program = '', ...rest] = words;
  // a process group of its own, so that all of it can be killed
  const child = spawn(program, rest, { stdio: ['pipe', 'ignore', 'pipe'], env: environment(alert, test), detached: true });
  let said = '';
  let late = false;
  const kill = (): void => {
    late = true;
    try {
      process.kill(-(child.pid as number), 'SIGKILL');
    } catch {
      child.kill('SIGKILL');
    }
    child.stderr.destroy(); // what it left behind may hold it open
  };
  const timer = setTimeout(kill, seconds * 1000);
  child.on('error', (error: NodeJS.ErrnoException) => {
    clearTimeout(timer);
    // a program that is not there, or none, will not be there in a minute
    reject(new DeliveryError(error.message, ['ENOENT', 'EACCES', 'ENOEXEC'].includes(error.code ?? '')));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-MOST_SAID);
  });
  child.on('close', (code, signal) => {
    clearTimeout(timer);
    if (code === 0) resolve();
    else if (late) reject(new DeliveryError(`the command did not end within ${seconds} s and was killed`));
    else reject(new DeliveryError(`the command ended with ${code ?? signal}: ${said.replace(/\s+/g, ' ').trim()}`.replace(/: $/, '')));
  });
  child.stdin.on('error', () => {}); // it may not read it
  child.stdin.end(`${JSON.stringify(test ? { ...alert, test } : alert)}\n`);
  return promise;
}

export function createCommand(settings: SettingValues): Transport {
  return {
    most: 1,
    async send({ alerts, test }) {
      for (const alert of alerts) await run(listOf(settings, 'command'), Number(settings.limit), alert, test);
    },
    close() {},
  };
}
