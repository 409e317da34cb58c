/**
 * What a flow record says beside counters, as a detail block (record.ts): protocol, category, risks, names, everything else.
 *
 *   FlowRecord ──► head + entries ──► detail arena
 *
 * The first record makes the block. Later ones add what it lacks and replace what they say anew; what they leave out stays. Texts are
 * in Latin-1 form. Called by the ingest (ingest.ts).
 */
import { GUESS_BYTES } from '../dpi/guess.ts';
import { type FlowRecord, UNKNOWN } from '../records/flow-record.ts';
import { counterIndex } from './counters.ts';
import type { DetailArena } from './details.ts';
import { DETAIL_APP, DETAIL_BREED, DETAIL_CATEGORY, DETAIL_CONFIDENCE, DETAIL_ENTRIES, DETAIL_MASTER, DETAIL_RISKS } from './record.ts';
import type { Names } from './view.ts';

/** Details whose readers want a number (view.ts, `number`). */
const NUMBERS = new Set([
  ...['http.return_code', 'http.request_version', 'dns.query_type', 'dns.reply_code', 'dns.num_answers', 'dns.answer_type'],
  ...['dns.invalid_chars', 'tls.version', 'tls.server_cipher', 'tls.unsafe_cipher', 'tls.esni_cipher', 'tls.not_before', 'tls.not_after'],
  ...['login.state', 'ntp.version', 'ntp.request_code', 'quic.version', 'entropy', 'risk_score', 'risk_score.client', 'risk_score.server'],
  ...['dpi.category', 'in_index', 'out_index', 'src_as', 'dst_as', 'prev_adjacent_as', 'next_adjacent_as', 'vrf'],
]);

/** The arena takes no larger block: 512 units of 16 bytes, the length in front. */
const MOST_BYTES = 512 * 16 - 4;
/** In front of an entry's data: u16 detail id, u16 length. */
const ENTRY_HEAD = 4;
/** Names of protocols that are remembered. */
const MOST_NAMES = 4096;
/** Names of further elements that are remembered as JSON keys. */
const MOST_KEYS = 4096;

/** A protocol that nobody has named. */
const UNNAMED = -1;

export interface RecordDetails {
  /** Does the record itself say which protocol it is? */
  isNamed(from: FlowRecord): boolean;
  /**
   * The block of a new flow. @param reversed the record's source is the flow's server. @param guess head of a block, for a record that is not named
   * @returns its handle in the arena, 0 = there was no room
   */
  begin(from: FlowRecord, reversed: boolean, guess: Uint8Array | undefined): number;
  /** What a further record adds to a flow's block. @param reversed its source is the flow's server. @returns the handle that takes the old one's place */
  update(handle: number, from: FlowRecord, reversed: boolean): number;
  /** Did the last call change anything? */
  changed(): boolean;
}

interface Sources {
  readonly details: DetailArena;
  readonly counters: Float64Array;
  readonly names: Names;
  /** Category << 8 | breed of each nDPI protocol. */
  readonly traits: Int32Array;
}

