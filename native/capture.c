/*
 * libpcap in batches, and files decompressed by the system's gzip.
 *
 *   interface ─► pcap_dispatch ─┐
 *   file, fd, pipe ─────────────┴─► copied into the caller's chunk ─► offset, captured length, wire length, time per packet
 *
 * A packet that does not fit into the rest of a chunk is kept in the handle and comes first at the next read: none is lost.
 * Errors are thrown with a `code`: EPERM, ENODEV, ENETDOWN, EFILTER, EPCAP, or the name of the system's error for a file.
 */
#define _GNU_SOURCE
#include "flowpatrol.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define FILE_BUFFER_BYTES ((size_t)512 << 10)
#define FRAME_WORDS 3
/* How long the kernel may gather packets before it hands a block over. */
#define BLOCK_MS 20

#define READ_END (-1)
#define READ_ERROR (-2)

struct capture {
  struct fp_handle handle;
  pcap_t *pcap;
  FILE *file;
  char *file_buffer;
  /* Of a pipe; it is opened by libpcap once its header has come. */
  struct fp_stream *stream;
  char *path;
  char *filter;
  bool live;
  bool ended;
  bool failed;
  /* The interface is gone; what the kernel had captured before is still read. */
  bool failing;
  int timeout_ms;
  /* Of a member of a fanout group until it is admitted. */
  struct bpf_program admitted;
  char error[PCAP_ERRBUF_SIZE];
  /* The packet that did not fit. */
  bool pending;
  uint8_t *kept;
  size_t kept_capacity;
  uint32_t kept_length;
  uint32_t kept_wire;
  double kept_time;
};

/* Sockets that share the packets of an interface. */
struct group {
  uint16_t id;
  uint32_t size;
};

static const napi_type_tag capture_tag = { 0x6b1f0d5c2a7e4c11ULL, 0x9d3f8e02b64a75c3ULL };

static const char *errno_name(int error) {
  const char *name = strerrorname_np(error);
  return name != NULL ? name : "EIO";
}

static void capture_release(struct capture *capture) {
  pcap_freecode(&capture->admitted);
  /* pcap_close also closes the FILE of a savefile. */
  if (capture->pcap != NULL) pcap_close(capture->pcap);
  else if (capture->file != NULL) fclose(capture->file);
  fp_stream_close(capture->stream);
  free(capture->path);
  free(capture->filter);
  free(capture->file_buffer);
  free(capture->kept);
  capture->pcap = NULL;
  capture->file = NULL;
  capture->stream = NULL;
  capture->path = NULL;
  capture->filter = NULL;
  capture->file_buffer = NULL;
  capture->kept = NULL;
  capture->handle.closed = true;
}

static void capture_finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  capture_release(data);
  free(data);
}

static struct capture *capture_new(napi_env env) {
  struct capture *capture = calloc(1, sizeof *capture);
  if (capture == NULL) fp_throw(env, "ENOMEM", "no memory");
  return capture;
}

static struct capture *capture_argument(napi_env env, napi_callback_info info, napi_value values[FP_MAX_ARGUMENTS]) {
  return fp_arguments(env, info, values) ? fp_unwrap(env, values[0], &capture_tag, "capture") : NULL;
}

