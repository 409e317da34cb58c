/*
 * The limit: the packet path without detection, in C with prefetch, as fast as we know how to write it.
 *
 *   file ──► parse 128 packets ──► prefetch bucket ──► find tag, prefetch record ──► update
 *   every 5 s of packet time: visit of all flows (idle test, throughput, counters → previous), and one at the end
 *
 * It does the work of src/packet/decode.ts, src/flows/table.ts, tcp.ts and the visits of engine.ts: the same record of six cache
 * lines, the same per-direction counters, length and inter-arrival statistics, TCP handshake, latencies and sequence analysis, the
 * same rules of idleness. It leaves out what is not the packet path (lifecycle events, statuses, hosts) and what the captures
 * of the benchmark do not hold (tunnels, later fragments' ports, other link types, byte orders and file formats than its own).
 *
 * Built with NDPI (as limit-dpi) it detects, too: up to 12 packets of a flow go to nDPI, as src/flows/detection.ts hands them, and what is
 * found is thrown away. So it is what a whole path costs at least: no details, statuses, events, names, scripts.
 *
 *   limit FILE MAX_FLOWS [--no-idle]     a little-endian pcap file of Ethernet frames with µs; --no-idle: flows end with the file
 *
 * Prints one JSON line. Called by bench/run.ts (measured) and test/bench.test.ts (--no-idle).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef NDPI
#include <ndpi/ndpi_api.h>
#endif

enum { BATCH = 128, CHUNK = 256 * 1024, LONGEST_FRAME = 256 * 1024, VISIT_US = 5000000, IDLE_US = 60000000, TCP_EARLY_US = 15000000 };
enum { FIN = 1, SYN = 2, RST = 4, ACK = 16, CLASSIC_FLAGS = 0x3f };
enum { F_TCP = 1 << 8, F_FROM_B = 1u << 31, PV_IPV6 = 1 << 24 };
enum {
  STATE_PACKETS = 0xff,
  STATE_TWH_OVER = 1 << 8,
  STATE_TWH_OK = 1 << 9,
  STATE_SYN = 1 << 10,
  STATE_SYN_ACK = 1 << 11,
  STATE_CLOSING = 1 << 12,
  STATE_DISSECTED = 1 << 14,
  STATE_VISITED = 1 << 16,
  STATE_TOUCHED = 1 << 21,
  STATE_RATE = 1 << 25,
};

/** A decoded packet. (a, port of a) <= (b, port of b), so the key is the same in both directions. */
typedef struct {
  uint32_t a, b, ports, pv, hash, flags;
  int32_t wire, payload;
  uint32_t seq, ack, window; /* window << 16 | TOS << 8 | TTL */
  uint32_t l3, frame, icmp, slot, l3_length;
} Packet;

typedef struct {
  double bytes, goodput, length_squares, last;
  uint32_t packets, next_seq, ack;
  uint16_t shortest, longest, tcp_flags, seq_seen;
  uint32_t last_seq, window, fragments;
} Direction;

typedef struct {
  double sum, squares;
  uint32_t count, shortest, longest;
  uint8_t tos, icmp[2], spare;
} Gaps;

typedef struct {
  uint32_t retransmitted, out_of_order, lost, keep_alive;
} Problems;

typedef struct {
  uint32_t a, b, ports, pv, hash, state; /* line 0 */
  double first, last;
  uint64_t status;
  double number;
  uint32_t v6, detail;
  Direction direction[2]; /* lines 1 and 2 */
  Gaps gaps[2];           /* line 3 */
  double previous_bytes[2]; /* line 4 */
  uint32_t previous_packets[2];
  double previous_goodput;
  float bps[2], pps[2], top_bps, top_pps;
  uint8_t trend_bps, trend_pps, net[2];
  uint32_t periodic;
  Problems problems[2]; /* line 5 */
  uint8_t mac[12];
  uint32_t syn, syn_ack, twh_ack, request, answer;
} Record;

