/*
 * The floor of reading: libpcap hands every packet of a file over, and each is touched once.
 *
 *   floor FILE           packets and captured bytes
 *   floor FILE --flows   also the number of different flows, by sorting all keys: slow, but shares nothing with limit.c
 *
 * Prints one JSON line. Called by bench/run.ts (measured) and by test/bench.test.ts (--flows).
 */
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** One flow in canonical order: the smaller (address, port) first. IPv4 addresses fill the first four bytes. */
typedef struct {
  uint8_t end[2][18]; /* address, then port, both in network order */
  uint8_t protocol, version, vlan[2];
} Key;

static Key *keys;
static size_t key_count, key_room;

static int compare_keys(const void *x, const void *y) {
  return memcmp(x, y, sizeof(Key));
}

/** Ethernet (up to two VLAN tags), IPv4 or IPv6 (hop-by-hop, routing, destination options), TCP or UDP ports. */
static void note_flow(const uint8_t *frame, size_t length) {
  Key key;
  memset(&key, 0, sizeof key);
  if (length < 14) return;
  size_t at = 14;
  unsigned type = frame[12] << 8 | frame[13];
  for (int tags = 0; tags < 2 && (type == 0x8100 || type == 0x88a8) && at + 4 <= length; tags++) {
    key.vlan[0] = frame[at] & 15;
    key.vlan[1] = frame[at + 1];
    type = frame[at + 2] << 8 | frame[at + 3];
    at += 4;
  }
  uint8_t ends[2][18];
  memset(ends, 0, sizeof ends);
  int later_fragment = 0;
  if (type == 0x0800) {
    if (at + 20 > length) return;
    key.version = 4;
    key.protocol = frame[at + 9];
    memcpy(ends[0], frame + at + 12, 4);
    memcpy(ends[1], frame + at + 16, 4);
    later_fragment = ((frame[at + 6] & 31) << 8 | frame[at + 7]) != 0;
    at += (frame[at] & 15) * 4;
  } else if (type == 0x86dd) {
    if (at + 40 > length) return;
    key.version = 6;
    key.protocol = frame[at + 6];
    memcpy(ends[0], frame + at + 8, 16);
    memcpy(ends[1], frame + at + 24, 16);
    at += 40;
    while ((key.protocol == 0 || key.protocol == 43 || key.protocol == 60) && at + 8 <= length) {
      key.protocol = frame[at];
      at += 8 + frame[at + 1] * 8;
    }
  } else {
    return;
  }
  size_t header = key.protocol == 6 ? 20 : key.protocol == 17 ? 8 : 0;
  if (header != 0 && !later_fragment && at + header <= length) {
    memcpy(ends[0] + 16, frame + at, 2);
    memcpy(ends[1] + 16, frame + at + 2, 2);
  }
  int swap = memcmp(ends[0], ends[1], 18) > 0;
  memcpy(key.end[0], ends[swap], 18);
  memcpy(key.end[1], ends[!swap], 18);
  if (key_count == key_room) {
    key_room = key_room ? key_room * 2 : 65536;
    keys = realloc(keys, key_room * sizeof(Key));
    if (!keys) abort();
  }
  keys[key_count++] = key;
}

static size_t different_keys(void) {
  qsort(keys, key_count, sizeof(Key), compare_keys);
  size_t different = 0;
  for (size_t i = 0; i < key_count; i++) different += i == 0 || compare_keys(keys + i, keys + i - 1) != 0;
  return different;
}

int main(int count, char **arguments) {
  char error[PCAP_ERRBUF_SIZE];
  if (count < 2) {
    fprintf(stderr, "usage: floor FILE [--flows]\n");
    return 2;
  }
  int flows = count > 2 && strcmp(arguments[2], "--flows") == 0;
  pcap_t *pcap = pcap_open_offline(arguments[1], error);
  if (!pcap) {
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  struct pcap_pkthdr *header;
  const uint8_t *frame;
  uint64_t packets = 0, bytes = 0;
  unsigned touched = 0;
  int answer;
  while ((answer = pcap_next_ex(pcap, &header, &frame)) == 1) {
    packets++;
    bytes += header->caplen;
    if (header->caplen > 0) touched += frame[0] + frame[header->caplen / 2];
    if (flows) note_flow(frame, header->caplen);
  }
  if (answer == PCAP_ERROR) {
    fprintf(stderr, "%s\n", pcap_geterr(pcap));
    return 1;
  }
  printf("{\"packets\":%llu,\"bytes\":%llu,\"touched\":%u", (unsigned long long)packets, (unsigned long long)bytes, touched);
  if (flows) printf(",\"flows\":%zu", different_keys());
  printf("}\n");
  pcap_close(pcap);
  return 0;
}