static bool compile_filter(napi_env env, pcap_t *pcap, const char *filter, struct bpf_program *program) {
  if (pcap_compile(pcap, program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0) return true;
  return fp_throw(env, "EFILTER", "filter '%.200s': %s", filter, pcap_geterr(pcap));
}

static bool set_filter(napi_env env, pcap_t *pcap, const char *filter) {
  if (filter[0] == '\0') return true;
  struct bpf_program program;
  if (!compile_filter(env, pcap, filter, &program)) return false;
  bool fine = pcap_setfilter(pcap, &program) == 0;
  pcap_freecode(&program);
  return fine || fp_throw(env, "EFILTER", "filter '%.200s': %s", filter, pcap_geterr(pcap));
}

/* ---- interfaces ---- */

FP_FUNCTION(fp_pcap_version) {
  (void)info;
  return fp_string(env, pcap_lib_version());
}

static bool set_value(napi_env env, napi_value object, const char *name, napi_value value) {
  return value != NULL && fp_ok(env, napi_set_named_property(env, object, name, value));
}

static bool set_flag(napi_env env, napi_value object, const char *name, bool flag) {
  napi_value value;
  return fp_ok(env, napi_get_boolean(env, flag, &value)) && set_value(env, object, name, value);
}

static napi_value interface_value(napi_env env, const pcap_if_t *device) {
  napi_value object;
  napi_value addresses;
  if (!fp_ok(env, napi_create_object(env, &object)) || !fp_ok(env, napi_create_array(env, &addresses))) return NULL;
  uint32_t count = 0;
  for (const pcap_addr_t *address = device->addresses; address != NULL; address = address->next) {
    char text[INET6_ADDRSTRLEN];
    if (address->addr == NULL) continue;
    const void *bytes;
    if (address->addr->sa_family == AF_INET) bytes = &((const struct sockaddr_in *)(const void *)address->addr)->sin_addr;
    else if (address->addr->sa_family == AF_INET6) bytes = &((const struct sockaddr_in6 *)(const void *)address->addr)->sin6_addr;
    else continue;
    if (inet_ntop(address->addr->sa_family, bytes, text, sizeof text) == NULL) continue;
    napi_value value = fp_string(env, text);
    if (value == NULL || !fp_ok(env, napi_set_element(env, addresses, count++, value))) return NULL;
  }
  bool fine = set_value(env, object, "name", fp_string(env, device->name)) &&
    set_value(env, object, "description", fp_string(env, device->description)) &&
    set_flag(env, object, "up", (device->flags & PCAP_IF_UP) != 0) &&
    set_flag(env, object, "running", (device->flags & PCAP_IF_RUNNING) != 0) &&
    set_flag(env, object, "loopback", (device->flags & PCAP_IF_LOOPBACK) != 0) &&
    set_flag(env, object, "wireless", (device->flags & PCAP_IF_WIRELESS) != 0) &&
    set_value(env, object, "addresses", addresses);
  return fine ? object : NULL;
}

FP_FUNCTION(fp_pcap_interfaces) {
  (void)info;
  char error[PCAP_ERRBUF_SIZE] = "";
  pcap_if_t *devices = NULL;
  if (pcap_findalldevs(&devices, error) != 0) {
    fp_throw(env, "EPCAP", "%s", error);
    return NULL;
  }
  napi_value list = NULL;
  bool fine = fp_ok(env, napi_create_array(env, &list));
  uint32_t count = 0;
  for (const pcap_if_t *device = devices; fine && device != NULL; device = device->next) {
    napi_value value = interface_value(env, device);
    fine = value != NULL && fp_ok(env, napi_set_element(env, list, count++, value));
  }
  pcap_freealldevs(devices);
  return fine ? list : NULL;
}

/* ---- opening ---- */

static bool throw_activation(napi_env env, const char *name, pcap_t *pcap, int status) {
  const char *code = "EPCAP";
  if (status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED) code = "EPERM";
  if (status == PCAP_ERROR_NO_SUCH_DEVICE) code = "ENODEV";
  if (status == PCAP_ERROR_IFACE_NOT_UP) code = "ENETDOWN";
  const char *detail = pcap_geterr(pcap);
  if (status == PCAP_ERROR) return fp_throw(env, code, "%.100s: %s", name, detail);
  if (detail[0] == '\0') return fp_throw(env, code, "%.100s: %s", name, pcap_statustostr(status));
  return fp_throw(env, code, "%.100s: %s (%s)", name, pcap_statustostr(status), detail);
}

/* A block that the kernel gathers is handed over at the second tick of its timer. */
static void wait_for_block(void) {
  const struct timespec time = { .tv_nsec = 3 * BLOCK_MS * 1000000L };
  nanosleep(&time, NULL);
}

static void ignore_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *data) {
  (void)user;
  (void)header;
  (void)data;
}

/*
 * Until it has joined, a socket gets every packet of the interface, those of the others too. So it is closed first, then it joins, and
 * what came before is thrown away once the kernel has handed over the block that it gathered; fp_pcap_admit opens it.
 */
