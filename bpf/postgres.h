/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * The PostgreSQL protocol, version 3, as far as turns, transactions and names go. */
#ifndef CONNLEAK_POSTGRES_H
#define CONNLEAK_POSTGRES_H

/* Source: "Frontend/Backend Protocol" in PostgreSQL's manual. Payload is looked at and forgotten; of a startup
 * message only the user's and the database's name are kept. */

#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "names.h"
#include "record.h"

enum postgres_first {
	POSTGRES_FIRST_OTHER,
	POSTGRES_FIRST_STARTUP,
	POSTGRES_FIRST_TLS,    /* SSLRequest or GSSENCRequest */
	POSTGRES_FIRST_CANCEL,
};

/* What the first 8 bytes of a new connection are: length and code. `size`: of the payload. */
static __always_inline __u32 postgres__first(const __be32 head[2], __u32 size)
{
	__u32 length = bpf_ntohl(head[0]);
	__u32 code = bpf_ntohl(head[1]);

	if (length == 8 && size == 8 && (code == 80877103 || code == 80877104))
		return POSTGRES_FIRST_TLS;
	/* 16 until version 3.0; longer keys came with 3.2. */
	if (code == 80877102 && length >= 16 && length <= 268 && length == size)
		return POSTGRES_FIRST_CANCEL;
	/* 10,000 is MAX_STARTUP_PACKET_LENGTH of the server. */
	if (code >> 16 == 3 && length >= 9 && length <= 10000 && length >= size)
		return POSTGRES_FIRST_STARTUP;
	return POSTGRES_FIRST_OTHER;
}

/* The first 5 bytes of a payload begin a client's message: a type, and a length that fits. */
static __always_inline bool postgres__is_client_message(const __u8 *head, __u32 size)
{
	__u32 length = (__u32)head[1] << 24 | (__u32)head[2] << 16 | (__u32)head[3] << 8 | head[4];

	switch (head[0]) {
	case 'Q': case 'P': case 'B': case 'E': case 'D': case 'S': case 'F': case 'C': case 'H': case 'X':
	case 'd': case 'c': case 'f': case 'p':
		break;
	default:
		return false;
	}
	/* A message that goes on in later segments fills this one; 64 MiB is far above any query text seen. */
	return length >= 4 && (length + 1 <= size || (size >= 500 && length <= 64u << 20));
}

/* 1 where a payload begins with LISTEN, as a simple query or parsed into the unnamed statement, else 0. `text`: its
 * bytes 5 to 12, the first one lowest. Without a branch: the verifier would go through all that follows for each
 * outcome (943,651 instructions with six comparisons of bytes). */
static __always_inline __u32 postgres__is_listen(__u8 type, __u64 text)
{
	const __u64 lower = 0x20202020202020ull, listen = 0x206e657473696cull; /* "listen " */
	__u64 simple = (type ^ 'Q') | (((text & 0xffffffffffffffull) | lower) ^ listen);
	__u64 parsed = (type ^ 'P') | (text & 0xff) | (((text >> 8) | lower) ^ listen);

	/* Or the compiler makes comparisons of them, with branches. */
	asm volatile("" : "+r"(simple), "+r"(parsed));
	return ((~(simple | (0 - simple))) >> 63) | ((~(parsed | (0 - parsed))) >> 63);
}

/* `text`: bytes 19 to 25 of the server's first answer. An ErrorResponse that begins with severity FATAL in both of its
 * fields has the code there; 53300 is too_many_connections. A server that speaks another language has it elsewhere. */
static __always_inline bool postgres__is_refusal(const __u8 *text)
{
	return text[0] == 'C' && text[1] == '5' && text[2] == '3' && text[3] == '3' && text[4] == '0' && text[5] == '0' &&
	       text[6] == 0;
}

/* `tail`: the last 8 bytes of the reply stream, the last one lowest. The transaction state of a ReadyForQuery that
 * ends there, else UNKNOWN. Up to two bytes more than today's are accepted after the state. */
static __always_inline __u8 postgres__ready(__u64 tail)
{
	__u8 state = 0;

	if ((tail >> 40 & 0xff) == 'Z' && (tail >> 8 & 0xffffffff) == 5)
		state = tail & 0xff;
	else if ((tail >> 48 & 0xff) == 'Z' && (tail >> 16 & 0xffffffff) == 6)
		state = tail >> 8 & 0xff;
	else if ((tail >> 56 & 0xff) == 'Z' && (tail >> 24 & 0xffffffff) == 7)
		state = tail >> 16 & 0xff;
	if (state == 'I')
		return WIRE_TRANSACTION_NONE;
	if (state == 'T')
		return WIRE_TRANSACTION_OPEN;
	if (state == 'E')
		return WIRE_TRANSACTION_FAILED;
	return WIRE_TRANSACTION_UNKNOWN;
}

/* An answer to Flush may end in ParseComplete, BindComplete, CloseComplete, PortalSuspended, NoData or
 * EmptyQueryResponse: five bytes each. */
static __always_inline bool postgres__ends_flush(__u64 tail)
{
	__u8 type = tail >> 32 & 0xff;

	return (tail & 0xffffffff) == 4 &&
	       (type == '1' || type == '2' || type == '3' || type == 's' || type == 'n' || type == 'I');
}

/* What is not part of the message is NUL: it ends at the latest there, with an empty key. */
static __always_inline void postgres__cut(volatile struct names *s)
{
	for (__u32 i = 0; i < NAMES_TEXT; i++) {
		char letter = s->text[i];
		__u32 at;

		if (letter) {
			s->now.letters = s->now.letters << 8 | (__u8)letter;
			s->now.length++;
			continue;
		}
		at = s->count & (NAMES_STRINGS - 1);
		s->strings[at].letters = s->now.letters;
		s->strings[at].began = s->now.began;
		s->strings[at].length = s->now.length;
		s->count++;
		if (!s->now.length && !(at & 1))
			break;
		s->now.began = i + 1;
		s->now.length = 0;
		s->now.letters = 0;
	}
}

static __always_inline void postgres__find_names(volatile struct names *s)
{
	for (__u32 i = 0; i + 1 < NAMES_STRINGS; i += 2) {
		__u64 key = s->strings[i].letters;
		__u64 value = s->strings[i + 1].letters;
		__u32 length = s->strings[i].length;

		if (i + 1 >= s->count)
			break;
		if (length == 4 && key == 0x75736572) /* user */
			s->user_at = s->strings[i + 1].began + 1;
		else if (length == 8 && key == 0x6461746162617365) /* database */
			s->database_at = s->strings[i + 1].began + 1;
		else if (length == 11 && key == 0x6c69636174696f6e) /* rep-lication; false, off, no and 0 say no */
			s->replication = value != 0x66616c7365 && value != 0x6f6666 && value != 0x6e6f && value != 0x30;
	}
}

/* The names out of the parameters of a startup message. The server takes the user's name where no database is named. */
static __always_inline void postgres__read_names(volatile struct names *s, struct connection *c)
{
	s->count = s->user_at = s->database_at = s->replication = 0;
	s->now.letters = s->now.began = s->now.length = 0;
	postgres__cut(s);
	postgres__find_names(s);
	if (s->user_at) {
		names__copy(c->wire.user, s, s->user_at - 1);
		names__copy(c->wire.database, s, s->database_at ? s->database_at - 1 : s->user_at - 1);
	}
	if (s->replication)
		connection__set_flag(c, WIRE_FLAG_REPLICATION);
}

#endif
