/** Folders that are made, and what is said where that is not possible; by all that keep something in one. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { FolderError, makeFolder } from '../src/folders.ts';
import { writeCopy } from '../src/hosts/lists/copies.ts';
import { ownKeyPair } from '../src/records/zmq/keys.ts';
import { ownCredentials } from '../src/server/tls.ts';
import { createUploads } from '../src/server/uploads.ts';
import { openDatabase } from '../src/store/duckdb/database.ts';

const scratch = mkdtempSync(join(tmpdir(), 'flowpatrol-folders-'));
after(() => rmSync(scratch, { recursive: true }));

test('those above it are made too, with the same rights; one that is there stays', () => {
  const folder = join(scratch, 'a', 'b', 'c');
  makeFolder(folder, 0o700);
  for (const each of [folder, join(scratch, 'a')]) assert.equal(statSync(each).mode & 0o777, 0o700);
  writeFileSync(join(folder, 'kept'), '');
  makeFolder(folder);
  assert.ok(statSync(join(folder, 'kept')).isFile());
});

test('a file has its place, or one above it', () => {
  const file = join(scratch, 'file');
  writeFileSync(file, '');
  for (const folder of [file, join(file, 'below'), join(file, 'far', 'below')])
    assert.throws(
      () => makeFolder(folder),
      (error) => error instanceof FolderError && error.message === `${folder} is not a directory`,
      folder,
    );
});

describe('where the system makes none, and mkdir of Node would try for ever', () => {
  const PLACE = '/proc/flowpatrol/data';
  const keepers: Readonly<Record<string, () => unknown>> = {
    'a folder': () => makeFolder(PLACE),
    'certificate of HTTPS': () => ownCredentials(PLACE, [], Date.now()),
    uploads: () =>
      createUploads({
        directory: PLACE,
        most: 1,
        start: () => assert.fail('nothing is given'),
        snapshot: () => assert.fail('nothing is asked'),
        now: Date.now,
      }),
    'keys of ZMQ': () => ownKeyPair(PLACE),
    history: () => openDatabase({ directory: PLACE, memoryLimitMiB: 64, threads: 1 }),
    'copy of a list': () => writeCopy(`${PLACE}/list`, { from: '', etag: '', lastModified: '', time: 0, bytes: Buffer.alloc(0) }),
  };
  for (const [name, keep] of Object.entries(keepers))
    test(name, async () => {
      await assert.rejects(async () => keep(), /the directory \/proc\/flowpatrol\S* cannot be made: ENOENT/);
    });
});