static bool join_group(napi_env env, struct capture *capture, const char *name, const char *filter, const struct group *group) {
  int fd = pcap_fileno(capture->pcap);
  if (!compile_filter(env, capture->pcap, filter, &capture->admitted)) return false;
  int problem = fp_fanout_close_gate(fd);
  if (problem == 0) problem = fp_fanout_join(fd, pcap_datalink(capture->pcap) == DLT_EN10MB, group->id, group->size);
  if (problem == ENOSPC) {
    return fp_throw(env, "EFANOUT", "%.100s: group %u of capture threads is in use by another program: start again", name, group->id);
  }
  if (problem != 0) {
    return fp_throw(env, "EFANOUT", "%.100s: the kernel does not share its packets among threads (%s): use 1 capture thread", name,
      strerror(problem));
  }
  wait_for_block();
  while (pcap_dispatch(capture->pcap, -1, ignore_packet, NULL) > 0) continue;
  return true;
}

static bool open_live(napi_env env, struct capture *capture, const char *name, const char *filter, int snap, bool promiscuous, int buffer,
  const struct group *group) {
  char error[PCAP_ERRBUF_SIZE] = "";
  capture->pcap = pcap_create(name, error);
  if (capture->pcap == NULL) return fp_throw(env, "EPCAP", "%.100s: %s", name, error);
  pcap_set_snaplen(capture->pcap, snap);
  pcap_set_promisc(capture->pcap, promiscuous);
  pcap_set_buffer_size(capture->pcap, buffer);
  pcap_set_timeout(capture->pcap, BLOCK_MS);
  int status = pcap_activate(capture->pcap);
  if (status < 0) return throw_activation(env, name, capture->pcap, status);
  if (pcap_setnonblock(capture->pcap, 1, error) != 0) return fp_throw(env, "EPCAP", "%.100s: %s", name, error);
  if (group->id != 0) return join_group(env, capture, name, filter, group);
  return set_filter(env, capture->pcap, filter);
}

/* Absent: a group of id 0, which is none. */
static bool group_option(napi_env env, napi_value options, struct group *group) {
  napi_value option;
  napi_valuetype type;
  int64_t id;
  int64_t size;
  if (!fp_property(env, options, "fanout", &option) || !fp_ok(env, napi_typeof(env, option, &type))) return false;
  if (type == napi_undefined) return true;
  napi_value value;
  if (!fp_property(env, option, "group", &value) || !fp_integer(env, value, "group", 1, UINT16_MAX, &id)) return false;
  if (!fp_property(env, option, "size", &value) || !fp_integer(env, value, "size", 1, 256, &size)) return false;
  *group = (struct group){ .id = (uint16_t)id, .size = (uint32_t)size };
  return true;
}

FP_FUNCTION(fp_pcap_open_live) {
  napi_value values[FP_MAX_ARGUMENTS];
  napi_value option;
  int64_t snap;
  int64_t buffer;
  int64_t timeout;
  bool promiscuous;
  struct group group = { 0 };
  if (!fp_arguments(env, info, values)) return NULL;
  if (!group_option(env, values[1], &group)) return NULL;
  if (!fp_property(env, values[1], "snapLength", &option) || !fp_integer(env, option, "snapLength", 1, 262144, &snap)) return NULL;
  if (!fp_property(env, values[1], "bufferBytes", &option) || !fp_integer(env, option, "bufferBytes", 4096, INT_MAX, &buffer)) return NULL;
  if (!fp_property(env, values[1], "timeoutMs", &option) || !fp_integer(env, option, "timeoutMs", 0, 60000, &timeout)) return NULL;
  if (!fp_property(env, values[1], "promiscuous", &option)) return NULL;
  if (napi_get_value_bool(env, option, &promiscuous) != napi_ok) {
    fp_type(env, "promiscuous is not a boolean");
    return NULL;
  }
  char *name = NULL;
  char *filter = NULL;
  napi_value result = NULL;
  struct capture *capture = NULL;
  if (fp_property(env, values[1], "filter", &option) && fp_text(env, option, "filter", &filter) && fp_text(env, values[0], "name", &name) &&
      (capture = capture_new(env)) != NULL) {
    capture->live = true;
    capture->timeout_ms = (int)timeout;
    if (open_live(env, capture, name, filter, (int)snap, promiscuous, (int)buffer, &group)) {
      result = fp_wrap(env, NULL, &capture->handle, &capture_tag, capture_finalize);
    } else {
      capture_finalize(env, capture, NULL);
    }
  }
  free(name);
  free(filter);
  return result;
}

