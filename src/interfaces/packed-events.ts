/** Many events in one buffer, which crosses a thread boundary without being copied. */

/** Events one after another. Structured-clone-able; the buffers may be transferred. */
export interface PackedEvents {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lengths: Uint32Array<ArrayBuffer>;
}

export interface EventPacker {
  /** @param event begins with the event, which has so many bytes */
  put(event: Uint8Array, length: number): void;
  take(): PackedEvents;
}

export function createPacker(): EventPacker {
  let bytes = new Uint8Array(64 << 10);
  let end = 0;
  const lengths: number[] = [];
  return {
    put(event, length) {
      if (end + length > bytes.length) {
        const more = new Uint8Array(Math.max(bytes.length * 2, end + length));
        more.set(bytes.subarray(0, end));
        bytes = more;
      }
      bytes.set(event.subarray(0, length), end);
      end += length;
      lengths.push(length);
    },
    take: () => ({ bytes: bytes.subarray(0, end), lengths: Uint32Array.from(lengths) }),
  };
}

/** The events, as parts of the one buffer. */
export function unpack({ bytes, lengths }: PackedEvents): Uint8Array[] {
  let at = 0;
  return Array.from(lengths, (length) => bytes.subarray(at, (at += length)));
}
