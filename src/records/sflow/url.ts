/** Where sFlow is listened to, as given to `-i`: `sflow://0.0.0.0:6343`, `sflow://[::]`, `sflow://*?buffer=64m`. */
import { NETFLOW_PORT, parseNetflowUrl } from '../netflow/url.ts';

export const SFLOW_PORT = 6343;

export interface SflowUrl {
  readonly address: string;
  readonly port: number;
  /** Size wanted for the kernel's receive buffer, bytes. */
  readonly buffer: number;
}

/** @throws Error that says what is wrong with the text and how it should look */
export function parseSflowUrl(text: string): SflowUrl {
  const parts = /^sflow:\/\/(\[[^\]]*\]|[^:/?#]*)(:[^/?#]*)?\/?(\?.*)?$/.exec(text);
  if (parts === null) throw new Error(`${text}: it should look like sflow://0.0.0.0:${SFLOW_PORT} or sflow://[::]:${SFLOW_PORT}`);
  const setting = [...new URLSearchParams(parts[3]).keys()].find((name) => name !== 'buffer');
  if (setting !== undefined) throw new Error(`${text}: unknown setting "${setting}": there is buffer, such as ?buffer=64m`);
  try {
    const { address, port, buffer } = parseNetflowUrl(`netflow://${parts[1]}${parts[2] ?? `:${SFLOW_PORT}`}${parts[3] ?? ''}`);
    return { address, port, buffer };
  } catch (error) {
    throw new Error((error as Error).message.replaceAll('netflow://', 'sflow://').replaceAll(`:${NETFLOW_PORT}`, `:${SFLOW_PORT}`), {
      cause: error,
    });
  }
}