FP_FUNCTION(fp_pcap_admit) {
  napi_value values[FP_MAX_ARGUMENTS];
  struct capture *capture = capture_argument(env, info, values);
  if (capture == NULL) return NULL;
  if (capture->admitted.bf_insns != NULL && pcap_setfilter(capture->pcap, &capture->admitted) != 0) {
    fp_throw(env, "EPCAP", "%s", pcap_geterr(capture->pcap));
    return NULL;
  }
  pcap_freecode(&capture->admitted);
  return fp_undefined(env);
}

/* Of its file. */
static bool open_pcap(napi_env env, struct capture *capture, const char *name, const char *filter) {
  char error[PCAP_ERRBUF_SIZE] = "";
  capture->file_buffer = malloc(FILE_BUFFER_BYTES);
  if (capture->file_buffer != NULL) setvbuf(capture->file, capture->file_buffer, _IOFBF, FILE_BUFFER_BYTES);
  capture->pcap = pcap_fopen_offline_with_tstamp_precision(capture->file, PCAP_TSTAMP_PRECISION_NANO, error);
  if (capture->pcap == NULL) return fp_throw(env, "EPCAP", "%.500s: %s", name, error);
  return set_filter(env, capture->pcap, filter);
}

/* `fd` is closed in every case: by the handle later, or here when opening fails. */
static bool open_descriptor(napi_env env, struct capture *capture, int fd, const char *name, const char *filter) {
  capture->file = fdopen(fd, "r");
  if (capture->file == NULL) {
    int problem = errno;
    close(fd);
    return fp_throw(env, errno_name(problem), "%.500s: %s", name, strerror(problem));
  }
  return open_pcap(env, capture, name, filter);
}

FP_FUNCTION(fp_pcap_open_file) {
  napi_value values[FP_MAX_ARGUMENTS];
  napi_valuetype type;
  if (!fp_arguments(env, info, values) || !fp_ok(env, napi_typeof(env, values[0], &type))) return NULL;
  char *path = NULL;
  char *filter = NULL;
  char name[32] = "";
  int fd = -1;
  napi_value result = NULL;
  struct capture *capture = NULL;
  if (!fp_text(env, values[1], "filter", &filter)) return NULL;
  if (type == napi_number) {
    int64_t number;
    if (!fp_integer(env, values[0], "path", 0, INT_MAX, &number)) goto done;
    fd = (int)number;
    snprintf(name, sizeof name, "descriptor %d", fd);
    if (fcntl(fd, F_GETFD) < 0) {
      fp_throw(env, errno_name(errno), "%s: %s", name, strerror(errno));
      goto done;
    }
  } else {
    if (!fp_text(env, values[0], "path", &path)) goto done;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      int problem = errno;
      fp_throw(env, errno_name(problem), "%.500s: %s", path, strerror(problem));
      goto done;
    }
  }
  capture = capture_new(env);
  if (capture == NULL) {
    close(fd);
    goto done;
  }
  if (open_descriptor(env, capture, fd, path != NULL ? path : name, filter)) {
    result = fp_wrap(env, NULL, &capture->handle, &capture_tag, capture_finalize);
  } else {
    capture_finalize(env, capture, NULL);
  }
done:
  free(path);
  free(filter);
  return result;
}

