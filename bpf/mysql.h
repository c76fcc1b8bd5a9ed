/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * The protocol of MySQL and MariaDB, as far as turns, transactions and names go. */
#ifndef CONNLEAK_MYSQL_H
#define CONNLEAK_MYSQL_H

/* Source: "Client/Server Protocol" in MariaDB's documentation, "Protocol Basics" in MySQL's. A packet is a length of 3
 * bytes, a sequence number, and the payload; numbers are little-endian. */

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "names.h"
#include "payload.h"

enum mysql_command {
	MYSQL_QUIT = 0x01,
	MYSQL_FIELD_LIST = 0x04,
	MYSQL_STATISTICS = 0x09,
	MYSQL_BINLOG_DUMP = 0x12,
	MYSQL_STMT_PREPARE = 0x16,
	MYSQL_STMT_SEND_LONG_DATA = 0x18,
	MYSQL_STMT_CLOSE = 0x19,
	MYSQL_BINLOG_DUMP_GTID = 0x1e,
	MYSQL_COMMAND_END = 0x20,
};

#define MYSQL_IN_TRANSACTION 0x0001
#define MYSQL_MORE_RESULTS 0x0008
/* Capabilities of the client's first packet. */
#define MYSQL_WITH_DATABASE 0x0008
#define MYSQL_TLS 0x0800
#define MYSQL_TLS_REQUEST 36 /* that packet without the user and all that follows */
/* What a reply said. */
#define MYSQL_UNFINISHED 0xffffffff
#define MYSQL_NO_STATUS 0x10000

static __always_inline __u32 mysql__length(const __u8 *head)
{
	return head[0] | (__u32)head[1] << 8 | (__u32)head[2] << 16;
}

/* The server speaks first: protocol 10, and a version that begins with a digit. Longer greetings than 512 bytes are
 * nobody's. */
static __always_inline bool mysql__is_greeting(const __u8 *head, __u32 size)
{
	return head[3] == 0 && head[4] == 10 && head[5] >= '0' && head[5] <= '9' && size >= 40 && size <= 512 &&
	       mysql__length(head) + 4 == size;
}

/* Error 1040, too many connections; 1203, too many of this user: in the place of a greeting, or, where the last slot is
 * kept for administrators, of the answer to the login. */
static __always_inline bool mysql__is_refusal(const __u8 *head, __u32 size)
{
	__u32 code = head[5] | (__u32)head[6] << 8;

	return head[4] == 0xff && (code == 1040 || code == 1203) && mysql__length(head) + 4 == size;
}

/* A payload that is one command, whole. */
static __always_inline bool mysql__is_command(const __u8 *head, __u32 size)
{
	return head[3] == 0 && head[4] != 0 && head[4] < MYSQL_COMMAND_END && mysql__length(head) + 4 == size;
}

/* The client's first packet, whole: the second of the connection, with a user behind its fixed fields, and zeros where
 * those have room left. */
static __always_inline bool mysql__is_login(const __u8 *head, __u32 size)
{
	const __u64 *words = (const void *)head;

	return size > MYSQL_TLS_REQUEST && head[3] == 1 && mysql__length(head) + 4 == size && !(words[2] | words[3]) &&
	       !head[13] && !head[14] && !head[15];
}

/* Nothing is answered to these. What follows in the same payload is. */
static __always_inline bool mysql__is_unanswered(const __u8 *head, __u32 size)
{
	return (head[4] == MYSQL_STMT_CLOSE || head[4] == MYSQL_STMT_SEND_LONG_DATA) && mysql__length(head) + 4 == size;
}

/* The user's and the database's name out of the client's first packet, which lies in s->text: 32 bytes of fixed
 * fields, the user, an authentication string with its length before it, the database. The length takes one byte below
 * 251, and no authentication is longer. */
static __always_inline void mysql__read_names(volatile struct names *s, struct connection *c)
{
	__u64 length = 0, alive = 1;
	__u32 user = 36, at;

	for (__u32 i = 0; i < WIRE_NAME; i++) {
		__u64 letter = (__u8)s->text[(user + i) & (NAMES_TEXT - 1)];

		/* Or the compiler makes comparisons of them, with branches. */
		asm volatile("" : "+r"(letter));
		alive &= (0 - letter) >> 63;
		length += alive;
	}
	names__copy(c->wire.user, s, user);
	at = user + length + 1;
	at += 1 + (__u8)s->text[at & (NAMES_TEXT - 1)];
	if (s->text[4] & MYSQL_WITH_DATABASE)
		names__copy(c->wire.database, s, at);
}

/* What ends a reply: the status that its last packet carries, MYSQL_NO_STATUS after an error, or MYSQL_UNFINISHED. A last
 * packet in two payloads is not understood. */
static __always_inline __u32 mysql__reply(const struct payload *p)
{
	const __u8 *head = p->head;

	if (p->size < 9)
		return MYSQL_UNFINISHED;
	if (mysql__length(head) + 4 == p->size) {
		if (head[4] == 0xff)
			return MYSQL_NO_STATUS;
		/* OK: rows and insert id, each in one byte where they are below 251. */
		if (head[4] == 0 && p->size >= 11 && head[5] < 251 && head[6] < 251)
			return head[7] | (__u32)head[8] << 8;
	}
	/* OK in the place of EOF, and OK itself. */
	if (p->size >= 11 && payload__last(p, 10) == 7 && !payload__last(p, 9) && !payload__last(p, 8) &&
	    (payload__last(p, 6) == 0xfe || payload__last(p, 6) == 0) && payload__last(p, 5) < 251 &&
	    payload__last(p, 4) < 251)
		return payload__last(p, 3) | (__u32)payload__last(p, 2) << 8;
	/* EOF: warnings, status. */
	if (payload__last(p, 8) == 5 && !payload__last(p, 7) && !payload__last(p, 6) && payload__last(p, 4) == 0xfe)
		return payload__last(p, 1) | (__u32)payload__last(p, 0) << 8;
	return MYSQL_UNFINISHED;
}

#endif
