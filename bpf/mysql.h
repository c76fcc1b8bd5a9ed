/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * The protocol of MySQL and MariaDB, as far as turns, transactions and names go. */
#ifndef CONNLEAK_MYSQL_H
#define CONNLEAK_MYSQL_H

/* Source: "Client/Server Protocol" in MariaDB's documentation, "Protocol Basics" in MySQL's. A packet is a length of 3
 * bytes, a sequence number, and the payload; numbers are little-endian. */

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "packets.h"
#include "postgres.h"

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
static __always_inline bool mysql__is_greeting(const __u8 head[8], __u32 size)
{
	return head[3] == 0 && head[4] == 10 && head[5] >= '0' && head[5] <= '9' && size >= 40 && size <= 512 &&
	       mysql__length(head) + 4 == size;
}

/* Error 1040, too many connections; 1203, too many of this user: in the place of a greeting, or, where the last slot is
 * kept for administrators, of the answer to the login. */
static __always_inline bool mysql__is_refusal(const __u8 head[8], __u32 size)
{
	__u32 code = head[5] | (__u32)head[6] << 8;

	return head[4] == 0xff && (code == 1040 || code == 1203) && mysql__length(head) + 4 == size;
}

/* A payload that is one command, whole. */
static __always_inline bool mysql__is_command(const __u8 head[8], __u32 size)
{
	return head[3] == 0 && head[4] != 0 && head[4] < MYSQL_COMMAND_END && mysql__length(head) + 4 == size;
}

/* Nothing is answered to these. What follows in the same payload is. */
static __always_inline bool mysql__is_unanswered(const __u8 head[8], __u32 size)
{
	return (head[4] == MYSQL_STMT_CLOSE || head[4] == MYSQL_STMT_SEND_LONG_DATA) && mysql__length(head) + 4 == size;
}

/* The user's and the database's name out of the client's first packet, which lies in s->text: 32 bytes of fixed
 * fields, the user, an authentication string with its length before it, the database. The length takes one byte below
 * 251, and no authentication is longer. */
static __always_inline void mysql__read_names(volatile struct postgres_startup *s, struct connection *c)
{
	__u64 length = 0, alive = 1;
	__u32 user = 36, at;

	for (__u32 i = 0; i < WIRE_NAME; i++) {
		__u64 letter = (__u8)s->text[(user + i) & (POSTGRES_STARTUP - 1)];

		/* Or the compiler makes comparisons of them, with branches. */
		asm volatile("" : "+r"(letter));
		alive &= (0 - letter) >> 63;
		length += alive;
	}
	postgres__copy_name(c->wire.user, s, user);
	at = user + length + 1;
	at += 1 + (__u8)s->text[at & (POSTGRES_STARTUP - 1)];
	if (s->text[4] & MYSQL_WITH_DATABASE)
		postgres__copy_name(c->wire.database, s, at);
}

/* What ends a reply: the status that its last packet carries, MYSQL_NO_STATUS after an error, or MYSQL_UNFINISHED. Of
 * the payload the first 8 bytes and the last 11 are looked at; a last packet in two segments is not understood. */
static __always_inline __u32 mysql__reply(struct __sk_buff *skb, const struct segment *segment)
{
	__u8 head[12] = {}, tail[12] = {};

	if (segment->size < 9 || bpf_skb_load_bytes(skb, segment->at, head, 8))
		return MYSQL_UNFINISHED;
	if (mysql__length(head) + 4 == segment->size) {
		if (head[4] == 0xff)
			return MYSQL_NO_STATUS;
		/* OK: rows and insert id, each in one byte where they are below 251. */
		if (head[4] == 0 && segment->size >= 11 && bpf_skb_load_bytes(skb, segment->at + 4, tail, 7) == 0 &&
		    tail[1] < 251 && tail[2] < 251)
			return tail[3] | (__u32)tail[4] << 8;
	}
	if (segment->size >= 11 && bpf_skb_load_bytes(skb, segment->at + segment->size - 11, tail, 11) == 0) {
		/* OK in the place of EOF, and OK itself. */
		if (tail[0] == 7 && !tail[1] && !tail[2] && (tail[4] == 0xfe || tail[4] == 0) && tail[5] < 251 &&
		    tail[6] < 251)
			return tail[7] | (__u32)tail[8] << 8;
		/* EOF: warnings, status. */
		if (tail[2] == 5 && !tail[3] && !tail[4] && tail[6] == 0xfe)
			return tail[9] | (__u32)tail[10] << 8;
	} else if (bpf_skb_load_bytes(skb, segment->at + segment->size - 9, tail, 9) == 0) {
		if (tail[0] == 5 && !tail[1] && !tail[2] && tail[4] == 0xfe)
			return tail[7] | (__u32)tail[8] << 8;
	}
	return MYSQL_UNFINISHED;
}

#endif