FP_FUNCTION(fp_pcap_open_stream) {
  napi_value values[FP_MAX_ARGUMENTS];
  char *path = NULL;
  char *filter = NULL;
  napi_value result = NULL;
  struct capture *capture = NULL;
  if (!fp_arguments(env, info, values)) return NULL;
  if (!fp_text(env, values[0], "path", &path) || !fp_text(env, values[1], "filter", &filter)) goto done;
  const bool standard = strcmp(path, "-") == 0;
  /* Without waiting for somebody who writes. */
  const char *name = standard ? "standard input" : path;
  const int fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    int problem = errno;
    fp_throw(env, errno_name(problem), "%.500s: %s", name, strerror(problem));
    goto done;
  }
  capture = capture_new(env);
  if (capture == NULL) {
    close(fd);
    goto done;
  }
  capture->stream = fp_stream_open(fd);
  if (capture->stream == NULL) {
    fp_throw(env, "ENOMEM", "no memory");
    capture_finalize(env, capture, NULL);
    goto done;
  }
  capture->timeout_ms = BLOCK_MS;
  capture->path = strdup(name);
  capture->filter = filter;
  filter = NULL;
  result = fp_wrap(env, NULL, &capture->handle, &capture_tag, capture_finalize);
done:
  free(path);
  free(filter);
  return result;
}

FP_FUNCTION(fp_pcap_link_type) {
  napi_value values[FP_MAX_ARGUMENTS];
  struct capture *capture = capture_argument(env, info, values);
  return capture == NULL ? NULL : fp_number(env, capture->pcap != NULL ? pcap_datalink(capture->pcap) : -1);
}

FP_FUNCTION(fp_pcap_error) {
  napi_value values[FP_MAX_ARGUMENTS];
  struct capture *capture = capture_argument(env, info, values);
  return capture == NULL ? NULL : fp_string(env, capture->error);
}

FP_FUNCTION(fp_pcap_stats) {
  napi_value values[FP_MAX_ARGUMENTS];
  struct capture *capture = capture_argument(env, info, values);
  if (capture == NULL) return NULL;
  struct pcap_stat stat = { 0 };
  if (capture->live && pcap_stats(capture->pcap, &stat) != 0) {
    fp_throw(env, "EPCAP", "%s", pcap_geterr(capture->pcap));
    return NULL;
  }
  const u_int numbers[3] = { stat.ps_recv, stat.ps_drop, stat.ps_ifdrop };
  napi_value list;
  if (!fp_ok(env, napi_create_array_with_length(env, 3, &list))) return NULL;
  for (uint32_t i = 0; i < 3; i++) {
    napi_value value = fp_number(env, numbers[i]);
    if (value == NULL || !fp_ok(env, napi_set_element(env, list, i, value))) return NULL;
  }
  return list;
}

FP_FUNCTION(fp_pcap_position) {
  napi_value values[FP_MAX_ARGUMENTS];
  struct capture *capture = capture_argument(env, info, values);
  if (capture == NULL) return NULL;
  if (capture->stream != NULL) return fp_number(env, fp_stream_position(capture->stream));
  return fp_number(env, capture->file != NULL ? (double)ftello(capture->file) : -1);
}

FP_FUNCTION(fp_pcap_close) {
  napi_value values[FP_MAX_ARGUMENTS];
  struct capture *capture = capture_argument(env, info, values);
  if (capture == NULL) return NULL;
  capture_release(capture);
  return fp_undefined(env);
}

/* ---- reading ---- */

/* Where one call of pcapRead puts its packets. */
struct batch {
  struct capture *capture;
  uint8_t *bytes;
  size_t size;
  size_t used;
  int32_t *frames;
  double *times;
  int count;
  bool full;
};

/* False when the packet does not fit. A packet larger than the whole chunk is cut to it. */
static bool place(struct batch *batch, const uint8_t *data, uint32_t length, uint32_t wire, double time) {
  if (length > batch->size - batch->used) {
    if (batch->used > 0 || batch->count > 0) return false;
    length = (uint32_t)batch->size;
  }
  memcpy(batch->bytes + batch->used, data, length);
  int32_t *frame = batch->frames + (size_t)batch->count * FRAME_WORDS;
  frame[0] = (int32_t)batch->used;
  frame[1] = (int32_t)length;
  frame[2] = wire > INT32_MAX ? INT32_MAX : (int32_t)wire;
  batch->times[batch->count++] = time;
  batch->used += length;
  return true;
}

