/** A file of JSON lines, one alert each. It is opened for every delivery, so it may be moved away at any time (logrotate). */
import { open } from 'node:fs/promises';
import { type SettingValues, textOf } from './settings.ts';
import { DeliveryError, type Transport } from './transport.ts';

export function createFile(settings: SettingValues): Transport {
  const path = textOf(settings, 'path');
  return {
    most: 500,
    async send({ alerts, test }) {
      const lines = alerts.map((alert) => `${JSON.stringify(test ? { ...alert, test } : alert)}\n`).join('');
      try {
        await using file = await open(path, 'a', 0o640);
        await file.write(lines); // one write: lines of several writers do not mix
      } catch (error) {
        throw new DeliveryError((error as Error).message);
      }
    },
    close() {},
  };
}