_Static_assert(sizeof(Packet) == 64, "a cache line a packet");
_Static_assert(sizeof(Direction) == 64, "a cache line a direction");
_Static_assert(offsetof(Record, direction) == 64 && offsetof(Record, gaps) == 192, "lines 0 to 3");
_Static_assert(offsetof(Record, previous_bytes) == 256 && offsetof(Record, problems) == 320 && sizeof(Record) == 384, "lines 4 and 5");

typedef struct {
  uint32_t hash, id;
} Bucket;

static Packet packets[BATCH];
static double times[BATCH];
static Record *records;
static Bucket *buckets;
static uint8_t (*addresses)[32];
static uint32_t *freed, *freed_addresses;
static uint32_t mask, max_flows, fresh = 1, fresh_addresses = 1, freed_count, freed_address_count, active, peak;
static uint64_t packet_count, ip_count, created, refused, visit_count;
static double clock_us, next_visit, previous_visit;
static int no_idle;

/* ---- decode ---- */

static inline uint32_t load32(const uint8_t *p) {
  uint32_t v;
  memcpy(&v, p, 4);
  return v;
}
static inline uint32_t big32(const uint8_t *p) {
  return __builtin_bswap32(load32(p));
}
static inline uint32_t big16(const uint8_t *p) {
  return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t avalanche(uint32_t w) {
  w = (w ^ w >> 16) * 0x7feb352du;
  w = (w ^ w >> 15) * 0x846ca68bu;
  return w ^ w >> 16;
}

/** The hash of src/packet/hash.ts with its seed 0 folded in. */
static inline uint32_t hash4(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  uint32_t h = (a ^ 0x3c6ef372u) * 0x9e3779b1u;
  h = ((h << 13 | h >> 19) ^ b) * 0x85ebca77u;
  h = ((h << 13 | h >> 19) ^ c) * 0xc2b2ae3du;
  h = ((h << 13 | h >> 19) ^ d) * 0x27d4eb2fu;
  return avalanche(h);
}

/** Decodes the frame at `at` into `p`. @returns 0 for what carries no IP */
static inline int decode(const uint8_t *bytes, long at, long captured, uint32_t wire, Packet *p) {
  long end = at + captured, l3 = at + 14, l4;
  if (captured < 34) return 0;
  uint32_t vlan = 0, type = big16(bytes + at + 12);
  for (int tags = 0; tags < 2 && (type == 0x8100 || type == 0x88a8) && l3 + 4 <= end; tags++) {
    vlan = big16(bytes + l3) & 0xfff;
    type = big16(bytes + l3 + 2);
    l3 += 4;
  }
  uint32_t a, b, protocol, v6 = 0, tos, ttl, source_port = 0, destination_port = 0;
  int later_fragment = 0;
  if (type == 0x0800) {
    if (l3 + 20 > end) return 0;
    uint32_t head = big32(bytes + l3);
    l4 = l3 + ((head >> 22) & 0x3c);
    if (l3 + (long)(head & 0xffff) < end) end = l3 + (head & 0xffff);
    tos = (head >> 16) & 0xff;
    ttl = bytes[l3 + 8];
    protocol = bytes[l3 + 9];
    later_fragment = (big16(bytes + l3 + 6) & 0x1fff) != 0;
    a = big32(bytes + l3 + 12);
    b = big32(bytes + l3 + 16);
  } else if (type == 0x86dd) {
    if (l3 + 40 > end) return 0;
    const uint8_t *h = bytes + l3;
    l4 = l3 + 40;
    if (l4 + (long)big16(h + 4) < end) end = l4 + big16(h + 4);
    tos = (big16(h) >> 4) & 0xff;
    ttl = h[7];
    protocol = h[6];
    v6 = PV_IPV6;
    while ((protocol == 0 || protocol == 43 || protocol == 60) && l4 + 8 <= end) {
      protocol = bytes[l4];
      l4 += 8 + bytes[l4 + 1] * 8;
    }
    a = hash4(load32(h + 8), load32(h + 12), load32(h + 16), load32(h + 20));
    b = hash4(load32(h + 24), load32(h + 28), load32(h + 32), load32(h + 36));
  } else {
    return 0;
  }

  p->flags = 0;
  p->payload = 0;
  p->icmp = 0;
  p->window = tos << 8 | ttl;
  if (!later_fragment) {
    const uint8_t *h = bytes + l4;
    if (protocol == 6) {
      if (l4 + 20 <= end) {
        uint32_t ports = big32(h), header = (h[12] >> 4) * 4;
        source_port = ports >> 16;
        destination_port = ports & 0xffff;
        p->seq = big32(h + 4);
        p->ack = big32(h + 8);
        p->flags = h[13] | F_TCP;
        p->window |= big16(h + 14) << 16;
        if (l4 + (long)header < end) p->payload = end - l4 - header;
      }
    } else if (protocol == 17) {
      if (l4 + 8 <= end) {
        uint32_t ports = big32(h);
        source_port = ports >> 16;
        destination_port = ports & 0xffff;
        p->payload = end - l4 - 8;
      }
    } else if ((protocol == 1 || protocol == 58) && l4 + 4 <= end) {
      p->icmp = big16(h);
    }
  }
  if (a > b || (a == b && source_port > destination_port)) {
    uint32_t t = a;
    a = b;
    b = t;
    t = source_port;
    source_port = destination_port;
    destination_port = t;
    p->flags |= F_FROM_B;
  }
  p->a = a;
  p->b = b;
  p->ports = source_port << 16 | destination_port;
  p->pv = protocol | vlan << 8 | v6;
  p->hash = hash4(a, b, p->ports, p->pv);
  p->wire = wire;
  p->l3 = l3;
  p->l3_length = end - l3;
  p->frame = at;
  return 1;
}

/** Decodes up to BATCH IP packets of the chunk from `*at` on. @returns how many; `*at` is behind the last frame that was whole */
static int parse(const uint8_t *bytes, long *at, long end) {
  int count = 0;
  long p = *at;
  while (count < BATCH && p + 16 <= end) {
    uint32_t captured = load32(bytes + p + 8);
    long next = p + 16 + captured;
    if (next > end) break;
    packet_count++;
    double time = load32(bytes + p) * 1e6 + load32(bytes + p + 4);
    if (time > clock_us) clock_us = time;
    times[count] = clock_us;
    count += decode(bytes, p + 16, captured, load32(bytes + p + 12), &packets[count]);
    p = next;
  }
  *at = p;
  ip_count += count;
  return count;
}

/* ---- table ---- */

static int same_addresses(uint32_t slot, const uint8_t *l3, int from_b) {
  return memcmp(addresses[slot] + (from_b ? 16 : 0), l3 + 8, 16) == 0 && memcmp(addresses[slot] + (from_b ? 0 : 16), l3 + 24, 16) == 0;
}

static uint32_t create(const Packet *p, uint32_t slot, const uint8_t *bytes, double time) {
  uint32_t id = freed_count > 0 ? freed[--freed_count] : fresh++;
  Record *r = &records[id];
  memset(r, 0, sizeof *r);
  memcpy(r, p, 20);
  r->state = p->flags & F_FROM_B;
  r->first = time;
  r->number = ++created;
  if (p->pv >= PV_IPV6) {
    int from_b = p->flags >> 31;
    r->v6 = freed_address_count > 0 ? freed_addresses[--freed_address_count] : fresh_addresses++;
    memcpy(addresses[r->v6] + (from_b ? 16 : 0), bytes + p->l3 + 8, 16);
    memcpy(addresses[r->v6] + (from_b ? 0 : 16), bytes + p->l3 + 24, 16);
  }
  memcpy(r->mac, bytes + p->frame + 6, 6);
  memcpy(r->mac + 6, bytes + p->frame, 6);
  buckets[slot].hash = p->hash;
  buckets[slot].id = id;
  if (++active > peak) peak = active;
  return id;
}

/* ---- detection ---- */

#ifdef NDPI
enum { DPI_PACKETS = 12, SLAB = 256 };

/** Memory of a flow whose detection is under way; in the pool all zeros but the link. */
typedef struct Slot {
  struct Slot *next;
  ndpi_protocol protocol;
  struct ndpi_flow_struct flow;
} Slot;

static struct ndpi_detection_module_struct *module;
static Slot **slots, *pool;
static uint64_t shown;

static void begin_detection(void) {
  NDPI_PROTOCOL_BITMASK all;
  NDPI_BITMASK_SET_ALL(all);
  module = ndpi_init_detection_module(ndpi_no_prefs);
  ndpi_set_protocol_detection_bitmask2(module, &all);
  ndpi_finalize_initialization(module);
}

static Slot *take_slot(void) {
  if (pool == NULL) {
    Slot *slab = calloc(SLAB, sizeof *slab);
    if (slab == NULL) exit(1);
    for (int i = 0; i < SLAB; i++) {
      slab[i].next = pool;
      pool = &slab[i];
    }
  }
  Slot *slot = pool;
  pool = slot->next;
  return slot;
}

/** The flow needs no more packets; unknown, it is given up. */
static void end_detection(uint32_t id) {
  Slot *slot = slots[id];
  if (slot == NULL) return;
  u_int8_t guessed = 0;
  if (slot->protocol.app_protocol == NDPI_PROTOCOL_UNKNOWN) ndpi_detection_giveup(module, &slot->flow, 1, &guessed);
  ndpi_free_flow_data(&slot->flow);
  memset(slot, 0, sizeof *slot);
  slot->next = pool;
  pool = slot;
  slots[id] = NULL;
}

/** Hands the packet on, unless the flow is through. @returns the flow's new state */
static inline uint32_t detect(uint32_t id, const uint8_t *bytes, const Packet *p, uint32_t state, double time) {
  uint32_t count = state & STATE_PACKETS, protocol = p->pv & 0xff;
  if (state & STATE_DISSECTED || count > DPI_PACKETS) return state;
  Slot *slot = slots[id];
  int is_shown = slot != NULL || protocol != 6 || p->payload > 0; /* before the first payload a TCP flow says nothing */
  if (is_shown && p->l3_length >= 20) {
    if (slot == NULL) slot = slots[id] = take_slot();
    slot->protocol = ndpi_detection_process_packet(module, &slot->flow, bytes + p->l3, p->l3_length > 0xffff ? 0xffff : p->l3_length, time / 1000);
    shown++;
  }
  int is_known = slot != NULL && slot->protocol.app_protocol != NDPI_PROTOCOL_UNKNOWN;
  if (count < DPI_PACKETS && !(is_known && !ndpi_extra_dissection_possible(module, &slot->flow))) return state;
  end_detection(id);
  return state | STATE_DISSECTED;
}
#endif

/** Backward shift: no tombstones, so probe lengths never grow (Knuth, TAOCP 3, 6.4, algorithm R). */
static void erase(uint32_t id) {
  Record *r = &records[id];
  uint32_t hole = r->hash & mask;
  while (buckets[hole].id != id) hole = (hole + 1) & mask;
  for (uint32_t next = (hole + 1) & mask; buckets[next].id != 0; next = (next + 1) & mask) {
    uint32_t home = buckets[next].hash & mask;
    if (((next - home) & mask) >= ((next - hole) & mask)) {
      buckets[hole] = buckets[next];
      hole = next;
    }
  }
  buckets[hole] = (Bucket){0, 0};
#ifdef NDPI
  end_detection(id);
#endif
  if (r->v6 != 0) freed_addresses[freed_address_count++] = r->v6;
  r->state = 0; /* a live flow has counted a packet: 0 means free */
  freed[freed_count++] = id;
  active--;
}

/* ---- TCP, as src/flows/tcp.ts ---- */

static inline uint32_t since(const Record *r, double time) {
  double us = time - r->first + 1;
  return us > 4294967295.0 ? 0xffffffffu : (uint32_t)us;
}

static inline void sequence(Record *r, Direction *d, Problems *problems, const Packet *p, uint32_t flags, double time) {
  uint32_t seq = p->seq;
  int32_t payload = p->payload;
  uint32_t end = seq + payload + ((flags & SYN) != 0) + ((flags & FIN) != 0);
  if (!d->seq_seen) {
    d->seq_seen = 1;
    d->next_seq = end;
  } else {
    uint32_t next = d->next_seq;
    int32_t ahead = (int32_t)(seq - next);
    if (ahead > 0) {
      if (!(flags & RST)) problems->lost++;
    } else if (ahead == -1 && payload <= 1 && !(flags & (SYN | FIN | RST))) {
      problems->keep_alive++;
    } else if (ahead < 0 && end != seq && !(payload > 1 && ahead == -1)) {
      double limit = r->syn != 0 && r->twh_ack > r->syn ? r->twh_ack - r->syn : 3000;
      if (time - d->last < limit && end != next && seq != d->last_seq) problems->out_of_order++;
      else problems->retransmitted++;
    }
    if ((int32_t)(end - next) > 0) d->next_seq = end;
  }
  if (end != seq) d->last_seq = seq;
}

static inline uint32_t handshake(Record *r, uint32_t flags, int direction, uint32_t state, double time) {
  if (flags == SYN) {
    if (direction == 0 && r->syn == 0) r->syn = since(r, time);
    return state | STATE_SYN;
  }
  if (flags == (SYN | ACK)) {
    if (r->syn_ack == 0) r->syn_ack = since(r, time);
    return state | STATE_SYN_ACK;
  }
  if (flags == ACK && (state & STATE_SYN) && (state & STATE_SYN_ACK)) {
    r->twh_ack = since(r, time);
    return state | STATE_TWH_OVER | STATE_TWH_OK;
  }
  return state | STATE_TWH_OVER;
}

static inline uint32_t tcp(Record *r, Direction *d, const Packet *p, int direction, uint32_t state, double time) {
  uint32_t flags = p->flags & 0xff;
  sequence(r, d, &r->problems[direction], p, flags, time);
  d->tcp_flags |= flags;
  d->ack = p->ack;
  d->window = p->window >> 16;
  if (!(state & STATE_TWH_OVER)) state = handshake(r, flags & CLASSIC_FLAGS, direction, state, time);
  if (flags & (FIN | RST)) state |= STATE_CLOSING;
  if (p->payload > 0 && r->answer == 0) {
    if (direction == 0) r->request = since(r, time);
    else if (r->request != 0) r->answer = since(r, time) - r->request + 1;
  }
  return state;
}

/* ---- update of a batch, in passes ---- */

static inline void note_gap(Gaps *gaps, double gap) {
  double ms = (double)(uint32_t)(gap / 1000);
  gaps->sum += ms;
  gaps->squares += ms * ms;
  if (gaps->count++ == 0 || ms < gaps->shortest) gaps->shortest = ms;
  if (ms > gaps->longest) gaps->longest = ms;
}

static inline void update_one(const uint8_t *bytes, const Packet *p, double time) {
  uint32_t slot = p->slot, id;
  Record *r;
  for (;; slot = (slot + 1) & mask) {
    id = buckets[slot].id;
    if (id == 0) {
      if (active == max_flows) {
        refused++;
        return;
      }
      id = create(p, slot, bytes, time);
      r = &records[id];
      break;
    }
    if (buckets[slot].hash != p->hash) continue;
    r = &records[id];
    if (r->a != p->a || r->b != p->b || r->ports != p->ports || r->pv != p->pv) continue;
    if (p->pv < PV_IPV6 || same_addresses(r->v6, bytes + p->l3, p->flags >> 31)) break;
  }
  uint32_t state = r->state;
  int direction = (p->flags ^ state) >> 31;
  Direction *d = &r->direction[direction];
  if ((state & STATE_PACKETS) != STATE_PACKETS) state++;
  state |= STATE_TOUCHED;
  r->last = time;
  uint32_t before = d->packets++;
  int32_t length = p->wire;
  uint16_t clipped = length > 0xffff ? 0xffff : length;
  d->bytes += length;
  d->goodput += p->payload;
  d->length_squares += (double)length * length;
  if (before == 0) {
    d->shortest = d->longest = clipped;
    r->gaps[direction].tos = p->window >> 8;
  } else {
    if (clipped < d->shortest) d->shortest = clipped;
    else if (clipped > d->longest) d->longest = clipped;
    double gap = time - d->last;
    if (gap >= 1000 && !(p->flags & 7)) note_gap(&r->gaps[direction], gap);
  }
  uint32_t protocol = p->pv & 0xff;
  if (p->flags & F_TCP) {
    state = tcp(r, d, p, direction, state, time);
  } else if (protocol == 1 || protocol == 58) {
    r->gaps[0].icmp[0] = p->icmp >> 8;
    r->gaps[0].icmp[1] = p->icmp;
  }
  d->last = time;
#ifdef NDPI
  state = detect(id, bytes, p, state, time);
#endif
  r->state = state;
}

static void update(const uint8_t *bytes, int from, int to) {
  for (int i = from; i < to; i++) __builtin_prefetch(&buckets[packets[i].hash & mask]);
  for (int i = from; i < to; i++) {
    Packet *p = &packets[i];
    uint32_t slot = p->hash & mask, id;
    for (;; slot = (slot + 1) & mask) {
      id = buckets[slot].id;
      if (id == 0 || buckets[slot].hash == p->hash) break;
    }
    p->slot = slot;
    if (id == 0) id = freed_count > 0 ? freed[freed_count - 1] : fresh;
    Record *r = &records[id];
    int direction = p->flags >> 31; /* a guess: right where the client is a; the other line follows in the update */
    __builtin_prefetch(r, 1);
    __builtin_prefetch(&r->direction[direction], 1);
    __builtin_prefetch(&r->direction[!direction], 1);
    __builtin_prefetch(&r->gaps, 1);
    if (p->pv >= PV_IPV6) __builtin_prefetch(&addresses[r->v6]);
  }
  for (int i = from; i < to; i++) update_one(bytes, &packets[i], times[i]);
}

/* ---- visits, as src/flows/engine.ts ---- */

static inline int is_idle(const Record *r, double now) {
  double silent = now - r->last;
  if ((r->pv & 0xff) == 6 && ((r->state & STATE_CLOSING) || !(r->state & STATE_TWH_OK)))
    return silent > TCP_EARLY_US && now - r->first > TCP_EARLY_US;
  return silent > IDLE_US;
}

static inline uint8_t trend(float now, float before) {
  return now > before ? 1 : now < before ? 2 : 3;
}

static inline void throughput(Record *r, double elapsed) {
  double scale = 1e6 / elapsed;
  float old_bps = r->bps[0] + r->bps[1], old_pps = r->pps[0] + r->pps[1];
  for (int i = 0; i < 2; i++) {
    r->bps[i] = (r->direction[i].bytes - r->previous_bytes[i]) * scale;
    r->pps[i] = (r->direction[i].packets - r->previous_packets[i]) * scale;
  }
  float bps = r->bps[0] + r->bps[1], pps = r->pps[0] + r->pps[1];
  r->trend_bps = trend(bps, old_bps);
  r->trend_pps = trend(pps, old_pps);
  if (bps == 0 && old_bps == 0) r->state &= ~STATE_RATE;
  else r->state |= STATE_RATE;
  if (bps > r->top_bps) r->top_bps = bps;
  if (pps > r->top_pps) r->top_pps = pps;
}

static void visit(double now, int last) {
  double elapsed = now - previous_visit;
  for (uint32_t id = 1; id < fresh; id++) {
    Record *r = &records[id];
    __builtin_prefetch(r + 8);
    if (r->state == 0) continue;
    int ends = last || (!no_idle && is_idle(r, now));
    if ((r->state & STATE_VISITED) && elapsed >= 1e6 && (r->state & (STATE_TOUCHED | STATE_RATE))) throughput(r, elapsed);
    int touched = (r->state & STATE_TOUCHED) != 0;
    r->state = (r->state | STATE_VISITED) & ~STATE_TOUCHED;
    if (ends) {
      erase(id);
    } else if (touched) {
      for (int i = 0; i < 2; i++) {
        r->previous_bytes[i] = r->direction[i].bytes;
        r->previous_packets[i] = r->direction[i].packets;
      }
      r->previous_goodput = r->direction[0].goodput + r->direction[1].goodput;
    }
  }
  previous_visit = now;
  visit_count++;
}

static double grid_after(double time) {
  return ((uint64_t)(time / VISIT_US) + 1) * (double)VISIT_US;
}

/** Updates the table by the batch, with the visits that are due before a packet of it. */
static void process(const uint8_t *bytes, int count) {
  if (count == 0) return;
  if (next_visit == 0) {
    next_visit = grid_after(times[0]);
    previous_visit = times[0];
  }
  for (int from = 0; from < count;) {
    while (next_visit <= times[from]) {
      visit(next_visit, 0);
      next_visit = active == 0 ? grid_after(times[from]) : next_visit + VISIT_US;
    }
    int to = from + 1;
    while (to < count && times[to] < next_visit) to++;
    update(bytes, from, to);
    from = to;
  }
}

/* ---- memory and the file ---- */

static void *allocate(size_t bytes) {
  size_t huge = 2 << 20;
  uint8_t *p = mmap(NULL, bytes + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) {
    perror("mmap");
    exit(1);
  }
  p += -(uintptr_t)p & (huge - 1);
  madvise(p, bytes, MADV_HUGEPAGE);
  return p;
}

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: limit FILE MAX_FLOWS [--no-idle]\n");
    return 2;
  }
  no_idle = count > 3 && strcmp(arguments[3], "--no-idle") == 0;
  max_flows = strtoul(arguments[2], NULL, 10);
  size_t bucket_count = 1024;
  while (bucket_count < (size_t)max_flows * 2) bucket_count *= 2;
  mask = bucket_count - 1;
  records = allocate(((size_t)max_flows + 16) * sizeof(Record));
  buckets = allocate(bucket_count * sizeof(Bucket));
  addresses = allocate(((size_t)max_flows + 16) * 32);
  freed = allocate(((size_t)max_flows + 16) * 4);
  freed_addresses = allocate(((size_t)max_flows + 16) * 4);