static void keep(struct capture *capture, const uint8_t *data, uint32_t length, uint32_t wire, double time) {
  if (length > capture->kept_capacity) {
    uint8_t *grown = realloc(capture->kept, length);
    if (grown != NULL) {
      capture->kept = grown;
      capture->kept_capacity = length;
    } else {
      length = (uint32_t)capture->kept_capacity;
    }
  }
  if (length > 0) memcpy(capture->kept, data, length);
  capture->kept_length = length;
  capture->kept_wire = wire;
  capture->kept_time = time;
  capture->pending = true;
}

static void on_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *data) {
  struct batch *batch = (struct batch *)(void *)user;
  struct capture *capture = batch->capture;
  /* Files are opened with nanoseconds, interfaces with microseconds. */
  double fraction = capture->live ? (double)header->ts.tv_usec : (double)(header->ts.tv_usec / 1000);
  double time = (double)header->ts.tv_sec * 1e6 + fraction;
  if (place(batch, data, header->caplen, header->len, time)) return;
  keep(capture, data, header->caplen, header->len, time);
  batch->full = true;
  pcap_breakloop(capture->pcap);
}

static void note_error(struct capture *capture, int status) {
  const char *text = status == PCAP_ERROR ? pcap_geterr(capture->pcap) : pcap_statustostr(status);
  snprintf(capture->error, sizeof capture->error, "%s", text[0] != '\0' ? text : "unknown error of libpcap");
}

/* Reads until the batch or the chunk is full, or nothing more is there. */
static void gather(struct batch *batch, int most) {
  struct capture *capture = batch->capture;
  while (!batch->full && batch->count < most) {
    int wanted = most - batch->count;
    int status = pcap_dispatch(capture->pcap, wanted, on_packet, (u_char *)(void *)batch);
    if (status == PCAP_ERROR_BREAK) continue; /* left over from the packet that was kept by the call before, or batch->full */
    if (status < 0 && capture->live && !capture->failing) {
      note_error(capture, status);
      capture->failing = true;
      wait_for_block();
      continue;
    }
    if (status < 0 || (capture->failing && status == 0)) {
      if (!capture->failing) note_error(capture, status);
      capture->failed = true;
      return;
    }
    if (capture->live || batch->full) return;
    if (status < wanted) {
      capture->ended = true;
      return;
    }
  }
}

/*
 * Of a pipe: what has come, or what comes within the time-out. Where the file says that it ends, the last whole record is read, and
 * more may come.
 */
static void gather_stream(struct batch *batch, int most) {
  struct capture *capture = batch->capture;
  for (;;) {
    gather(batch, most);
    if (!capture->ended || fp_stream_spent(capture->stream)) return;
    capture->ended = false;
    clearerr(capture->file);
    if (batch->count > 0 || !fp_stream_fill(capture->stream, capture->timeout_ms)) return;
  }
}

/* True when the pipe is open as a capture. False when its header has not come within the time-out, or an error is thrown. */
static bool open_stream(napi_env env, struct capture *capture) {
  if (capture->pcap != NULL) return true;
  if (!fp_stream_begun(capture->stream)) fp_stream_fill(capture->stream, capture->timeout_ms);
  if (!fp_stream_begun(capture->stream)) return false;
  capture->file = fp_stream_file(capture->stream);
  const bool fine = capture->file == NULL ? fp_throw(env, "ENOMEM", "no memory")
                                          : open_pcap(env, capture, capture->path != NULL ? capture->path : "", capture->filter);
  if (!fine) capture_release(capture);
  return fine;
}

/* False when nothing came within the handle's time-out, or a signal came. */
static bool wait_for_packet(struct capture *capture) {
  struct pollfd item = { .fd = pcap_get_selectable_fd(capture->pcap), .events = POLLIN };
  /* Without a descriptor poll() is a plain wait; libpcap then wants to be asked often. */
  bool blind = item.fd < 0;
  int wait = blind && capture->timeout_ms > BLOCK_MS ? BLOCK_MS : capture->timeout_ms;
  int ready = poll(&item, blind ? 0 : 1, wait);
  return ready > 0 || (blind && ready == 0);
}

