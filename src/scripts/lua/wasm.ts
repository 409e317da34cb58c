/**
 * The WASM module with a limit of memory that a script cannot exceed: beyond it Lua says "not enough memory" to the call
 * that asked. The file of wasmoon allows 2 GiB; we lower the maximum in its memory section before it is loaded.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LuaWasm } from 'wasmoon';

/** Memory of all scripts of an engine together. */
export const MEMORY_LIMIT = 256 * 1024 * 1024;
const PAGE = 65_536;

// WebAssembly core specification, section 5.5: 8 bytes of header, then sections: id, size, content. Numbers are LEB128.
const SECTION_MEMORY = 5;
const LIMIT_HAS_MAXIMUM = 1;

/** @returns the number at `at` and the offset behind it */
function leb128(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] as number;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

/** Lowers the maximum of the module's memory in place. */
export function limitMemory(wasm: Uint8Array, pages: number): void {
  for (let at = 8; at < wasm.length; ) {
    const id = wasm[at];
    const [size, content] = leb128(wasm, at + 1);
    if (id === SECTION_MEMORY) {
      const flags = wasm[content + 1] as number;
      const [minimum, from] = leb128(wasm, content + 2);
      if ((flags & LIMIT_HAS_MAXIMUM) === 0 || minimum > pages) break;
      const [, end] = leb128(wasm, from);
      // The number keeps its length: LEB128 may have leading zeros.
      for (let i = from; i < end; i++) {
        wasm[i] = (pages / 2 ** (7 * (i - from))) & 0x7f;
        if (i < end - 1) wasm[i] = (wasm[i] as number) | 0x80;
      }
      if (leb128(wasm, from)[0] === pages) return;
      break;
    }
    at = content + size;
  }
  throw new Error('wasmoon: the memory of its WASM module cannot be limited');
}

/** What the module writes to the console each time it may not grow; Lua's own error says it already. */
const GROWTH = /^(growMemory: |Failed to grow the heap |Cannot enlarge memory)/;

/** A new instance of the module. wasmoon reads it from a file only, so the changed one lies in one for a moment. */
export async function loadWasm(): Promise<LuaWasm> {
  const wasm = readFileSync(new URL('glue.wasm', import.meta.resolve('wasmoon')));
  limitMemory(wasm, MEMORY_LIMIT / PAGE);
  const directory = mkdtempSync(join(tmpdir(), 'flowpatrol-lua-'));
  // The module keeps the console.error that it finds while it starts.
  const { error } = console;
  console.error = (...args: unknown[]): void => {
    if (!GROWTH.test(String(args[0]))) error.apply(console, args);
  };
  try {
    const file = join(directory, 'lua.wasm');
    writeFileSync(file, wasm);
    return await LuaWasm.initialize(file);
  } finally {
    console.error = error;
    rmSync(directory, { recursive: true });
  }
}
