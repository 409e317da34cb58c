import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkIdsSources } from '../../src/cli/check-ids.ts';
import { CommandError } from '../../src/cli/errors.ts';

const directory = mkdtempSync(join(tmpdir(), 'check-ids-'));
const file = join(directory, 'eve.json');
const missing = join(directory, 'missing.json');
writeFileSync(file, '');
after(() => rmSync(directory, { recursive: true }));

test('files that are there, and on live interfaces also those that will be, and ports', () => {
  checkIdsSources([], false);
  checkIdsSources([file], false);
  checkIdsSources([file, missing, 'udp:127.0.0.1:5514'], true);
});

for (const [what, texts, live, error] of [
  ['a missing file of a capture', [missing], false, /does not exist/],
  ['a directory', [directory], true, /is a directory/],
  ['what is no regular file', ['/dev/null'], true, /is not a regular file/],
  ['a source twice', [file, file], true, /is given twice/],
  ['syslog beside a capture', ['udp:127.0.0.1:5514'], false, /is for network interfaces/],
  ['a broken address', ['udp:nowhere:1'], true, /nowhere is no address/],
] as const) {
  test(`${what} is refused with a hint`, () => {
    assert.throws(
      () => checkIdsSources(texts, live),
      (caught: unknown) => caught instanceof CommandError && caught.exitCode === 2 && error.test(caught.message) && caught.hint !== '',
    );
  });
}