FP_FUNCTION(fp_pcap_read) {
  napi_value values[FP_MAX_ARGUMENTS];
  struct capture *capture = capture_argument(env, info, values);
  if (capture == NULL) return NULL;
  struct batch batch = { .capture = capture };
  void *bytes;
  void *frames;
  void *times;
  size_t frame_words;
  size_t time_count;
  int64_t most;
  if (!fp_array(env, values[1], "bytes", napi_uint8_array, &bytes, &batch.size) ||
      !fp_array(env, values[2], "frames", napi_int32_array, &frames, &frame_words) ||
      !fp_array(env, values[3], "times", napi_float64_array, &times, &time_count) ||
      !fp_integer(env, values[4], "maxPackets", 1, INT_MAX / FRAME_WORDS, &most)) {
    return NULL;
  }
  if (batch.size < 1 || batch.size > INT32_MAX) {
    fp_range(env, "bytes has %zu bytes, not 1 to 2147483647", batch.size);
    return NULL;
  }
  if ((size_t)most > frame_words / FRAME_WORDS || (size_t)most > time_count) {
    fp_range(env, "frames or times is too short for %lld packets", (long long)most);
    return NULL;
  }
  batch.bytes = bytes;
  batch.frames = frames;
  batch.times = times;

  if (capture->stream != NULL && !open_stream(env, capture)) {
    bool thrown = true;
    return fp_ok(env, napi_is_exception_pending(env, &thrown)) && !thrown ? fp_number(env, 0) : NULL;
  }
  if (capture->pending) {
    place(&batch, capture->kept, capture->kept_length, capture->kept_wire, capture->kept_time);
    capture->pending = false;
  }
  if (!capture->failed && !capture->ended) {
    if (capture->stream != NULL) gather_stream(&batch, (int)most);
    else gather(&batch, (int)most);
    if (capture->live && batch.count == 0 && !capture->failed && wait_for_packet(capture)) gather(&batch, (int)most);
  }
  if (batch.count > 0) return fp_number(env, batch.count);
  if (capture->failed) return fp_number(env, READ_ERROR);
  return fp_number(env, capture->ended ? READ_END : 0);
}

/* ---- gunzip ---- */

#define GUNZIP_PIPE_BYTES (1 << 20)
#define GUNZIP_MESSAGE_BYTES 4096
/* How long gunzipClose waits for gzip before it is killed: only a pipe that nobody reads or closes keeps gzip longer. */
#define GUNZIP_PATIENCE_MS 2000

struct gunzip {
  struct fp_handle handle;
  int source;
  int errors;
  pid_t pid;
};

static const napi_type_tag gunzip_tag = { 0x31c07a9f5be84d62ULL, 0xa40b97d1e86c2f3eULL };

static void close_descriptor(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

/* Waits for gzip's end. @returns its status as a shell shows it (128 + signal), -1 when it cannot be known */
static int reap(struct gunzip *gunzip, int patience_ms) {
  int status = 0;
  pid_t ended;
  for (int waited = 0; (ended = waitpid(gunzip->pid, &status, WNOHANG)) == 0; waited += 2) {
    if (waited >= patience_ms) {
      kill(gunzip->pid, SIGKILL);
      while ((ended = waitpid(gunzip->pid, &status, 0)) < 0 && errno == EINTR) continue;
      break;
    }
    const struct timespec nap = { .tv_nsec = 2000000 };
    nanosleep(&nap, NULL);
  }
  gunzip->pid = -1;
  if (ended < 0) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void gunzip_finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  struct gunzip *gunzip = data;
  if (gunzip->pid > 0) reap(gunzip, 0);
  close_descriptor(&gunzip->source);
  close_descriptor(&gunzip->errors);
  free(gunzip);
}

/* Starts gzip: source is its standard input, `write_end` its standard output, errors its standard error. @returns an errno, 0 = fine */
static int start_gzip(struct gunzip *gunzip, int write_end) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int problem = posix_spawn_file_actions_init(&actions);
  if (problem != 0) return problem;
  problem = posix_spawnattr_init(&attributes);
  if (problem != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return problem;
  }
  /* Node ignores SIGPIPE; gzip must not inherit that. */
  sigset_t defaults;
  sigset_t unblocked;
  sigemptyset(&unblocked);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  char *const arguments[] = { "gzip", "-dc", NULL };
  if ((problem = posix_spawnattr_setsigdefault(&attributes, &defaults)) == 0 &&
      (problem = posix_spawnattr_setsigmask(&attributes, &unblocked)) == 0 &&
      (problem = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)) == 0 &&
      (problem = posix_spawn_file_actions_adddup2(&actions, gunzip->source, STDIN_FILENO)) == 0 &&
      (problem = posix_spawn_file_actions_adddup2(&actions, write_end, STDOUT_FILENO)) == 0 &&
      (problem = posix_spawn_file_actions_adddup2(&actions, gunzip->errors, STDERR_FILENO)) == 0) {
    problem = posix_spawnp(&gunzip->pid, arguments[0], &actions, &attributes, arguments, environ);
  }
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return problem;
}

