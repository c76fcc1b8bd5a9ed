/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * The user's and the database's name, out of a client's first message. */
#ifndef CONNLEAK_NAMES_H
#define CONNLEAK_NAMES_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "payload.h"
#include "record.h"

/* Names beyond 512 bytes of a message, or beyond the 32nd parameter, are not seen: drivers send 60 to 200 bytes. */
#define NAMES_TEXT 512
#define NAMES_STRINGS 64

struct names_string {
	__u64 letters; /* the last 8 */
	__u32 began;
	__u32 length;
};

/* All variables of the parser lie in memory on purpose: kept in registers, each byte that may or may not be NUL
 * doubles the states of the verifier ("BPF program is too large. Processed 1000001 insn"). For the same reason the
 * loop over bytes only cuts strings, and a shorter one looks at them. */
struct names {
	__u32 busy;      /* a program may interrupt another on its CPU */
	__u32 count;     /* of strings; keys and values take turns */
	__u32 user_at;   /* plus 1; 0 = not seen */
	__u32 database_at;
	__u32 replication;
	__u32 padding;
	struct names_string now;
	struct names_string strings[NAMES_STRINGS];
	char text[NAMES_TEXT]; /* a startup message from its parameters on; MySQL's first packet */
};

struct names_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct names);
};

extern struct names_map names_buffers SEC(".maps");

/* Parameters of a startup message begin here. */
#define NAMES_POSTGRES_SKIPPED 8

/* Out of names_buffers, where the message's text lies; which is wiped. */
int names__read(struct connection *c, __u32 said);

/* NULL where it is in use. Fill text, then names__read(); in any case names__end(). */
static __always_inline struct names *names__begin(void)
{
	__u32 zero = 0;
	struct names *names = bpf_map_lookup_elem(&names_buffers, &zero);

	if (!names || names->busy)
		return NULL;
	names->busy = 1;
	return names;
}

static __always_inline void names__end(struct names *names) { names->busy = 0; }

/* How much of a message of `size` bytes is read. "R3 min value is outside of the allowed memory range": before 6.5
 * only arithmetic shows that a size is not 0. A message cut to nothing becomes one of 512
 * bytes, which its carrier must not be able to load. */
static __always_inline __u32 names__size(__u32 size)
{
	if (size > NAMES_TEXT)
		size = NAMES_TEXT;
	asm volatile("" : "+r"(size));
	return ((size - 1) & (NAMES_TEXT - 1)) + 1;
}

/* Without a branch: one that leaves the loop would have the verifier go through all that follows 63 times. What lies
 * behind the name in the message is not copied. */
static __always_inline void names__copy(char to[WIRE_NAME], volatile struct names *s, __u32 at)
{
	__u32 alive = 1;

	for (__u32 i = 0; i < WIRE_NAME - 1; i++) {
		__u32 letter = (__u8)s->text[(at + i) & (NAMES_TEXT - 1)];

		alive &= (0 - letter) >> 31;
		to[i] = letter * alive;
	}
}

#endif
