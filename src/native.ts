/**
 * The addon: libpcap in batches, nDPI in batches, memory on huge pages. The only native code of the project.
 * Handles are opaque; using one after its close throws. Every function throws an `Error` with libpcap's or nDPI's own words.
 */
import { createRequire } from 'node:module';

declare const handle: unique symbol;
export type PcapHandle = { readonly [handle]: 'pcap' };
export type DpiHandle = { readonly [handle]: 'dpi' };

export interface LiveOptions {
  readonly snapLength: number;
  readonly promiscuous: boolean;
  readonly bufferBytes: number;
  /** BPF filter text, `''` for none. */
  readonly filter: string;
  /** Longest wait of a read for the first packet. */
  readonly timeoutMs: number;
  /** The handle is one of `size` that share the interface's packets; it takes none before `pcapAdmit`. `group`: 1 to 65535. */
  readonly fanout?: { readonly group: number; readonly size: number };
}

export interface CaptureInterface {
  readonly name: string;
  readonly description: string;
  readonly up: boolean;
  readonly running: boolean;
  readonly loopback: boolean;
  readonly wireless: boolean;
  readonly addresses: readonly string[];
}

/** A file decompressed by the system's `gzip`: read from `fd`; the compressed position is that of `sourceFd`. */
export interface Gunzip {
  readonly fd: number;
  readonly sourceFd: number;
  readonly pid: number;
}

/** What `dpiProcess` says of a request (its word 3). */
export const DPI_SEARCHING = 0;
/** The protocol is known, more details may come. */
export const DPI_KNOWN = 1;
/** The protocol is known and nothing more is wanted: collect. */
export const DPI_COMPLETE = 2;

/** Words of a request to `dpiProcess`: flow index, offset of the IP header in the chunk, captured length, answer. */
export const DPI_WORDS = 4;

/** `dpiCollect` flags. */
export const COLLECT_GIVE_UP = 1;
export const COLLECT_FREE = 2;

export interface Native {
  pcapVersion(): string;
  pcapInterfaces(): CaptureInterface[];
  pcapOpenLive(name: string, options: LiveOptions): PcapHandle;
  /** Lets packets in, for a handle with `fanout`; others have them from the start. */
  pcapAdmit(pcap: PcapHandle): void;
  /** A number is an open file descriptor (then owned by the handle). */
  pcapOpenFile(path: string | number, filter: string): PcapHandle;
  /**
   * What comes through a pipe, `'-'` standard input: no read of it waits long. It is opened as a capture when its header has come, so that
   * `pcapRead` throws what `pcapOpenFile` does.
   */
  pcapOpenStream(path: string, filter: string): PcapHandle;
  /** -1: of a pipe, before anything was read. */
  pcapLinkType(pcap: PcapHandle): number;
  /**
   * Fills the batch. `frames`: offset, captured length, wire length per packet; `times` in µs since 1970.
   * Stops at `maxPackets`, when the chunk is full, or (live, or from a pipe) when no further packet is there.
   * @returns packets read; 0 when none came for a while, live or from a pipe; -1 at the end of a file; -2 on an error (see `pcapError`), after everything before it was returned
   */
  pcapRead(pcap: PcapHandle, bytes: Uint8Array, frames: Int32Array, times: Float64Array, maxPackets: number): number;
  pcapError(pcap: PcapHandle): string;
  /** Packets received, dropped by the kernel, dropped by the interface. */
  pcapStats(pcap: PcapHandle): [number, number, number];
  /** Bytes of the file consumed so far, -1 where unknown. */
  pcapPosition(pcap: PcapHandle): number;
  pcapClose(pcap: PcapHandle): void;

  gunzipOpen(path: string): Gunzip;
  /** Compressed bytes consumed so far. */
  gunzipPosition(sourceFd: number): number;
  /** Waits for gzip's end. @returns its exit status and what it wrote to standard error */
  gunzipClose(gunzip: Gunzip): { status: number; message: string };

  dpiVersion(): string;
  /** One detection module for flows 0 … `maxFlows`; modules must be created one after another (nDPI's header forbids parallel initialisation). */
  dpiCreate(maxFlows: number): DpiHandle;
  /** Names of the details that `dpiCollect` can write; a detail's id is its position. */
  dpiDetailNames(): string[];
  /** Names by id. */
  dpiProtocols(dpi: DpiHandle): string[];
  dpiCategories(dpi: DpiHandle): string[];
  dpiBreeds(dpi: DpiHandle): string[];
  /** Category << 8 | breed of each protocol, by id, into `out`. */
  dpiTraits(dpi: DpiHandle, out: Int32Array): void;
  dpiRisks(): string[];
  dpiConfidences(): string[];
  /** Hands `count` packets over, in order; the answer of each is written to word 3 of its request. */
  dpiProcess(dpi: DpiHandle, bytes: Uint8Array, requests: Int32Array, times: Float64Array, count: number): void;
  /** Writes the flow's detail block (record.ts) to `out` and returns its length. Flags: COLLECT_*. */
  dpiCollect(dpi: DpiHandle, flow: number, flags: number, out: Uint8Array): number;
  /**
   * Requests since the start that were not shown to nDPI, as the packet has not the IP protocol of the flow's first packet or no whole
   * TCP or UDP header: nDPI 4.2 can be crashed by these. Their answer is that of the flow so far.
   */
  dpiRefused(dpi: DpiHandle): number;
  /** Bytes of nDPI memory in use by flows, and flows that have some. */
  dpiMemory(dpi: DpiHandle): [number, number];
  dpiClose(dpi: DpiHandle): void;

  /** Zeroed memory, aligned to 2 MiB, on huge pages where the kernel has them; only touched pages cost memory. */
  allocate(bytes: number): ArrayBuffer;
  /** Wall clock in µs since 1970. Only interfaces read it. */
  wallClock(): number;
  /** CPU time of the calling thread in µs. */
  threadCpu(): number;
  /** Number of this thread in the kernel. */
  threadId(): number;
  /** CPU time of another thread of this process, µs; -1 when it has ended. */
  cpuOf(threadId: number): number;
}

/** The addon, as `cc` built it at set-up. */
export const native: Native = createRequire(import.meta.url)('../native/build/flowpatrol.node') as Native;