FP_FUNCTION(fp_gunzip_open) {
  napi_value values[FP_MAX_ARGUMENTS];
  char *path = NULL;
  if (!fp_arguments(env, info, values) || !fp_text(env, values[0], "path", &path)) return NULL;
  int ends[2] = { -1, -1 };
  struct gunzip *gunzip = calloc(1, sizeof *gunzip);
  napi_value object = NULL;
  if (gunzip == NULL) {
    fp_throw(env, "ENOMEM", "no memory");
    free(path);
    return NULL;
  }
  gunzip->source = open(path, O_RDONLY | O_CLOEXEC);
  gunzip->errors = -1;
  gunzip->pid = -1;
  int problem = 0;
  const char *what = path;
  if (gunzip->source < 0 || (gunzip->errors = memfd_create("gzip errors", MFD_CLOEXEC)) < 0 || pipe2(ends, O_CLOEXEC) != 0) {
    problem = errno;
  } else {
    /* Fewer switches between gzip and the reader; refused beyond the user's quota, which does no harm. */
    fcntl(ends[0], F_SETPIPE_SZ, GUNZIP_PIPE_BYTES);
    problem = start_gzip(gunzip, ends[1]);
    if (problem != 0) what = "gzip";
  }
  close_descriptor(&ends[1]);
  if (problem != 0) {
    fp_throw(env, errno_name(problem), "%.500s: %s", what, strerror(problem));
    close_descriptor(&ends[0]);
    gunzip_finalize(env, gunzip, NULL);
    free(path);
    return NULL;
  }
  free(path);
  const int source = gunzip->source;
  const pid_t pid = gunzip->pid;
  object = fp_wrap(env, NULL, &gunzip->handle, &gunzip_tag, gunzip_finalize);
  if (object == NULL || !set_value(env, object, "fd", fp_number(env, ends[0])) ||
      !set_value(env, object, "sourceFd", fp_number(env, source)) || !set_value(env, object, "pid", fp_number(env, pid))) {
    close_descriptor(&ends[0]);
    return NULL;
  }
  return object;
}

FP_FUNCTION(fp_gunzip_position) {
  napi_value values[FP_MAX_ARGUMENTS];
  int64_t fd;
  if (!fp_arguments(env, info, values) || !fp_integer(env, values[0], "sourceFd", 0, INT_MAX, &fd)) return NULL;
  return fp_number(env, (double)lseek((int)fd, 0, SEEK_CUR));
}

FP_FUNCTION(fp_gunzip_close) {
  napi_value values[FP_MAX_ARGUMENTS];
  if (!fp_arguments(env, info, values)) return NULL;
  struct gunzip *gunzip = fp_unwrap(env, values[0], &gunzip_tag, "gunzip");
  if (gunzip == NULL) return NULL;
  int status = reap(gunzip, GUNZIP_PATIENCE_MS);
  char message[GUNZIP_MESSAGE_BYTES];
  ssize_t length = pread(gunzip->errors, message, sizeof message - 1, 0);
  if (length < 0) length = 0;
  while (length > 0 && message[length - 1] == '\n') length--;
  message[length] = '\0';
  close_descriptor(&gunzip->source);
  close_descriptor(&gunzip->errors);
  gunzip->handle.closed = true;
  napi_value object;
  if (!fp_ok(env, napi_create_object(env, &object)) || !set_value(env, object, "status", fp_number(env, status)) ||
      !set_value(env, object, "message", fp_string(env, message))) {
    return NULL;
  }
  return object;
}
