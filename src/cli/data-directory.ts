/**
 * One process a data directory. The lock is one of the operating system, held by SQLite on an empty file: it is gone when the
 * process is, however it ended. `flowpatrol.pid` beside it only says who holds it.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type FolderError, makeFolder } from '../folders.ts';
import { runError, usageError } from './errors.ts';

export interface DataDirectoryLock {
  release(): void;
}

const SQLITE_BUSY = 5;

function holder(pidFile: string): string {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
    if (pid > 0 && existsSync(`/proc/${pid}`)) return `process ${pid}`;
  } catch {
    // no such file: the holder has not written it yet
  }
  return 'another process';
}

/**
 * Makes the directory where it is missing and locks it.
 * @throws CommandError when it cannot be used, or is in use
 */
export function lockDataDirectory(directory: string): DataDirectoryLock {
  const pidFile = join(directory, 'flowpatrol.pid');
  try {
    makeFolder(directory, 0o750);
  } catch (error) {
    const { code, message, reason } = error as FolderError;
    if (code === 'EEXIST' || code === 'ENOTDIR') throw usageError(`-d: ${message}`);
    throw runError(`the data directory ${directory} cannot be made: ${reason}`, 'give another directory with -d, where you may write');
  }
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(directory, 'flowpatrol.lock'));
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
    writeFileSync(pidFile, `${process.pid}\n`);
  } catch (error) {
    const { errcode, message } = error as Error & { errcode?: number };
    database?.close();
    if (errcode === SQLITE_BUSY) {
      throw runError(
        `the data directory ${directory} is in use by ${holder(pidFile)}`,
        'end that process, or give another directory with -d',
      );
    }
    throw runError(`the data directory ${directory} cannot be used: ${message}`);
  }
  const held = database;
  return {
    release() {
      rmSync(pidFile, { force: true });
      held.close();
    },
  };
}
