/*
 * The addon's inner contract. Enters: calls from src/native.ts (which states every function). Leaves: numbers, names, filled typed arrays.
 *
 *   flowpatrol.c  registration, argument checks, handles, memory, clocks
 *   capture.c     libpcap in batches, gunzip
 *   stream.c      captures that come through a pipe
 *   fanout.c      several sockets for one interface
 *   dpi.c         nDPI in batches
 *
 * Plain Node-API 8: one binary for every Node from 20 on. No mutable globals but one mutex (dpi.c), so it loads into several workers.
 * A helper that returns false has already thrown; its caller returns NULL at once.
 */
#ifndef FLOWPATROL_H
#define FLOWPATROL_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FP_MAX_ARGUMENTS 5
/* Longest text that is taken from JavaScript: a path, an interface, a filter. */
#define FP_MAX_TEXT 65535

/* Throws an Error with `code` as its property `code` (NULL for none). Returns false. */
bool fp_throw(napi_env env, const char *code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Throws a RangeError (a value is out of bounds) or TypeError (a value is of another type). Returns false. */
bool fp_range(napi_env env, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool fp_type(napi_env env, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* True when `status` is fine; else throws what Node-API says unless something is thrown already. */
bool fp_ok(napi_env env, napi_status status);

/* Missing arguments are undefined. */
bool fp_arguments(napi_env env, napi_callback_info info, napi_value values[FP_MAX_ARGUMENTS]);
/* A whole number from `low` to `high`. */
bool fp_integer(napi_env env, napi_value value, const char *name, int64_t low, int64_t high, int64_t *out);
/* A text without NUL; the caller frees it. */
bool fp_text(napi_env env, napi_value value, const char *name, char **out);
/* The memory of a typed array of exactly `type`; `length` in elements. Valid until JavaScript runs again. */
bool fp_array(napi_env env, napi_value value, const char *name, napi_typedarray_type type, void **data, size_t *length);
bool fp_property(napi_env env, napi_value object, const char *name, napi_value *out);

struct fp_stream;

/* What every handle starts with. `closed` is set by its close function; memory of the handle itself lives until the finalizer. */
struct fp_handle {
  bool closed;
};

/* An object that owns `handle`; `finalize` frees it. On failure the handle is finalized at once. */
napi_value fp_wrap(napi_env env, napi_value object, struct fp_handle *handle, const napi_type_tag *tag, napi_finalize finalize);
/* The handle of `value`, or NULL after throwing: another type, or closed already. */
void *fp_unwrap(napi_env env, napi_value value, const napi_type_tag *tag, const char *name);

napi_value fp_undefined(napi_env env);
napi_value fp_number(napi_env env, double value);
napi_value fp_string(napi_env env, const char *text);
/* Strings 0 … count-1 of `name(context, i)`; a NULL becomes ''. */
napi_value fp_names(napi_env env, unsigned count, const char *(*name)(void *context, unsigned i), void *context);

/* A capture that comes through a pipe. `fd` belongs to it, in every case. @returns NULL without memory */
struct fp_stream *fp_stream_open(int fd);
/* Waits for bytes, -1 for ever. @returns true when there is more to read, or nothing more will come */
bool fp_stream_fill(struct fp_stream *stream, int timeout_ms);
/* Is there enough to open it as a capture? */
bool fp_stream_begun(const struct fp_stream *stream);
/* Has it come to its end, and is everything read? */
bool fp_stream_spent(const struct fp_stream *stream);
/* Bytes read. */
double fp_stream_position(const struct fp_stream *stream);
/* What reads whole records: its end is that of the last one that has come, until clearerr(). NULL without memory. */
FILE *fp_stream_file(struct fp_stream *stream);
void fp_stream_close(struct fp_stream *stream);

/* A packet socket takes no packets from now on, until it gets another filter. @returns an errno, 0 = fine */
int fp_fanout_close_gate(int fd);
/* Joins the group `group`, not 0, of at most `size` sockets. @returns an errno, 0 = fine */
int fp_fanout_join(int fd, bool ethernet, uint16_t group, uint32_t size);

#define FP_FUNCTION(name) napi_value name(napi_env env, napi_callback_info info)

FP_FUNCTION(fp_pcap_version);
FP_FUNCTION(fp_pcap_interfaces);
FP_FUNCTION(fp_pcap_open_live);
FP_FUNCTION(fp_pcap_admit);
FP_FUNCTION(fp_pcap_open_file);
FP_FUNCTION(fp_pcap_open_stream);
FP_FUNCTION(fp_pcap_link_type);
FP_FUNCTION(fp_pcap_read);
FP_FUNCTION(fp_pcap_error);
FP_FUNCTION(fp_pcap_stats);
FP_FUNCTION(fp_pcap_position);
FP_FUNCTION(fp_pcap_close);
FP_FUNCTION(fp_gunzip_open);
FP_FUNCTION(fp_gunzip_position);
FP_FUNCTION(fp_gunzip_close);

FP_FUNCTION(fp_dpi_version);
FP_FUNCTION(fp_dpi_create);
FP_FUNCTION(fp_dpi_detail_names);
FP_FUNCTION(fp_dpi_protocols);
FP_FUNCTION(fp_dpi_categories);
FP_FUNCTION(fp_dpi_breeds);
FP_FUNCTION(fp_dpi_traits);
FP_FUNCTION(fp_dpi_risks);
FP_FUNCTION(fp_dpi_confidences);
FP_FUNCTION(fp_dpi_process);
FP_FUNCTION(fp_dpi_collect);
FP_FUNCTION(fp_dpi_refused);
FP_FUNCTION(fp_dpi_memory);
FP_FUNCTION(fp_dpi_close);

#endif
