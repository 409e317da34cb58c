/**
 * A file of JSON lines, one alert each. It is opened for every delivery, so it may be moved away at any time (logrotate). A line that was cut
 * off, by a kill or a full disk, stays a line of its own: its alert comes again.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { type SettingValues, textOf } from './settings.ts';
import { DeliveryError, type Transport } from './transport.ts';

const LINE_END = 0x0a;

async function endsInLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  const last = Buffer.alloc(1);
  if (size === 0 || (await file.read(last, 0, 1, size - 1)).bytesRead === 0) return true;
  return last[0] === LINE_END;
}

export function createFile(settings: SettingValues): Transport {
  const path = textOf(settings, 'path');
  return {
    most: 500,
    async send({ alerts, test }) {
      const lines = alerts.map((alert) => `${JSON.stringify(test ? { ...alert, test } : alert)}\n`).join('');
      try {
        await using file = await open(path, 'a+', 0o640);
        await file.write((await endsInLine(file)) ? lines : `\n${lines}`); // one write: lines of several writers do not mix
      } catch (error) {
        throw new DeliveryError((error as Error).message);
      }
    },
    close() {},
  };
}