export function createRecordDetails({ details, counters, names, traits }: Sources): RecordDetails {
  const ids = new Map(names.details.map((name, id) => [name, id]));
  const numeric = names.details.map((name) => NUMBERS.has(name));
  const protocols = new Map(names.protocols.map((name, id) => [name.toLowerCase(), id]));
  const idOf = (name: string): number => ids.get(name) ?? 0xffff;
  const MORE = idOf('moreinfo');
  const NAME = idOf('proto.name');
  const EXPORTER = idOf('exporter');
  const IN = idOf('in_index');
  const OUT = idOf('out_index');
  const SRC_AS = idOf('src_as');
  const DST_AS = idOf('dst_as');
  const PREVIOUS_AS = idOf('prev_adjacent_as');
  const NEXT_AS = idOf('next_adjacent_as');
  const VRF = idOf('vrf');
  /** Client's, then server's. */
  const PROCESS = [idOf('client_process'), idOf('server_process')] as const;
  const CONTAINER = [idOf('client_container'), idOf('server_container')] as const;
  const TCP_INFO = [idOf('client_tcp_info'), idOf('server_tcp_info')] as const;
  const DROPPED = counterIndex('details.dropped');
  /** nDPI's word for certainty: the probe has seen the packets. */
  const seen = Math.max(0, names.confidences.indexOf('DPI'));

  const block = new Uint8Array(MOST_BYTES);
  const view = new DataView(block.buffer);
  const strings = Buffer.from(block.buffer);
  let length = 0;
  let didChange = false;

  /** `MASTER.APPLICATION` or one name → master << 16 | application; UNNAMED when nDPI has no equal name. */
  const pairs = new Map<string, number>();
  const pairOf = (name: string): number => {
    const known = pairs.get(name);
    if (known !== undefined) return known;
    const lower = name.toLowerCase();
    let pair = protocols.get(lower) ?? UNNAMED;
    const dot = lower.indexOf('.');
    if (pair === UNNAMED && dot > 0) {
      const master = protocols.get(lower.slice(0, dot));
      const application = protocols.get(lower.slice(dot + 1));
      if (master !== undefined && application !== undefined) pair = (master << 16) | application;
    }
    if (pairs.size >= MOST_NAMES) pairs.clear();
    pairs.set(name, pair);
    return pair;
  };

  const hasIds = (from: FlowRecord): boolean => from.application > 0 || from.master > 0;

  const room = (bytes: number): boolean => {
    if (length + ENTRY_HEAD + bytes <= MOST_BYTES) return true;
    counters[DROPPED]++;
    return false;
  };

  const putNumber = (id: number, value: number): void => {
    const isWhole = value >= 0 && value <= 0xffffffff && value === value >>> 0;
    const bytes = isWhole ? 4 : 8;
    if (!room(bytes)) return;
    view.setUint16(length, id, true);
    view.setUint16(length + 2, bytes, true);
    if (isWhole) view.setUint32(length + ENTRY_HEAD, value, true);
    else view.setFloat64(length + ENTRY_HEAD, value, true);
    length += ENTRY_HEAD + bytes;
  };

  const putText = (id: number, text: string): void => {
    if (text === '' || !room(text.length)) return;
    view.setUint16(length, id, true);
    view.setUint16(length + 2, text.length, true);
    length += ENTRY_HEAD;
    if (text.length > 24) strings.latin1Write(text, length);
    else for (let i = 0; i < text.length; i++) block[length + i] = text.charCodeAt(i);
    length += text.length;
  };

  const put = (id: number, text: string): void => {
    if (numeric[id] !== true) {
      putText(id, text);
      return;
    }
    const value = Number(text);
    if (text !== '' && Number.isFinite(value)) putNumber(id, value);
  };

  const jsonKeys = new Map<string | number, string>();
  const jsonKey = (key: string | number): string => {
    let text = jsonKeys.get(key);
    if (text === undefined) {
      text = `${JSON.stringify(String(key))}:`;
      if (jsonKeys.size >= MOST_KEYS) jsonKeys.clear();
      jsonKeys.set(key, text);
    }
    return text;
  };
  const jsonValue = (value: string | number): string =>
    typeof value === 'number' ? (Number.isFinite(value) ? String(value) : 'null') : JSON.stringify(value);

  /** Further elements, and details that nobody knows by their names; '' = there are none. */
  const moreOf = (from: FlowRecord): string => {
    let text = '';
    const { more, details: named } = from;
    for (let i = 0; i + 1 < more.length; i += 2) text += `${text === '' ? '{' : ','}${jsonKey(more[i])}${jsonValue(more[i + 1])}`;
    for (let i = 0; i + 1 < named.length; i += 2) {
      if (named[i + 1] !== '' && !ids.has(named[i])) text += `${text === '' ? '{' : ','}${jsonKey(named[i])}${jsonValue(named[i + 1])}`;
    }
    return text === '' ? '' : `${text}}`;
  };

  const putProtocol = (application: number, master: number, category: number, confidence: number): void => {
    const trait = traits[application === 0 ? master : application] ?? 0;
    view.setUint16(DETAIL_APP, application, true);
    view.setUint16(DETAIL_MASTER, master, true);
    view.setUint16(DETAIL_CATEGORY, category >= 0 ? category : trait >> 8, true);
    block[DETAIL_BREED] = trait & 0xff;
    block[DETAIL_CONFIDENCE] = confidence;
  };

  const id16 = (id: number): number => (id > 0 && id <= 0xffff ? id : 0);

  /** Head of the block from what the record itself says. @returns false: it says nothing */
  const putNamed = (from: FlowRecord): boolean => {
    if (hasIds(from)) {
      putProtocol(id16(from.application), id16(from.master), from.category, seen);
      return true;
    }
    if (from.protocolName === '') return false;
    const pair = pairOf(from.protocolName);
    putProtocol(pair === UNNAMED ? 0 : pair & 0xffff, pair === UNNAMED ? 0 : pair >>> 16, from.category, seen);
    return true;
  };

  /** Its own name where nDPI has none that is equal. */
  const ownName = (from: FlowRecord): string =>
    from.protocolName !== '' && !hasIds(from) && pairOf(from.protocolName) === UNNAMED ? from.protocolName : '';

  /** Hands over what agents say of the ends. */
  const ends = (from: FlowRecord, reversed: boolean, to: (id: number, text: string) => void): void => {
    const [src, dst] = reversed ? ([1, 0] as const) : ([0, 1] as const);
    if (from.srcProcess !== '') to(PROCESS[src], from.srcProcess);
    if (from.dstProcess !== '') to(PROCESS[dst], from.dstProcess);
    if (from.srcContainer !== '') to(CONTAINER[src], from.srcContainer);
    if (from.dstContainer !== '') to(CONTAINER[dst], from.dstContainer);
    if (from.srcTcpInfo !== '') to(TCP_INFO[src], from.srcTcpInfo);
    if (from.dstTcpInfo !== '') to(TCP_INFO[dst], from.dstTcpInfo);
  };

  const finish = (): number => {
    const handle = details.put(block, length);
    if (handle === 0) counters[DROPPED]++;
    return handle;
  };

  /** Has the block this entry already? */
  const says = (handle: number, id: number, text: string): boolean =>
    numeric[id] === true ? details.number(handle, id) === Number(text) : details.text(handle, id) === text;

  /** Two JSON objects as one; the members of the second win. */
  const joined = (old: string, more: string): string => {
    if (old === '') return more;
    return JSON.stringify({ ...(JSON.parse(old) as object), ...(JSON.parse(more) as object) });
  };

  const replaced = new Set<number>();
  const add = (handle: number, id: number, text: string): void => {
    if (text === '' || says(handle, id, text) || replaced.has(id)) return;
    replaced.add(id);
    additions.push(id, text);
  };
  const additions: (string | number)[] = [];

  const updateHead = (at: number, from: FlowRecord): void => {
    const { bytes, u16, u32 } = details;
    const low = (at + DETAIL_RISKS) >> 2;
    if ((from.risksLow | from.risksHigh) !== 0 && ((from.risksLow & ~u32[low]) !== 0 || (from.risksHigh & ~u32[low + 1]) !== 0)) {
      u32[low] |= from.risksLow;
      u32[low + 1] |= from.risksHigh;
      didChange = true;
    }
    // the first record decides, unless it had only a guess
    if (bytes[at + DETAIL_CONFIDENCE] === seen || !putNamed(from)) return;
    for (let i = 0; i < DETAIL_RISKS; i++) bytes[at + i] = block[i];
    if (from.category >= 0) u16[(at + DETAIL_CATEGORY) >> 1] = from.category;
    didChange = true;
  };

  return {
    isNamed: (from) => hasIds(from) || from.protocolName !== '',
    changed: () => didChange,
    begin(from, reversed, guess) {
      didChange = true;
      block.fill(0, 0, DETAIL_ENTRIES);
      length = DETAIL_ENTRIES;
      if (!putNamed(from) && guess !== undefined) {
        for (let i = 0; i < GUESS_BYTES; i++) block[i] = guess[i];
        if (from.category !== UNKNOWN) view.setUint16(DETAIL_CATEGORY, from.category, true);
      }
      view.setUint32(DETAIL_RISKS, from.risksLow, true);
      view.setUint32(DETAIL_RISKS + 4, from.risksHigh, true);
      const { details: named } = from;
      for (let i = 0; i + 1 < named.length; i += 2) {
        const id = ids.get(named[i]);
        if (id !== undefined) put(id, named[i + 1]);
      }
      ends(from, reversed, putText);
      putText(NAME, ownName(from));
      putText(EXPORTER, from.exporter);
      if (from.inIndex !== 0) putNumber(reversed ? OUT : IN, from.inIndex);
      if (from.outIndex !== 0) putNumber(reversed ? IN : OUT, from.outIndex);
      if (from.srcAs !== 0) putNumber(reversed ? DST_AS : SRC_AS, from.srcAs);
      if (from.dstAs !== 0) putNumber(reversed ? SRC_AS : DST_AS, from.dstAs);
      if (from.previousAs !== 0) putNumber(reversed ? NEXT_AS : PREVIOUS_AS, from.previousAs);
      if (from.nextAs !== 0) putNumber(reversed ? PREVIOUS_AS : NEXT_AS, from.nextAs);
      if (from.vrf !== 0) putNumber(VRF, from.vrf);
      putText(MORE, moreOf(from));
      return finish();
    },
    update(handle, from, reversed) {
      didChange = false;
      if (handle === 0) return 0;
      updateHead(details.offset(handle), from);
      additions.length = 0;
      replaced.clear();
      ends(from, reversed, (id, text) => add(handle, id, text));
      const { details: named, more } = from;
      if (named.length > 0 || more.length > 0 || from.protocolName !== '') {
        for (let i = 0; i + 1 < named.length; i += 2) {
          const id = ids.get(named[i]);
          if (id !== undefined) add(handle, id, named[i + 1]);
        }
        if (details.text(handle, NAME) === '' && details.u16[(details.offset(handle) + DETAIL_APP) >> 1] === 0)
          add(handle, NAME, ownName(from));
        const text = moreOf(from);
        const old = text === '' ? '' : details.text(handle, MORE);
        if (text !== '' && text !== old) add(handle, MORE, joined(old, text));
      }
      if (additions.length === 0) return handle;
      didChange = true;
      for (let i = 0; i < additions.length; i += 2) {
        length = 0;
        put(additions[i] as number, additions[i + 1] as string);
        if (length > ENTRY_HEAD) handle = details.withEntry(handle, additions[i] as number, block.subarray(ENTRY_HEAD, length));
      }
      return handle;
    },
  };
}
