/*
 * Registration of the addon's functions, checks of their arguments, handles, memory on huge pages, clocks.
 * Enters and leaves: see src/native.ts.
 */
#define _GNU_SOURCE
#include "flowpatrol.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- errors ---- */

#define MESSAGE_BYTES 1024

bool fp_throw(napi_env env, const char *code, const char *format, ...) {
  char message[MESSAGE_BYTES];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  napi_throw_error(env, code, message);
  return false;
}

bool fp_range(napi_env env, const char *format, ...) {
  char message[MESSAGE_BYTES];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  napi_throw_range_error(env, NULL, message);
  return false;
}

bool fp_type(napi_env env, const char *format, ...) {
  char message[MESSAGE_BYTES];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  napi_throw_type_error(env, NULL, message);
  return false;
}

bool fp_ok(napi_env env, napi_status status) {
  if (status == napi_ok) return true;
  const napi_extended_error_info *error = NULL;
  const char *text = NULL;
  if (napi_get_last_error_info(env, &error) == napi_ok && error != NULL) text = error->error_message;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) fp_throw(env, NULL, "Node-API: %s", text != NULL ? text : "unknown error");
  return false;
}

/* ---- arguments ---- */

bool fp_arguments(napi_env env, napi_callback_info info, napi_value values[FP_MAX_ARGUMENTS]) {
  size_t count = FP_MAX_ARGUMENTS;
  return fp_ok(env, napi_get_cb_info(env, info, &count, values, NULL, NULL));
}

bool fp_integer(napi_env env, napi_value value, const char *name, int64_t low, int64_t high, int64_t *out) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok) return fp_type(env, "%s is not a number", name);
  /* The comparison is false for NaN too. */
  if (!(number >= (double)low && number <= (double)high) || number != (double)(int64_t)number) {
    return fp_range(env, "%s is not a whole number from %lld to %lld", name, (long long)low, (long long)high);
  }
  *out = (int64_t)number;
  return true;
}

bool fp_text(napi_env env, napi_value value, const char *name, char **out) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return fp_type(env, "%s is not a string", name);
  if (length > FP_MAX_TEXT) return fp_range(env, "%s is longer than %d bytes", name, FP_MAX_TEXT);
  char *text = malloc(length + 1);
  if (text == NULL) return fp_throw(env, "ENOMEM", "no memory");
  if (!fp_ok(env, napi_get_value_string_utf8(env, value, text, length + 1, &length))) {
    free(text);
    return false;
  }
  if (strlen(text) != length) {
    free(text);
    return fp_range(env, "%s has a NUL character", name);
  }
  *out = text;
  return true;
}

bool fp_array(napi_env env, napi_value value, const char *name, napi_typedarray_type type, void **data, size_t *length) {
  napi_typedarray_type is;
  bool typed = false;
  if (napi_is_typedarray(env, value, &typed) != napi_ok || !typed ||
      napi_get_typedarray_info(env, value, &is, length, data, NULL, NULL) != napi_ok || is != type) {
    const char *wanted = type == napi_uint8_array ? "Uint8Array" : type == napi_int32_array ? "Int32Array" : "Float64Array";
    return fp_type(env, "%s is not a %s", name, wanted);
  }
  if (*data == NULL) *length = 0;
  return true;
}

bool fp_property(napi_env env, napi_value object, const char *name, napi_value *out) {
  napi_valuetype type;
  if (napi_typeof(env, object, &type) != napi_ok || type != napi_object) return fp_type(env, "not an object (wanted its %s)", name);
  return fp_ok(env, napi_get_named_property(env, object, name, out));
}

/* ---- handles ---- */

napi_value fp_wrap(napi_env env, napi_value object, struct fp_handle *handle, const napi_type_tag *tag, napi_finalize finalize) {
  if (object == NULL && !fp_ok(env, napi_create_object(env, &object))) {
    finalize(env, handle, NULL);
    return NULL;
  }
  /* The tag comes first: a tagged object without a handle is refused by fp_unwrap, a handle without a tag would be lost. */
  if (!fp_ok(env, napi_type_tag_object(env, object, tag)) || !fp_ok(env, napi_wrap(env, object, handle, finalize, NULL, NULL))) {
    finalize(env, handle, NULL);
    return NULL;
  }
  return object;
}

void *fp_unwrap(napi_env env, napi_value value, const napi_type_tag *tag, const char *name) {
  bool tagged = false;
  void *handle = NULL;
  if (napi_check_object_type_tag(env, value, tag, &tagged) != napi_ok || !tagged || napi_unwrap(env, value, &handle) != napi_ok) {
    fp_type(env, "not a %s handle", name);
    return NULL;
  }
  if (((struct fp_handle *)handle)->closed) {
    fp_throw(env, "ECLOSED", "the %s handle is closed", name);
    return NULL;
  }
  return handle;
}

/* ---- values ---- */

napi_value fp_undefined(napi_env env) {
  napi_value value = NULL;
  return fp_ok(env, napi_get_undefined(env, &value)) ? value : NULL;
}

napi_value fp_number(napi_env env, double number) {
  napi_value value = NULL;
  return fp_ok(env, napi_create_double(env, number, &value)) ? value : NULL;
}

napi_value fp_string(napi_env env, const char *text) {
  napi_value value = NULL;
  return fp_ok(env, napi_create_string_utf8(env, text != NULL ? text : "", NAPI_AUTO_LENGTH, &value)) ? value : NULL;
}

