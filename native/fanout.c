/*
 * Several sockets capture one interface: the kernel shares its packets out (packet(7), PACKET_FANOUT).
 *
 *   packet ─► program below: number from the two outer IP addresses ─► number % sockets ─► one socket of the group
 *
 * The number is the same in both directions and for all that two hosts send each other: whole packets, fragments, ICMP, everything
 * in a tunnel between them. The kernel's own hash (PACKET_FANOUT_HASH) takes the ports too, which later fragments do not have.
 * VLAN tags, MPLS labels and PPPoE are stepped over, as by the decoder (src/packet/link.ts). What is no IP, and what is not in
 * the linear part of the kernel's buffer, gets the number 0.
 *
 * Called by capture.c.
 */
#define _GNU_SOURCE
#include "flowpatrol.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

/* One more VLAN tag than QinQ: the kernel takes the first one off incoming packets, not off outgoing ones. */
#define TAGS 3
#define LABELS 4
#define MOST_INSTRUCTIONS 160
#define ETHERNET_BYTES 14

/* Places of the program that are jumped to. */
enum label { NEXT, IPV4, IPV6, PPP, MPLS, BOTTOM, TAG, LABELS_OF_PROGRAM = TAG + TAGS };

struct assembler {
  struct sock_filter code[MOST_INSTRUCTIONS];
  unsigned count;
  unsigned places[LABELS_OF_PROGRAM];
};

static void emit(struct assembler *to, uint16_t code, uint32_t k) {
  to->code[to->count++] = (struct sock_filter){ .code = code, .k = k };
}

/* Goes to `label` when the accumulator is `value`. Until `link_program` the jump holds the label. */
static void when(struct assembler *to, uint32_t value, enum label label) {
  to->code[to->count++] = (struct sock_filter){ .code = BPF_JMP | BPF_JEQ | BPF_K, .jt = (uint8_t)label, .jf = NEXT, .k = value };
}

static void place(struct assembler *to, enum label label) {
  to->places[label] = to->count;
}

/* X is the number of bytes between the end of the Ethernet header and the IP header. */
static void step(struct assembler *to, uint32_t bytes) {
  emit(to, BPF_MISC | BPF_TXA, 0);
  emit(to, BPF_ALU | BPF_ADD | BPF_K, bytes);
  emit(to, BPF_MISC | BPF_TAX, 0);
}

static void nothing(struct assembler *to) {
  emit(to, BPF_RET | BPF_K, 0);
}

/* Ethernet: finds the IP header. */
static void find_ip(struct assembler *to, uint32_t base) {
  for (unsigned tag = 0; tag <= TAGS; tag++) {
    if (tag > 0) {
      place(to, (enum label)(TAG + tag - 1));
      step(to, 4);
    }
    emit(to, BPF_LD | BPF_H | BPF_IND, base - 2);
    when(to, 0x0800, IPV4);
    when(to, 0x86dd, IPV6);
    when(to, 0x8864, PPP);
    when(to, 0x8847, MPLS);
    if (tag < TAGS) {
      const uint16_t types[] = { 0x8100, 0x88a8, 0x9100 };
      for (unsigned i = 0; i < 3; i++) when(to, types[i], (enum label)(TAG + tag));
    }
    nothing(to);
  }
  place(to, PPP);
  emit(to, BPF_LD | BPF_H | BPF_IND, base + 6);
  emit(to, BPF_ST, 0);
  step(to, 8);
  emit(to, BPF_LD | BPF_MEM, 0);
  when(to, 0x0021, IPV4);
  when(to, 0x0057, IPV6);
  nothing(to);
  place(to, MPLS);
  for (unsigned label = 0; label < LABELS; label++) {
    emit(to, BPF_LD | BPF_B | BPF_IND, base + 2);
    emit(to, BPF_ALU | BPF_AND | BPF_K, 1);
    emit(to, BPF_ST, 0);
    step(to, 4);
    emit(to, BPF_LD | BPF_MEM, 0);
    when(to, 1, BOTTOM);
  }
  nothing(to);
  place(to, BOTTOM);
  emit(to, BPF_LD | BPF_B | BPF_IND, base);
  emit(to, BPF_ALU | BPF_RSH | BPF_K, 4);
  when(to, 4, IPV4);
  when(to, 6, IPV6);
  nothing(to);
}

/* The sum of both addresses, word by word, is the same in both directions; the product spreads neighbours (Knuth, TAOCP 3, 6.4). */
static void number_of(struct assembler *to, uint32_t base, uint32_t address, unsigned words) {
  emit(to, BPF_STX, 0);
  emit(to, BPF_LD | BPF_IMM, 0);
  emit(to, BPF_ST, 1);
  for (unsigned i = 0; i < words; i++) {
    emit(to, BPF_LDX | BPF_MEM, 0);
    emit(to, BPF_LD | BPF_W | BPF_IND, base + address + 4 * i);
    emit(to, BPF_LDX | BPF_MEM, 1);
    emit(to, BPF_ALU | BPF_ADD | BPF_X, 0);
    emit(to, BPF_ST, 1);
  }
  emit(to, BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1U);
  emit(to, BPF_ALU | BPF_RSH | BPF_K, 16);
  emit(to, BPF_RET | BPF_A, 0);
}

static void link_program(struct assembler *program) {
  for (unsigned i = 0; i < program->count; i++) {
    struct sock_filter *code = &program->code[i];
    if (BPF_CLASS(code->code) == BPF_JMP && code->jt != NEXT) code->jt = (uint8_t)(program->places[code->jt] - i - 1);
  }
}

static void make_program(struct assembler *program, bool ethernet) {
  memset(program, 0, sizeof *program);
  const uint32_t base = ethernet ? (uint32_t)(SKF_LL_OFF + ETHERNET_BYTES) : (uint32_t)SKF_NET_OFF;
  emit(program, BPF_LDX | BPF_IMM, 0);
  if (ethernet) {
    find_ip(program, base);
  } else {
    emit(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL));
    when(program, 0x0800, IPV4);
    when(program, 0x86dd, IPV6);
    nothing(program);
  }
  place(program, IPV4);
  number_of(program, base, 12, 2);
  place(program, IPV6);
  number_of(program, base, 8, 8);
  link_program(program);
}

int fp_fanout_close_gate(int fd) {
  struct sock_filter reject = { .code = BPF_RET | BPF_K, .k = 0 };
  const struct sock_fprog program = { .len = 1, .filter = &reject };
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 ? 0 : errno;
}

int fp_fanout_join(int fd, bool ethernet, uint16_t group, uint32_t size) {
  struct assembler program;
  make_program(&program, ethernet);
  /* With the number of members nobody else's socket fits into a group that is complete. Kernels before 5.11 take the first word only. */
  struct fanout_args arguments = { .id = group, .type_flags = PACKET_FANOUT_CBPF, .max_num_members = size };
  if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &arguments, sizeof arguments) != 0) {
    if (errno != EINVAL || setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &arguments, sizeof(uint32_t)) != 0) return errno;
  }
  const struct sock_fprog code = { .len = (unsigned short)program.count, .filter = program.code };
  return setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &code, sizeof code) == 0 ? 0 : errno;
}
