/**
 * A lifecycle event as bytes, little-endian: the thread boundary, the recording and the broker message are these bytes.
 * One record carries all callbacks that are due for a flow in one visit.
 *
 *   header (E_* below, 104 bytes) │ copy of the flow record (record.ts) │ detail block │ padding to 8 bytes
 */
import { RECORD_BYTES } from './record.ts';

export const EVENT_VERSION = 1;

export const E_LENGTH = 0; //        u32  bytes of the whole event, a multiple of 8
export const E_VERSION = 4; //       u16
export const E_CALLBACKS = 6; //     u8   CALLBACK_BIT of each callback that is due, in the order of CALLBACKS
export const E_END = 7; //           u8   index in END_REASONS
export const E_TIME = 8; //          f64  µs since 1970: the visit's time
export const E_VISIT = 16; //        u32  number of the visit on its interface
export const E_INTERFACE = 20; //    u16  interface id
export const E_SCORE = 22; //        u16  score that scripts gave the flow, 65535 = none
export const E_SEQ = 24; //          f64  the flow's number on its interface
export const E_STATUS_BEFORE = 32; // u32 low, u32 high: the bitmap at the previous visit
export const E_CLIENT = 40; //       16 bytes: address of the client (IPv4 in the first four, network order)
export const E_SERVER = 56; //       16 bytes
export const E_DETAIL_LENGTH = 72; // u32 bytes of the detail block, 0 = none
export const E_CLIENT_PORT = 76; //  u16
export const E_SERVER_PORT = 78; //  u16
export const E_ALERT = 80; //        u8   status that the core raised its alert for, 0 = none
export const E_ALERT_NOW = 81; //    u8   1: it was raised at this visit
export const E_CLIENT_DEVICE = 82; // u8 device type of the client, 0 = unknown
export const E_SERVER_DEVICE = 83; // u8
export const E_FLOW = 84; //         u32  the flow's place in the table while it lives: with E_SEQ, where scripts' changes are sent to
export const E_ELEPHANT_UP = 88; //  f64  bytes from which on an upload is an elephant, at this visit
export const E_ELEPHANT_DOWN = 96; // f64 the same of a download
export const EVENT_HEADER_BYTES = 104;
export const E_RECORD = EVENT_HEADER_BYTES;
export const E_DETAIL = EVENT_HEADER_BYTES + RECORD_BYTES;

/** In the order in which one visit calls them. */
export const CALLBACKS = ['protocolDetected', 'statusChanged', 'periodicUpdate', 'idle'] as const;
export type Callback = (typeof CALLBACKS)[number];
export const CALLBACK_BIT = { protocolDetected: 1, statusChanged: 2, periodicUpdate: 4, idle: 8 } as const satisfies Record<
  Callback,
  number
>;

/** Why a flow ended; 0 while it lives. */
export const END_REASONS = ['', 'idle', 'table full', 'end of file', 'shutdown'] as const;
export type EndReason = (typeof END_REASONS)[number];