napi_value fp_names(napi_env env, unsigned count, const char *(*name)(void *context, unsigned i), void *context) {
  napi_value list;
  if (!fp_ok(env, napi_create_array_with_length(env, count, &list))) return NULL;
  for (unsigned i = 0; i < count; i++) {
    napi_value text = fp_string(env, name(context, i));
    if (text == NULL || !fp_ok(env, napi_set_element(env, list, i, text))) return NULL;
  }
  return list;
}

/* ---- memory ---- */

#define HUGE_PAGE ((size_t)2 << 20)
/* Zeros behind the array: nDPI's dissectors sometimes read a little past the packet that was handed over. */
#define SLACK ((size_t)64 << 10)
#define MOST_BYTES ((int64_t)8 << 30)

struct mapping {
  void *start;
  size_t length;
};

static void unmap(napi_env env, void *data, void *hint) {
  (void)env;
  (void)data;
  struct mapping *mapping = hint;
  munmap(mapping->start, mapping->length);
  free(mapping);
}

static FP_FUNCTION(allocate) {
  napi_value values[FP_MAX_ARGUMENTS];
  int64_t bytes;
  if (!fp_arguments(env, info, values) || !fp_integer(env, values[0], "bytes", 1, MOST_BYTES, &bytes)) return NULL;
  struct mapping *mapping = malloc(sizeof *mapping);
  if (mapping == NULL) {
    fp_throw(env, "ENOMEM", "no memory");
    return NULL;
  }
  mapping->length = (size_t)bytes + SLACK + HUGE_PAGE;
  mapping->start = mmap(NULL, mapping->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping->start == MAP_FAILED) {
    free(mapping);
    fp_throw(env, "ENOMEM", "no memory for %lld bytes", (long long)bytes);
    return NULL;
  }
  void *aligned = (void *)(((uintptr_t)mapping->start + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
  /* Advice only: without huge pages everything works, a little slower. */
  madvise(aligned, (size_t)bytes + SLACK, MADV_HUGEPAGE);
  napi_value buffer;
  if (!fp_ok(env, napi_create_external_arraybuffer(env, aligned, (size_t)bytes, unmap, mapping, &buffer))) return NULL;
  return buffer;
}

/* ---- clocks ---- */

static napi_value clock_value(napi_env env, clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now) != 0) {
    fp_throw(env, NULL, "no such clock");
    return NULL;
  }
  return fp_number(env, (double)now.tv_sec * 1e6 + (double)(now.tv_nsec / 1000));
}

static FP_FUNCTION(wall_clock) {
  (void)info;
  return clock_value(env, CLOCK_REALTIME);
}

static FP_FUNCTION(thread_cpu) {
  (void)info;
  return clock_value(env, CLOCK_THREAD_CPUTIME_ID);
}

static FP_FUNCTION(thread_id) {
  (void)info;
  return fp_number(env, (double)syscall(SYS_gettid));
}

/* CPU time of another thread of this process: its clock, as pthread_getcpuclockid(3) makes it of a thread id on Linux. */
static FP_FUNCTION(cpu_of) {
  size_t count = 1;
  napi_value argument;
  int64_t id = 0;
  if (!fp_ok(env, napi_get_cb_info(env, info, &count, &argument, NULL, NULL)) || !fp_ok(env, napi_get_value_int64(env, argument, &id))) {
    return NULL;
  }
  struct timespec now;
  if (clock_gettime((clockid_t)((~(unsigned)id << 3) | 6), &now) != 0) return fp_number(env, -1);
  return fp_number(env, (double)now.tv_sec * 1e6 + (double)(now.tv_nsec / 1000));
}

/* ---- registration ---- */

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback function;
  } functions[] = {
    { "pcapVersion", fp_pcap_version },
    { "pcapInterfaces", fp_pcap_interfaces },
    { "pcapOpenLive", fp_pcap_open_live },
    { "pcapAdmit", fp_pcap_admit },
    { "pcapOpenFile", fp_pcap_open_file },
    { "pcapOpenStream", fp_pcap_open_stream },
    { "pcapLinkType", fp_pcap_link_type },
    { "pcapRead", fp_pcap_read },
    { "pcapError", fp_pcap_error },
    { "pcapStats", fp_pcap_stats },
    { "pcapPosition", fp_pcap_position },
    { "pcapClose", fp_pcap_close },
    { "gunzipOpen", fp_gunzip_open },
    { "gunzipPosition", fp_gunzip_position },
    { "gunzipClose", fp_gunzip_close },
    { "dpiVersion", fp_dpi_version },
    { "dpiCreate", fp_dpi_create },
    { "dpiDetailNames", fp_dpi_detail_names },
    { "dpiProtocols", fp_dpi_protocols },
    { "dpiCategories", fp_dpi_categories },
    { "dpiBreeds", fp_dpi_breeds },
    { "dpiTraits", fp_dpi_traits },
    { "dpiRisks", fp_dpi_risks },
    { "dpiConfidences", fp_dpi_confidences },
    { "dpiProcess", fp_dpi_process },
    { "dpiCollect", fp_dpi_collect },
    { "dpiRefused", fp_dpi_refused },
    { "dpiMemory", fp_dpi_memory },
    { "dpiClose", fp_dpi_close },
    { "allocate", allocate },
    { "wallClock", wall_clock },
    { "threadCpu", thread_cpu },
    { "threadId", thread_id },
    { "cpuOf", cpu_of },
  };
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    napi_value function;
    if (!fp_ok(env, napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &function)) ||
        !fp_ok(env, napi_set_named_property(env, exports, functions[i].name, function))) {
      return NULL;
    }
  }
  return exports;
}
