/** Messages that could not be used, as the decoders of datagrams keep them, for whoever asks. */
import type { RejectedSnapshot } from '../../patrol-types.ts';
import type { TroubleSample } from '../../records/trouble.ts';

export const rejectedOf = (samples: readonly TroubleSample[]): RejectedSnapshot[] =>
  samples.map(({ reason, address, port, arrived, length, hex }) => ({
    reason,
    from: `${address} port ${port}`,
    time: arrived,
    bytes: hex,
    length,
  }));
