/*
 * nDPI 4.2 in batches.
 *
 *   requests (flow, offset of the IP header, length) ─► ndpi_detection_process_packet ─► answer per request
 *   collect ─► detail block (layout: src/flows/record.ts), memory of the flow back to the pool
 *
 * A flow is a number from 0 to `maxFlows`; it has memory from its first request on until it is collected with COLLECT_FREE. So the caller sends
 * no request for a flow that it has freed until the number belongs to a new flow.
 *
 * nDPI's memory of a flow has a union of protocol details. A member is read only when the protocol that was detected owns it.
 */
#define _GNU_SOURCE
#include "flowpatrol.h"

#include <arpa/inet.h>
#include <math.h>
#include <ndpi/ndpi_api.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define DPI_SEARCHING 0
#define DPI_KNOWN 1
#define DPI_COMPLETE 2
#define DPI_WORDS 4
#define COLLECT_GIVE_UP 1
#define COLLECT_FREE 2

#define MOST_FLOWS ((int64_t)1 << 26)
#define SLAB_FLOWS 256
#define HEAD_BYTES 16
#define ENTRY_BYTES 4

/* Memory of one flow, in the pool or in use. */
struct slot {
  uint32_t next_free;
  ndpi_protocol protocol;
  bool complete;
  /* IP protocol of the flow's first packet + 1, 0 = none yet. */
  uint16_t transport;
  struct ndpi_flow_struct flow;
};

struct slab {
  struct slot slots[SLAB_FLOWS];
};

struct dpi {
  struct fp_handle handle;
  struct ndpi_detection_module_struct *module;
  /* Number of each flow's slot, 0 = it has none: half the size of a pointer. Slots count from 1 on, SLAB_FLOWS in each slab. */
  uint32_t *flows;
  size_t flow_count;
  size_t used;
  uint64_t refused;
  struct slab **slabs;
  size_t slab_count;
  /* First slot of the pool, 0 = it is empty. */
  uint32_t free;
};

static inline struct slot *slot_at(const struct dpi *dpi, uint32_t number) {
  return number == 0 ? NULL : &dpi->slabs[(number - 1) / SLAB_FLOWS]->slots[(number - 1) % SLAB_FLOWS];
}

static const napi_type_tag dpi_tag = { 0xd8250f6e93b14a07ULL, 0x86e1c34f7a59b20dULL };

/* nDPI's header forbids to create modules in parallel. */
static pthread_mutex_t module_mutex = PTHREAD_MUTEX_INITIALIZER;

/* ---- life ---- */

static void dpi_release(struct dpi *dpi) {
  if (dpi->flows != NULL) {
    for (uint32_t number = 1; number <= dpi->slab_count * SLAB_FLOWS; number++) {
      /* Slots in the pool are zeroed: freeing their data does nothing. */
      ndpi_free_flow_data(&slot_at(dpi, number)->flow);
    }
    munmap(dpi->flows, dpi->flow_count * sizeof *dpi->flows);
  }
  while (dpi->slab_count > 0) free(dpi->slabs[--dpi->slab_count]);
  free(dpi->slabs);
  dpi->slabs = NULL;
  if (dpi->module != NULL) {
    pthread_mutex_lock(&module_mutex);
    ndpi_exit_detection_module(dpi->module);
    pthread_mutex_unlock(&module_mutex);
  }
  dpi->flows = NULL;
  dpi->free = 0;
  dpi->used = 0;
  dpi->module = NULL;
  dpi->handle.closed = true;
}

static void dpi_finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  dpi_release(data);
  free(data);
}

static struct ndpi_detection_module_struct *create_module(void) {
  pthread_mutex_lock(&module_mutex);
  struct ndpi_detection_module_struct *module = ndpi_init_detection_module(ndpi_no_prefs);
  if (module != NULL) {
    NDPI_PROTOCOL_BITMASK all;
    NDPI_BITMASK_SET_ALL(all);
    ndpi_set_protocol_detection_bitmask2(module, &all);
    ndpi_finalize_initialization(module);
  }
  pthread_mutex_unlock(&module_mutex);
  return module;
}

