/** Makes folders. Called by all that keep something in a folder that may not be there yet. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Why a folder cannot be made. */
export class FolderError extends Error {
  /** Of the system. `EEXIST`, `ENOTDIR`: something else has its place. */
  readonly code: string;
  /** The system's own words. */
  readonly reason: string;

  constructor(folder: string, { code = 'EIO', message }: NodeJS.ErrnoException) {
    super(code === 'EEXIST' || code === 'ENOTDIR' ? `${folder} is not a directory` : `the directory ${folder} cannot be made: ${message}`);
    this.name = 'FolderError';
    this.code = code;
    this.reason = message;
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function make(folder: string, mode: number): void {
  const above = dirname(folder);
  if (above !== folder && statSync(above, { throwIfNoEntry: false }) === undefined) make(above, mode);
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isFolder(folder)) throw error;
  }
}

/**
 * Makes the folder with those above it, where they are not there. `recursive` of mkdir is not used: where the system says ENOENT although
 * the folder above is there, as in /proc, Node tries for ever.
 * @throws FolderError
 */
export function makeFolder(folder: string, mode = 0o777): void {
  try {
    make(folder, mode);
  } catch (error) {
    throw new FolderError(folder, error as NodeJS.ErrnoException);
  }
}
