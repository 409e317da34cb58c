/** Methods of Node's Buffer that @types/node does not declare: `toString('latin1')` and `write(…, 'latin1')` without the look-up of an encoding. */
declare global {
  interface Buffer<TArrayBuffer extends ArrayBufferLike = ArrayBufferLike> extends Uint8Array<TArrayBuffer> {
    latin1Slice(start?: number, end?: number): string;
    latin1Write(text: string, offset?: number, length?: number): number;
  }
}

export {};
