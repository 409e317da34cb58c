import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { curveKeyPair } from 'zeromq';
import { fromZ85, hexForm, ownKeyPair, pairOf, readKey, readKeyFile, z85 } from '../../../src/records/zmq/keys.ts';

const directory = mkdtempSync(join(tmpdir(), 'zmq-keys-'));
after(() => rmSync(directory, { recursive: true }));

test('Z85 of the RFC, and back', () => {
  assert.equal(z85(Buffer.from('864fd26fb559f75b', 'hex')), 'HelloWorld');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const whole = bytes.subarray(0, bytes.length & ~3);
      assert.deepEqual(fromZ85(z85(whole)), Buffer.from(whole));
    }),
  );
  for (const text of ['Hell', 'Hell"', '#####']) assert.equal(fromZ85(text), undefined);
});

test("a pair's public key is the one libzmq computes", () => {
  for (let i = 0; i < 20; i++) {
    const { publicKey, secretKey } = curveKeyPair();
    assert.deepEqual(pairOf(secretKey), { publicKey, secretKey });
  }
});

test('keys are read in Z85 and in hexadecimal', () => {
  const { publicKey } = curveKeyPair();
  assert.equal(readKey(`${publicKey}\n`), publicKey);
  assert.equal(readKey(hexForm(publicKey)), publicKey);
  for (const text of ['', 'x'.repeat(39), '"'.repeat(40), 'ab'.repeat(39)]) assert.equal(readKey(text), undefined);
});

test('our own pair is made once, and nobody else may read the secret', () => {
  const home = join(directory, 'new', 'data');
  const pair = ownKeyPair(home);
  assert.deepEqual(ownKeyPair(home), pair);
  assert.equal(statSync(join(home, 'zmq-key.priv')).mode & 0o777, 0o600);
  assert.equal(readFileSync(join(home, 'zmq-key.pub'), 'latin1'), pair.publicKey);
});

test('a key file that is of no use says why', () => {
  const path = join(directory, 'key');
  assert.throws(() => readKeyFile(path), /cannot be read/);
  writeFileSync(path, 'short', { mode: 0o600 });
  assert.throws(() => readKeyFile(path), /no CURVE key/);
  writeFileSync(path, hexForm(curveKeyPair().secretKey));
  readKeyFile(path);
  chmodSync(path, 0o640);
  assert.throws(() => readKeyFile(path), /chmod 600/);
});
