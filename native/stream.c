/*
 * A capture that comes through a pipe, cut at the ends of its records, so that a reader never waits inside one.
 *
 *   pipe ──poll, read──► bytes:   given │ whole records │ a part of the next one
 *                                       ▲               ▲
 *                                       at              whole          the FILE reads up to here, and says that it ends
 *
 * The reader is libpcap: at the end of a record it takes the end of the FILE for the end of the capture, and can be asked again when more
 * has come. What is known of the formats is the length of a record (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng):
 *
 *   pcap     file header 24 bytes   record  u32 seconds │ u32 fraction │ u32 captured │ u32 on the wire │ captured bytes
 *   pcapng                          block   u32 type │ u32 length, all of it │ …     type 0a0d0d0a: u32 byte order 1a2b3c4d behind that
 *
 * Where the bytes make no sense so far, all that has come is handed over and waited for as in a file: libpcap says what is wrong.
 */
#define _GNU_SOURCE
#include "flowpatrol.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define FIRST_BYTES ((size_t)512 << 10)
/* libpcap takes no longer block. */
#define MOST_RECORD ((uint32_t)16 << 20)
#define FILE_HEADER 24
#define RECORD_HEADER 16
#define PATCHED_HEADER 24
#define BLOCK_HEADER 12

enum framing { FRAMING_UNKNOWN, FRAMING_RECORDS, FRAMING_BLOCKS, FRAMING_NONE };

struct fp_stream {
  int fd;
  uint8_t *bytes;
  size_t capacity;
  size_t at;
  size_t whole;
  size_t used;
  double given;
  enum framing framing;
  bool big_endian;
  uint32_t record_header;
  /* What tells the format, and the link type, is there. */
  bool begun;
  /* Nothing more comes; `error`: an errno, or 0 at the end. */
  bool over;
  int error;
};

static uint32_t word_at(const struct fp_stream *stream, size_t at) {
  uint32_t word;
  memcpy(&word, stream->bytes + at, sizeof word);
  return stream->big_endian == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) ? word : __builtin_bswap32(word);
}

/* Of the first bytes. */
static void find_framing(struct fp_stream *stream) {
  if (stream->used < sizeof(uint32_t)) return;
  for (int big = 0; big < 2; big++) {
    stream->big_endian = big != 0;
    const uint32_t magic = word_at(stream, 0);
    if (magic == 0x0a0d0d0a) {
      stream->framing = FRAMING_BLOCKS;
      return;
    }
    if (magic != 0xa1b2c3d4 && magic != 0xa1b23c4d && magic != 0xa1b2cd34) continue;
    if (stream->used < FILE_HEADER) return;
    /* u16 major, u16 minor: other versions have the lengths the other way round */
    const uint32_t version = word_at(stream, 4);
    if (version == (stream->big_endian ? 0x00020004 : 0x00040002)) {
      stream->framing = FRAMING_RECORDS;
      stream->record_header = magic == 0xa1b2cd34 ? PATCHED_HEADER : RECORD_HEADER;
      stream->whole = FILE_HEADER;
      stream->begun = true;
      return;
    }
    break;
  }
  stream->framing = FRAMING_NONE;
}

/* Length of the record behind the whole ones; 0 = its beginning is not there yet, or makes no sense. */
static size_t record_length(struct fp_stream *stream) {
  const size_t at = stream->whole;
  const size_t have = stream->used - at;
  if (stream->framing == FRAMING_RECORDS) {
    if (have < stream->record_header) return 0;
    const uint32_t captured = word_at(stream, at + 8);
    if (captured <= MOST_RECORD) return stream->record_header + captured;
  } else if (stream->framing == FRAMING_BLOCKS) {
    if (have < BLOCK_HEADER) return 0;
    if (word_at(stream, at) == 0x0a0d0d0a) {
      stream->big_endian = false;
      stream->big_endian = word_at(stream, at + 8) != 0x1a2b3c4d;
    }
    const uint32_t length = word_at(stream, at + 4);
    if (length >= BLOCK_HEADER && length % 4 == 0 && length <= MOST_RECORD) return length;
  }
  stream->framing = FRAMING_NONE;
  return 0;
}