#ifdef NDPI
  slots = allocate(((size_t)max_flows + 16) * sizeof *slots);
  begin_detection();
#endif

  static uint8_t chunk[LONGEST_FRAME + CHUNK];
  int file = open(arguments[1], O_RDONLY);
  if (file < 0) {
    perror(arguments[1]);
    return 1;
  }
  if (read(file, chunk, 24) != 24 || load32(chunk) != 0xa1b2c3d4u || load32(chunk + 20) != 1) {
    fprintf(stderr, "%s: not a little-endian pcap file of Ethernet frames with microseconds\n", arguments[1]);
    return 1;
  }
  long have = 0, got;
  while ((got = read(file, chunk + have, CHUNK)) > 0) {
    long at = 0, end = have + got;
    int n;
    do {
      n = parse(chunk, &at, end);
      process(chunk, n);
    } while (n == BATCH);
    have = end - at;
    if (have > LONGEST_FRAME) {
      fprintf(stderr, "frame longer than %d bytes\n", LONGEST_FRAME);
      return 1;
    }
    memmove(chunk, chunk + at, have);
  }
  if (active > 0) visit(clock_us, 1);
  printf("{\"packets\":%llu,\"ip\":%llu,\"flows\":%llu,\"peak\":%u,\"visits\":%llu,\"refused\":%llu}\n", (unsigned long long)packet_count,
         (unsigned long long)ip_count, (unsigned long long)created, peak, (unsigned long long)visit_count, (unsigned long long)refused);
#ifdef NDPI
  fprintf(stderr, "%llu packets were shown to nDPI\n", (unsigned long long)shown);
#endif
  return 0;
}
