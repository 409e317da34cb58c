import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitMemory } from '../../src/scripts/lua/wasm.ts';

/** A module with one memory section: minimum and maximum as given, in LEB128. */
const moduleOf = (...limits: number[]): Uint8Array => Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, limits.length + 1, 1, ...limits);

test('the maximum of the memory is lowered in place', () => {
  const bytes = moduleOf(1, 2, 0x80, 0x80, 0x02); // 2 to 32768 pages
  limitMemory(bytes, 3);
  assert.deepEqual([...bytes.subarray(-3)], [0x83, 0x80, 0x00]);
});

test('a module without a maximum, or without room for the number, is refused', () => {
  assert.throws(() => limitMemory(moduleOf(0, 2), 3), /cannot be limited/);
  assert.throws(() => limitMemory(moduleOf(1, 2, 0x7f), 4096), /cannot be limited/);
  assert.throws(() => limitMemory(moduleOf(1, 9, 0x7f), 3), /cannot be limited/);
});