/* Moves `whole` on. */
static void find_records(struct fp_stream *stream) {
  if (stream->framing == FRAMING_UNKNOWN) find_framing(stream);
  while (stream->framing == FRAMING_RECORDS || stream->framing == FRAMING_BLOCKS) {
    const size_t length = record_length(stream);
    if (length == 0 || length > stream->used - stream->whole) break;
    if (stream->framing == FRAMING_BLOCKS) {
      const uint32_t type = word_at(stream, stream->whole);
      /* an interface, or a packet (three kinds): libpcap looks no further for the link type */
      if (type == 1 || type == 2 || type == 3 || type == 6) stream->begun = true;
    }
    stream->whole += length;
  }
  if (stream->over || stream->framing == FRAMING_NONE) {
    stream->begun = true;
    stream->whole = stream->used;
  }
}

/* Room for more. @returns an errno, 0 = fine */
static int make_room(struct fp_stream *stream) {
  if (stream->at > 0) memmove(stream->bytes, stream->bytes + stream->at, stream->used - stream->at);
  stream->whole -= stream->at;
  stream->used -= stream->at;
  stream->at = 0;
  if (stream->used < stream->capacity) return 0;
  const size_t capacity = stream->capacity == 0 ? FIRST_BYTES : 2 * stream->capacity;
  uint8_t *grown = realloc(stream->bytes, capacity);
  if (grown == NULL) return ENOMEM;
  stream->bytes = grown;
  stream->capacity = capacity;
  return 0;
}

bool fp_stream_fill(struct fp_stream *stream, int timeout_ms) {
  if (stream->over) return true;
  struct pollfd item = { .fd = stream->fd, .events = POLLIN };
  if (poll(&item, 1, timeout_ms) <= 0) return false;
  stream->error = make_room(stream);
  ssize_t count = -1;
  if (stream->error == 0) {
    count = read(stream->fd, stream->bytes + stream->used, stream->capacity - stream->used);
    /* a parent may hand over a pipe that does not block */
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (count < 0) stream->error = errno;
  }
  if (count > 0) stream->used += (size_t)count;
  else stream->over = true;
  const size_t whole = stream->whole;
  find_records(stream);
  return stream->over || stream->whole > whole;
}

bool fp_stream_begun(const struct fp_stream *stream) {
  return stream->begun;
}

bool fp_stream_spent(const struct fp_stream *stream) {
  return stream->over && stream->at == stream->used;
}

double fp_stream_position(const struct fp_stream *stream) {
  return stream->given;
}

static ssize_t read_whole(void *cookie, char *buffer, size_t size) {
  struct fp_stream *stream = cookie;
  while (stream->at == stream->whole && stream->framing == FRAMING_NONE && !stream->over) fp_stream_fill(stream, -1);
  size_t count = stream->whole - stream->at;
  if (count == 0 && stream->error != 0) {
    errno = stream->error;
    return -1;
  }
  if (count > size) count = size;
  if (count > 0) memcpy(buffer, stream->bytes + stream->at, count);
  stream->at += count;
  stream->given += (double)count;
  return (ssize_t)count;
}

FILE *fp_stream_file(struct fp_stream *stream) {
  return fopencookie(stream, "r", (cookie_io_functions_t){ .read = read_whole });
}

struct fp_stream *fp_stream_open(int fd) {
  struct fp_stream *stream = calloc(1, sizeof *stream);
  if (stream == NULL) close(fd);
  else stream->fd = fd;
  return stream;
}

void fp_stream_close(struct fp_stream *stream) {
  if (stream == NULL) return;
  close(stream->fd);
  free(stream->bytes);
  free(stream);
}