FP_FUNCTION(fp_dpi_create) {
  napi_value values[FP_MAX_ARGUMENTS];
  int64_t count;
  if (!fp_arguments(env, info, values) || !fp_integer(env, values[0], "maxFlows", 1, MOST_FLOWS, &count)) return NULL;
  if (ndpi_get_api_version() != NDPI_API_VERSION || ndpi_detection_get_sizeof_ndpi_flow_struct() != sizeof(struct ndpi_flow_struct)) {
    fp_throw(env, "ENDPI", "nDPI %s is not the one that the addon was built for: build it again", ndpi_revision());
    return NULL;
  }
  struct dpi *dpi = calloc(1, sizeof *dpi);
  if (dpi == NULL) {
    fp_throw(env, "ENOMEM", "no memory");
    return NULL;
  }
  dpi->flow_count = (size_t)count + 1; /* records count from 1 on */
  void *flows = mmap(NULL, dpi->flow_count * sizeof *dpi->flows, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (flows != MAP_FAILED) dpi->flows = flows;
  if (dpi->flows == NULL || (dpi->module = create_module()) == NULL) {
    fp_throw(env, "ENOMEM", "no memory for a detection module");
    dpi_finalize(env, dpi, NULL);
    return NULL;
  }
  return fp_wrap(env, NULL, &dpi->handle, &dpi_tag, dpi_finalize);
}

static struct dpi *dpi_argument(napi_env env, napi_callback_info info, napi_value values[FP_MAX_ARGUMENTS]) {
  return fp_arguments(env, info, values) ? fp_unwrap(env, values[0], &dpi_tag, "detection") : NULL;
}

FP_FUNCTION(fp_dpi_close) {
  napi_value values[FP_MAX_ARGUMENTS];
  struct dpi *dpi = dpi_argument(env, info, values);
  if (dpi == NULL) return NULL;
  dpi_release(dpi);
  return fp_undefined(env);
}

FP_FUNCTION(fp_dpi_memory) {
  napi_value values[FP_MAX_ARGUMENTS];
  struct dpi *dpi = dpi_argument(env, info, values);
  if (dpi == NULL) return NULL;
  napi_value list;
  napi_value bytes = fp_number(env, (double)(dpi->used * sizeof(struct slot)));
  napi_value count = fp_number(env, (double)dpi->used);
  if (bytes == NULL || count == NULL || !fp_ok(env, napi_create_array_with_length(env, 2, &list)) ||
      !fp_ok(env, napi_set_element(env, list, 0, bytes)) || !fp_ok(env, napi_set_element(env, list, 1, count))) {
    return NULL;
  }
  return list;
}

/* ---- names ---- */

FP_FUNCTION(fp_dpi_version) {
  (void)info;
  return fp_string(env, ndpi_revision());
}

static const char *protocol_name(void *module, unsigned i) { return ndpi_get_proto_name(module, (u_int16_t)i); }
static const char *category_name(void *module, unsigned i) { return ndpi_category_get_name(module, (ndpi_protocol_category_t)i); }
static const char *breed_name(void *module, unsigned i) { return ndpi_get_proto_breed_name(module, (ndpi_protocol_breed_t)i); }

static const char *risk_name(void *context, unsigned i) {
  (void)context;
  return i == NDPI_NO_RISK ? "" : ndpi_risk2str((ndpi_risk_enum)i);
}

static const char *confidence_name(void *context, unsigned i) {
  (void)context;
  return ndpi_confidence_get_name((ndpi_confidence_t)i);
}

FP_FUNCTION(fp_dpi_protocols) {
  napi_value values[FP_MAX_ARGUMENTS];
  struct dpi *dpi = dpi_argument(env, info, values);
  return dpi == NULL ? NULL : fp_names(env, ndpi_get_num_supported_protocols(dpi->module), protocol_name, dpi->module);
}

FP_FUNCTION(fp_dpi_categories) {
  napi_value values[FP_MAX_ARGUMENTS];
  struct dpi *dpi = dpi_argument(env, info, values);
  return dpi == NULL ? NULL : fp_names(env, NDPI_PROTOCOL_NUM_CATEGORIES, category_name, dpi->module);
}

FP_FUNCTION(fp_dpi_breeds) {
  napi_value values[FP_MAX_ARGUMENTS];
  struct dpi *dpi = dpi_argument(env, info, values);
  return dpi == NULL ? NULL : fp_names(env, NUM_BREEDS, breed_name, dpi->module);
}

/* Category << 8 | breed of each protocol, by id, as far as `out` goes. */
FP_FUNCTION(fp_dpi_traits) {
  napi_value values[FP_MAX_ARGUMENTS];
  struct dpi *dpi = dpi_argument(env, info, values);
  if (dpi == NULL) return NULL;
  void *out;
  size_t size;
  if (!fp_array(env, values[1], "out", napi_int32_array, &out, &size)) return NULL;
  int32_t *traits = out;
  const size_t count = ndpi_get_num_supported_protocols(dpi->module);
  for (size_t i = 0; i < size && i < count; i++) {
    const ndpi_protocol protocol = { .app_protocol = (u_int16_t)i };
    traits[i] = (int32_t)ndpi_get_proto_category(dpi->module, protocol) << 8 | (int32_t)ndpi_get_proto_breed(dpi->module, (u_int16_t)i);
  }
  return fp_undefined(env);
}

FP_FUNCTION(fp_dpi_risks) {
  (void)info;
  return fp_names(env, NDPI_MAX_RISK, risk_name, NULL);
}

FP_FUNCTION(fp_dpi_confidences) {
  (void)info;
  return fp_names(env, NDPI_CONFIDENCE_MAX, confidence_name, NULL);
}

/* ---- packets ---- */

/* Room for one more slab in the list of them. */
static bool slabs_grow(struct dpi *dpi) {
  if ((dpi->slab_count & (dpi->slab_count - 1)) != 0) return true; /* the list doubles where its length is a power of two, or 0 */
  struct slab **slabs = realloc(dpi->slabs, (dpi->slab_count == 0 ? 1 : 2 * dpi->slab_count) * sizeof *slabs);
  if (slabs == NULL) return false;
  dpi->slabs = slabs;
  return true;
}

/* Number of a zeroed slot from the pool, 0 without memory. */
static uint32_t slot_take(struct dpi *dpi) {
  if (dpi->free == 0) {
    struct slab *slab = slabs_grow(dpi) ? calloc(1, sizeof *slab) : NULL;
    if (slab == NULL) return 0;
    const uint32_t before = (uint32_t)(dpi->slab_count * SLAB_FLOWS);
    dpi->slabs[dpi->slab_count++] = slab;
    for (uint32_t i = 0; i < SLAB_FLOWS; i++) slab->slots[i].next_free = i + 1 < SLAB_FLOWS ? before + i + 2 : 0;
    dpi->free = before + 1;
  }
  const uint32_t number = dpi->free;
  struct slot *slot = slot_at(dpi, number);
  dpi->free = slot->next_free;
  slot->next_free = 0;
  dpi->used++;
  return number;
}

static void slot_give(struct dpi *dpi, uint32_t number) {
  struct slot *slot = slot_at(dpi, number);
  ndpi_free_flow_data(&slot->flow);
  memset(slot, 0, sizeof *slot);
  slot->next_free = dpi->free;
  dpi->free = number;
  dpi->used--;
}

/*
 * True when the packet has the flow's IP protocol and a whole transport header. Without this nDPI 4.2 can be crashed: once TLS is known its
 * dissector reads the TCP header of every later packet, and that pointer is NULL for another protocol or a wrong data offset.
 */
static bool acceptable(struct slot *slot, const uint8_t *packet, unsigned short length) {
  const uint8_t *header;
  u_int16_t header_length;
  u_int8_t protocol;
  if (ndpi_detection_get_l4(packet, length, &header, &header_length, &protocol, 0) != 0) return false;
  if (slot->transport != 0 && slot->transport != protocol + 1) return false;
  if (protocol == IPPROTO_TCP && (header_length < 20 || (header[12] >> 4) * 4 > header_length)) return false;
  if (protocol == IPPROTO_UDP && header_length < 8) return false;
  slot->transport = (uint16_t)(protocol + 1);
  return true;
}

FP_FUNCTION(fp_dpi_refused) {
  napi_value values[FP_MAX_ARGUMENTS];
  struct dpi *dpi = dpi_argument(env, info, values);
  return dpi == NULL ? NULL : fp_number(env, (double)dpi->refused);
}

/* So many requests ahead a flow's memory is fetched into the cache; its slot's number twice as far ahead. */
#define FETCH_AHEAD 4

/* Inlined by force: to gcc a function that only fetches has no effect, and its call would go. */
static inline __attribute__((always_inline)) void fetch_ahead(const struct dpi *dpi, const int32_t *requests, int64_t i, int64_t count) {
  if (i + 2 * FETCH_AHEAD < count) {
    const int32_t flow = requests[(i + 2 * FETCH_AHEAD) * DPI_WORDS];
    if (flow >= 0 && (size_t)flow < dpi->flow_count) __builtin_prefetch(&dpi->flows[flow]);
  }
  if (i + FETCH_AHEAD < count) {
    const int32_t flow = requests[(i + FETCH_AHEAD) * DPI_WORDS];
    const char *slot = flow >= 0 && (size_t)flow < dpi->flow_count ? (const char *)slot_at(dpi, dpi->flows[flow]) : NULL;
    if (slot != NULL) {
      for (size_t line = 0; line < sizeof(struct slot); line += 64) __builtin_prefetch(slot + line, 1);
    }
  }
}

FP_FUNCTION(fp_dpi_process) {
  napi_value values[FP_MAX_ARGUMENTS];
  struct dpi *dpi = dpi_argument(env, info, values);
  if (dpi == NULL) return NULL;
  void *bytes;
  void *request_words;
  void *time_values;
  size_t size;
  size_t words;
  size_t time_count;
  int64_t count;
  if (!fp_array(env, values[1], "bytes", napi_uint8_array, &bytes, &size) ||
      !fp_array(env, values[2], "requests", napi_int32_array, &request_words, &words) ||
      !fp_array(env, values[3], "times", napi_float64_array, &time_values, &time_count) ||
      !fp_integer(env, values[4], "count", 0, INT32_MAX, &count)) {
    return NULL;
  }
  if ((size_t)count > words / DPI_WORDS || (size_t)count > time_count) {
    fp_range(env, "requests or times is too short for %lld requests", (long long)count);
    return NULL;
  }
  int32_t *requests = request_words;
  const double *times = time_values;
  for (int64_t i = 0; i < count; i++) {
    int32_t *request = requests + i * DPI_WORDS;
    fetch_ahead(dpi, requests, i, count);
    /* Copies, as another thread may write to shared memory. */
    const int32_t flow = request[0];
    const int32_t offset = request[1];
    const int32_t length = request[2];
    if (flow < 0 || (size_t)flow >= dpi->flow_count || offset < 0 || length < 0 || (size_t)offset + (size_t)length > size) {
      fp_range(env, "request %lld is out of range: flow %d, offset %d, length %d", (long long)i, flow, offset, length);
      return NULL;
    }
    if (dpi->flows[flow] == 0 && (dpi->flows[flow] = slot_take(dpi)) == 0) {
      fp_throw(env, "ENOMEM", "no memory for the detection of a flow");
      return NULL;
    }
    struct slot *slot = slot_at(dpi, dpi->flows[flow]);
    if (slot->complete) {
      request[3] = DPI_COMPLETE;
      continue;
    }
    const double time = times[i] / 1000;
    const uint64_t milliseconds = time >= 0 && time < 9e15 ? (uint64_t)time : 0;
    const unsigned short handed = length > UINT16_MAX ? UINT16_MAX : (unsigned short)length;
    const uint8_t *packet = (const uint8_t *)bytes + offset;
    if (acceptable(slot, packet, handed)) {
      slot->protocol = ndpi_detection_process_packet(dpi->module, &slot->flow, packet, handed, milliseconds);
    } else {
      dpi->refused++;
    }
    if (slot->protocol.app_protocol == NDPI_PROTOCOL_UNKNOWN) {
      request[3] = DPI_SEARCHING;
    } else if (ndpi_extra_dissection_possible(dpi->module, &slot->flow)) {
      request[3] = DPI_KNOWN;
    } else {
      slot->complete = true;
      request[3] = DPI_COMPLETE;
    }
  }
  return fp_undefined(env);
}

/* ---- details ---- */

/* A detail's id is its position; new ones go to the end, as recordings carry the ids. */
#define DETAILS(X) \
  X(HOST_SERVER_NAME, "host_server_name") \
  X(FLOW_INFO, "flow_info") \
  X(ENTROPY, "entropy") \
  X(HTTP_URL, "http.url") \
  X(HTTP_METHOD, "http.method") \
  X(HTTP_RETURN_CODE, "http.return_code") \
  X(HTTP_USER_AGENT, "http.user_agent") \
  X(HTTP_CONTENT_TYPE, "http.content_type") \
  X(HTTP_REQUEST_CONTENT_TYPE, "http.request_content_type") \
  X(HTTP_OS, "http.os") \
  X(DNS_QUERY_TYPE, "dns.query_type") \
  X(DNS_REPLY_CODE, "dns.reply_code") \
  X(DNS_NUM_ANSWERS, "dns.num_answers") \
  X(TLS_VERSION, "tls.version") \
  X(TLS_JA3_CLIENT, "tls.ja3_client") \
  X(TLS_JA3_SERVER, "tls.ja3_server") \
  X(TLS_SERVER_CIPHER, "tls.server_cipher") \
  X(TLS_UNSAFE_CIPHER, "tls.unsafe_cipher") \
  X(TLS_SERVER_NAMES, "tls.server_names") \
  X(TLS_ALPN, "tls.alpn") \
  X(TLS_SUPPORTED_VERSIONS, "tls.supported_versions") \
  X(TLS_ISSUER, "tls.issuer") \
  X(TLS_SUBJECT, "tls.subject") \
  X(TLS_NOT_BEFORE, "tls.not_before") \
  X(TLS_NOT_AFTER, "tls.not_after") \
  X(TLS_SHA1, "tls.sha1") \
  X(TLS_ESNI, "tls.esni") \
  X(SSH_CLIENT_SIGNATURE, "ssh.client_signature") \
  X(SSH_SERVER_SIGNATURE, "ssh.server_signature") \
  X(SSH_HASSH_CLIENT, "ssh.hassh_client") \
  X(SSH_HASSH_SERVER, "ssh.hassh_server") \
  X(BITTORRENT_HASH, "bittorrent.hash") \
  X(DHCP_FINGERPRINT, "dhcp.fingerprint") \
  X(DHCP_CLASS, "dhcp.class") \
  X(KERBEROS_HOSTNAME, "kerberos.hostname") \
  X(KERBEROS_DOMAIN, "kerberos.domain") \
  X(KERBEROS_USERNAME, "kerberos.username") \
  X(TELNET_USERNAME, "telnet.username") \
  X(DNS_ANSWER_TYPE, "dns.answer_type") \
  X(DNS_ANSWER_ADDRESS, "dns.answer_address") \
  X(DNS_INVALID_CHARS, "dns.invalid_chars") \
  X(HTTP_NAT_IP, "http.nat_ip") \
  X(HTTP_REQUEST_VERSION, "http.request_version") \
  X(TLS_ESNI_CIPHER, "tls.esni_cipher") \
  X(TLS_BROWSER, "tls.browser") \
  X(LOGIN_USER, "login.user") \
  X(LOGIN_STATE, "login.state") \
  X(NTP_VERSION, "ntp.version") \
  X(NTP_REQUEST_CODE, "ntp.request_code") \
  X(UBNTAC2_VERSION, "ubntac2.version") \
  X(RISK_SCORE, "risk_score") \
  X(RISK_SCORE_CLIENT, "risk_score.client") \
  X(RISK_SCORE_SERVER, "risk_score.server") \
  /* Written by the caller, who reads the client hello itself (src/dpi/). */ \
  X(TLS_JA4, "tls.ja4") \
  X(QUIC_VERSION, "quic.version")

enum detail {
#define DETAIL_ID(id, name) DETAIL_##id,
  DETAILS(DETAIL_ID)
  DETAIL_COUNT
};

static const char *const detail_names[DETAIL_COUNT] = {
#define DETAIL_NAME(id, name) name,
  DETAILS(DETAIL_NAME)
};

static const char *detail_name(void *context, unsigned i) {
  (void)context;
  return detail_names[i];
}

FP_FUNCTION(fp_dpi_detail_names) {
  (void)info;
  return fp_names(env, DETAIL_COUNT, detail_name, NULL);
}

/* The block that is being written; an entry that does not fit is left out whole. */
struct block {
  uint8_t *bytes;
  size_t size;
  size_t length;
};

static void put_u16(uint8_t *to, unsigned value) {
  to[0] = (uint8_t)value;
  to[1] = (uint8_t)(value >> 8);
}

static void put_bytes(struct block *block, enum detail id, const void *data, size_t length) {
  if (length > UINT16_MAX) length = UINT16_MAX;
  if (length + ENTRY_BYTES > block->size - block->length) return;
  uint8_t *to = block->bytes + block->length;
  put_u16(to, id);
  put_u16(to + 2, (unsigned)length);
  memcpy(to + ENTRY_BYTES, data, length);
  block->length += ENTRY_BYTES + length;
}

/* Text of at most `most` bytes; nothing for NULL and ''. */
static void put_text(struct block *block, enum detail id, const char *text, size_t most) {
  size_t length = 0;
  while (text != NULL && length < most && text[length] != '\0') length++;
  if (length > 0) put_bytes(block, id, text, length);
}

#define PUT_FIELD(block, id, field) put_text(block, id, field, sizeof(field))

/* Whole numbers take 1, 2 or 4 bytes, little-endian; all others are doubles. */
static void put_number(struct block *block, enum detail id, double number) {
  if (number < 0 || number > UINT32_MAX || number != (double)(uint32_t)number) {
    put_bytes(block, id, &number, sizeof number);
    return;
  }
  const uint32_t whole = (uint32_t)number;
  const uint8_t bytes[4] = { (uint8_t)whole, (uint8_t)(whole >> 8), (uint8_t)(whole >> 16), (uint8_t)(whole >> 24) };
  put_bytes(block, id, bytes, whole <= UINT8_MAX ? 1 : whole <= UINT16_MAX ? 2 : 4);
}

static void put_positive(struct block *block, enum detail id, double number) {
  if (number > 0) put_number(block, id, number);
}

static void put_hex(struct block *block, enum detail id, const uint8_t *bytes, size_t length) {
  static const char digits[] = "0123456789abcdef";
  char text[64];
  for (size_t i = 0; i < length && 2 * i + 1 < sizeof text; i++) {
    text[2 * i] = digits[bytes[i] >> 4];
    text[2 * i + 1] = digits[bytes[i] & 15];
  }
  put_bytes(block, id, text, 2 * length);
}

static bool is_protocol(const struct slot *slot, u_int16_t id) {
  return slot->protocol.app_protocol == id || slot->protocol.master_protocol == id;
}

/* The protocols whose flows own the TLS member of the union; nDPI frees its strings by the same list. */
static bool has_tls(const struct slot *slot) {
  static const u_int16_t owners[] = { NDPI_PROTOCOL_TLS, NDPI_PROTOCOL_QUIC, NDPI_PROTOCOL_DTLS, NDPI_PROTOCOL_MAIL_SMTPS,
    NDPI_PROTOCOL_MAIL_POPS, NDPI_PROTOCOL_MAIL_IMAPS };
  for (size_t i = 0; i < sizeof owners / sizeof owners[0]; i++) {
    const u_int16_t *stack = slot->flow.detected_protocol_stack;
    if (is_protocol(slot, owners[i]) && (stack[0] == owners[i] || stack[1] == owners[i])) return true;
  }
  return false;
}

static void put_tls(struct block *block, const struct ndpi_flow_struct *flow) {
  PUT_FIELD(block, DETAIL_TLS_JA3_CLIENT, flow->protos.tls_quic.ja3_client);
  PUT_FIELD(block, DETAIL_TLS_JA3_SERVER, flow->protos.tls_quic.ja3_server);
  put_positive(block, DETAIL_TLS_VERSION, flow->protos.tls_quic.ssl_version);
  if (flow->protos.tls_quic.server_cipher != 0) {
    put_number(block, DETAIL_TLS_SERVER_CIPHER, flow->protos.tls_quic.server_cipher);
    put_number(block, DETAIL_TLS_UNSAFE_CIPHER, flow->protos.tls_quic.server_unsafe_cipher);
  }
  put_positive(block, DETAIL_TLS_NOT_BEFORE, flow->protos.tls_quic.notBefore);
  put_positive(block, DETAIL_TLS_NOT_AFTER, flow->protos.tls_quic.notAfter);
  if (flow->l4_proto == IPPROTO_TCP && flow->l4.tcp.tls.fingerprint_set) {
    put_hex(block, DETAIL_TLS_SHA1, flow->protos.tls_quic.sha1_certificate_fingerprint, sizeof flow->protos.tls_quic.sha1_certificate_fingerprint);
  }
  put_text(block, DETAIL_TLS_ALPN, flow->protos.tls_quic.alpn, UINT16_MAX);
  put_text(block, DETAIL_TLS_SUPPORTED_VERSIONS, flow->protos.tls_quic.tls_supported_versions, UINT16_MAX);
  put_text(block, DETAIL_TLS_ISSUER, flow->protos.tls_quic.issuerDN, UINT16_MAX);
  put_text(block, DETAIL_TLS_SUBJECT, flow->protos.tls_quic.subjectDN, UINT16_MAX);
  put_text(block, DETAIL_TLS_ESNI, flow->protos.tls_quic.encrypted_sni.esni, UINT16_MAX);
  put_positive(block, DETAIL_TLS_ESNI_CIPHER, flow->protos.tls_quic.encrypted_sni.cipher_suite);
  const struct tls_heuristics *browser = &flow->protos.tls_quic.browser_heuristics;
  put_text(block, DETAIL_TLS_BROWSER, browser->is_firefox_tls ? "Firefox" : browser->is_chrome_tls ? "Chrome" : browser->is_safari_tls ? "Safari" : NULL, 16);
  put_text(block, DETAIL_TLS_SERVER_NAMES, flow->protos.tls_quic.server_names, UINT16_MAX);
}

/* Resource records, query and first address. A member of the last message that had it: `num_queries` may be 0 beside a query type. */
static void put_dns(struct block *block, const struct ndpi_flow_struct *flow) {
  put_positive(block, DETAIL_DNS_QUERY_TYPE, flow->protos.dns.query_type);
  put_number(block, DETAIL_DNS_REPLY_CODE, flow->protos.dns.reply_code);
  put_number(block, DETAIL_DNS_NUM_ANSWERS, flow->protos.dns.num_answers);
  put_positive(block, DETAIL_DNS_ANSWER_TYPE, flow->protos.dns.rsp_type);
  const int family = flow->protos.dns.rsp_type == 1 ? AF_INET : flow->protos.dns.rsp_type == 28 ? AF_INET6 : AF_UNSPEC;
  char address[INET6_ADDRSTRLEN];
  if (family != AF_UNSPEC && inet_ntop(family, &flow->protos.dns.rsp_addr, address, sizeof address) != NULL) {
    PUT_FIELD(block, DETAIL_DNS_ANSWER_ADDRESS, address);
  }
  if ((flow->risk >> NDPI_INVALID_CHARACTERS & 1) != 0) put_number(block, DETAIL_DNS_INVALID_CHARS, 1);
}

/*
 * FTP and mail: who logs in, and how it went. The member is no part of a union but of all TCP flows, so it holds for guessed protocols too. The
 * password stays in nDPI's memory.
 */
static void put_login(struct block *block, const struct slot *slot) {
  static const u_int16_t owners[] = { NDPI_PROTOCOL_FTP_CONTROL, NDPI_PROTOCOL_MAIL_POP, NDPI_PROTOCOL_MAIL_SMTP, NDPI_PROTOCOL_MAIL_IMAP,
    NDPI_PROTOCOL_MAIL_POPS, NDPI_PROTOCOL_MAIL_SMTPS, NDPI_PROTOCOL_MAIL_IMAPS };
  const struct ndpi_flow_struct *flow = &slot->flow;
  if (flow->l4_proto != IPPROTO_TCP) return;
  for (size_t i = 0; i < sizeof owners / sizeof owners[0]; i++) {
    if (!is_protocol(slot, owners[i])) continue;
    PUT_FIELD(block, DETAIL_LOGIN_USER, flow->l4.tcp.ftp_imap_pop_smtp.username);
    put_positive(block, DETAIL_LOGIN_STATE,
      flow->l4.tcp.ftp_imap_pop_smtp.auth_found | flow->l4.tcp.ftp_imap_pop_smtp.auth_failed << 1 |
        flow->l4.tcp.ftp_imap_pop_smtp.auth_tls << 2 | flow->l4.tcp.ftp_imap_pop_smtp.auth_done << 3);
    return;
  }
}

/* Details from the union, by the protocol that owns the member. */
static void put_protocol(struct block *block, const struct slot *slot) {
  const struct ndpi_flow_struct *flow = &slot->flow;
  /* A protocol that was guessed by port or address has filled no member. */
  if (flow->confidence != NDPI_CONFIDENCE_DPI && flow->confidence != NDPI_CONFIDENCE_DPI_CACHE) return;
  if (has_tls(slot)) {
    put_tls(block, flow);
  } else if (flow->confidence != NDPI_CONFIDENCE_DPI) {
    return;
  } else if (is_protocol(slot, NDPI_PROTOCOL_DNS) || is_protocol(slot, NDPI_PROTOCOL_MDNS) || is_protocol(slot, NDPI_PROTOCOL_LLMNR)) {
    /* Before all others: the application may be BitTorrent's by the name asked for, with DNS as the owner. */
    put_dns(block, flow);
  } else if (is_protocol(slot, NDPI_PROTOCOL_DHCP)) {
    PUT_FIELD(block, DETAIL_DHCP_FINGERPRINT, flow->protos.dhcp.fingerprint);
    PUT_FIELD(block, DETAIL_DHCP_CLASS, flow->protos.dhcp.class_ident);
  } else if (is_protocol(slot, NDPI_PROTOCOL_BITTORRENT)) {
    if (flow->protos.bittorrent.hash[0] != 0) {
      put_hex(block, DETAIL_BITTORRENT_HASH, flow->protos.bittorrent.hash, sizeof flow->protos.bittorrent.hash);
    }
  } else if (is_protocol(slot, NDPI_PROTOCOL_KERBEROS)) {
    PUT_FIELD(block, DETAIL_KERBEROS_HOSTNAME, flow->protos.kerberos.hostname);
    PUT_FIELD(block, DETAIL_KERBEROS_DOMAIN, flow->protos.kerberos.domain);
    PUT_FIELD(block, DETAIL_KERBEROS_USERNAME, flow->protos.kerberos.username);
  } else if (is_protocol(slot, NDPI_PROTOCOL_TELNET)) {
    PUT_FIELD(block, DETAIL_TELNET_USERNAME, flow->protos.telnet.username);
  } else if (is_protocol(slot, NDPI_PROTOCOL_NTP)) {
    put_number(block, DETAIL_NTP_VERSION, flow->protos.ntp.version);
    put_number(block, DETAIL_NTP_REQUEST_CODE, flow->protos.ntp.request_code);
  } else if (is_protocol(slot, NDPI_PROTOCOL_UBNTAC2)) {
    PUT_FIELD(block, DETAIL_UBNTAC2_VERSION, flow->protos.ubntac2.version);
  } else if (is_protocol(slot, NDPI_PROTOCOL_SSH)) {
    PUT_FIELD(block, DETAIL_SSH_CLIENT_SIGNATURE, flow->protos.ssh.client_signature);
    PUT_FIELD(block, DETAIL_SSH_SERVER_SIGNATURE, flow->protos.ssh.server_signature);
    PUT_FIELD(block, DETAIL_SSH_HASSH_CLIENT, flow->protos.ssh.hassh_client);
    PUT_FIELD(block, DETAIL_SSH_HASSH_SERVER, flow->protos.ssh.hassh_server);
  }
}

/* HTTP's details lie outside the union: they are valid, or NULL, in every flow. */
static void put_http(struct block *block, const struct ndpi_flow_struct *flow) {
  put_text(block, DETAIL_HTTP_URL, flow->http.url, UINT16_MAX);
  if (flow->http.method != NDPI_HTTP_METHOD_UNKNOWN) {
    put_text(block, DETAIL_HTTP_METHOD, ndpi_http_method2str(flow->http.method), UINT16_MAX);
    put_number(block, DETAIL_HTTP_REQUEST_VERSION, flow->http.request_version);
  }
  put_positive(block, DETAIL_HTTP_RETURN_CODE, flow->http.response_status_code);
  put_text(block, DETAIL_HTTP_USER_AGENT, flow->http.user_agent, UINT16_MAX);
  put_text(block, DETAIL_HTTP_CONTENT_TYPE, flow->http.content_type, UINT16_MAX);
  put_text(block, DETAIL_HTTP_REQUEST_CONTENT_TYPE, flow->http.request_content_type, UINT16_MAX);
  put_text(block, DETAIL_HTTP_OS, flow->http.detected_os, UINT16_MAX);
  put_text(block, DETAIL_HTTP_NAT_IP, flow->http.nat_ip, UINT16_MAX);
}

/* nDPI's dissector leaves the URL's own risks (injections, "..") to its caller. */
static ndpi_risk risks(const struct ndpi_flow_struct *flow) {
  const ndpi_risk_enum of_url = flow->http.url == NULL ? NDPI_NO_RISK : ndpi_validate_url(flow->http.url);
  return of_url == NDPI_NO_RISK ? flow->risk : flow->risk | (ndpi_risk)1 << of_url;
}

static void put_flow(struct dpi *dpi, struct block *block, const struct slot *slot) {
  const struct ndpi_flow_struct *flow = &slot->flow;
  const ndpi_protocol *protocol = &slot->protocol;
  const u_int16_t strongest = protocol->app_protocol != NDPI_PROTOCOL_UNKNOWN ? protocol->app_protocol : protocol->master_protocol;
  uint8_t *head = block->bytes;
  put_u16(head, protocol->app_protocol);
  put_u16(head + 2, protocol->master_protocol);
  put_u16(head + 4, protocol->category);
  head[6] = (uint8_t)ndpi_get_proto_breed(dpi->module, strongest);
  head[7] = (uint8_t)flow->confidence;
  const ndpi_risk risk = risks(flow);
  for (int i = 0; i < 8; i++) head[8 + i] = (uint8_t)(risk >> (8 * i));
  if (risk != 0) {
    u_int16_t client = 0;
    u_int16_t server = 0;
    put_number(block, DETAIL_RISK_SCORE, ndpi_risk2score(risk, &client, &server));
    put_number(block, DETAIL_RISK_SCORE_CLIENT, client);
    put_number(block, DETAIL_RISK_SCORE_SERVER, server);
  }

  PUT_FIELD(block, DETAIL_HOST_SERVER_NAME, flow->host_server_name);
  PUT_FIELD(block, DETAIL_FLOW_INFO, flow->flow_extra_info);
  if (flow->entropy > 0 && isfinite(flow->entropy)) put_number(block, DETAIL_ENTROPY, flow->entropy);
  put_http(block, flow);
  put_login(block, slot);
  put_protocol(block, slot);
}

FP_FUNCTION(fp_dpi_collect) {
  napi_value values[FP_MAX_ARGUMENTS];
  struct dpi *dpi = dpi_argument(env, info, values);
  if (dpi == NULL) return NULL;
  int64_t flow;
  int64_t flags;
  void *out;
  struct block block = { .length = HEAD_BYTES };
  if (!fp_integer(env, values[1], "flow", 0, (int64_t)dpi->flow_count - 1, &flow) ||
      !fp_integer(env, values[2], "flags", 0, COLLECT_GIVE_UP | COLLECT_FREE, &flags) ||
      !fp_array(env, values[3], "out", napi_uint8_array, &out, &block.size)) {
    return NULL;
  }
  if (block.size < HEAD_BYTES) {
    fp_range(env, "out has %zu bytes, fewer than a block's head", block.size);
    return NULL;
  }
  block.bytes = out;
  struct slot *slot = slot_at(dpi, dpi->flows[flow]);
  if (slot == NULL) {
    memset(out, 0, HEAD_BYTES);
    return fp_number(env, HEAD_BYTES);
  }
  if ((flags & COLLECT_GIVE_UP) != 0 && slot->protocol.app_protocol == NDPI_PROTOCOL_UNKNOWN) {
    u_int8_t guessed = 0;
    slot->protocol = ndpi_detection_giveup(dpi->module, &slot->flow, 1, &guessed);
  }
  put_flow(dpi, &block, slot);
  if ((flags & COLLECT_FREE) != 0) {
    slot_give(dpi, dpi->flows[flow]);
    dpi->flows[flow] = 0;
  }
  return fp_number(env, (double)block.length);
}
