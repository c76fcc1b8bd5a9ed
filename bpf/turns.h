/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Protocols that are recognised and no more: whose turn it is goes by direction. */
#ifndef CONNLEAK_TURNS_H
#define CONNLEAK_TURNS_H

#include "vmlinux.h"

#include "payload.h"
#include "record.h"

/* Oracle. Source: the dissector "TNS" of Wireshark; the vendor publishes nothing. A packet is a length (two bytes, or
 * four from version 315 on), a checksum of zero, a type. */
#define TNS_CONNECT 1
#define TNS_DATA 6
#define TNS_END_OF_FILE 0x40 /* data flags, low byte */
#define TTC_FUNCTION 3       /* behind the flags: a call, and of what */
#define TTC_LOGOFF 0x09
#define TTC_AUTHENTICATE 0x73 /* the second half, after which the session stands */

static __always_inline __u32 payload__be16(const struct payload *p, __u32 at)
{
	return (__u32)p->head[at] << 8 | p->head[at + 1];
}

static __always_inline bool oracle__is_connect(const struct payload *p)
{
	__u32 version = payload__be16(p, 8);

	return p->size >= 34 && payload__be16(p, 0) >= 34 && payload__be16(p, 0) <= p->size && !payload__be16(p, 2) &&
	       p->head[4] == TNS_CONNECT && !payload__be16(p, 6) && version >= 300 && version < 400;
}

static __always_inline bool oracle__is_call(const struct payload *p)
{
	__u32 length = payload__be16(p, 0) ? payload__be16(p, 0) : payload__be16(p, 2);

	return p->size >= 12 && length == p->size && p->head[4] == TNS_DATA && !payload__be16(p, 6) && !p->head[8] &&
	       p->head[10] == TTC_FUNCTION;
}

static __always_inline __u8 oracle__kind(struct connection *c, const struct payload *p, bool over)
{
	if (p->size >= 10 && p->head[4] == TNS_DATA && p->head[9] & TNS_END_OF_FILE)
		return KIND_GOODBYE;
	if (oracle__is_call(p)) {
		if (p->head[11] == TTC_LOGOFF)
			return KIND_GOODBYE;
		c->command = p->head[11];
	}
	return over ? KIND_REQUEST : KIND_LOGIN;
}

/* Cassandra. Source: "CQL binary protocol", versions 3 to 5: version, flags, stream (two bytes), operation, length. */
#define CQL_HEADER 9
#define CQL_STARTUP 0x01
#define CQL_OPTIONS 0x05
#define CQL_QUERY 0x07
#define CQL_PREPARE 0x09
#define CQL_EXECUTE 0x0A
#define CQL_REGISTER 0x0B /* for events: the driver's control connection */
#define CQL_BATCH 0x0D
#define CQL_AUTH_RESPONSE 0x0F

static __always_inline bool cassandra__is_frame(const struct payload *p)
{
	__u32 length = payload__be16(p, 5) << 16 | payload__be16(p, 7);

	return p->size >= CQL_HEADER && p->head[0] >= 3 && p->head[0] <= 5 && p->head[1] < 0x20 && p->head[2] < 0x80 &&
	       length + CQL_HEADER == p->size;
}

static __always_inline bool cassandra__is_start(const struct payload *p)
{
	/* A startup names its options, CQL_VERSION among them: one to eight of them, the first of eleven letters or so. */
	return cassandra__is_frame(p) &&
	       (p->head[4] == CQL_OPTIONS ? p->size == CQL_HEADER
					  : p->head[4] == CQL_STARTUP && p->size > 24 && !p->head[9] && p->head[10] &&
						    p->head[10] <= 8 && !p->head[11] && p->head[12] < 32);
}

static __always_inline bool cassandra__is_request(const struct payload *p)
{
	return cassandra__is_frame(p) && (p->head[4] == CQL_QUERY || p->head[4] == CQL_PREPARE ||
					  p->head[4] == CQL_EXECUTE || p->head[4] == CQL_BATCH);
}

static __always_inline __u8 cassandra__kind(struct connection *c, const struct payload *p, bool over)
{
	__u8 operation = p->head[4];

	if (!over)
		return KIND_LOGIN;
	/* From version 5 on frames lie in others after the startup: not read. */
	if (!cassandra__is_frame(p))
		return KIND_REQUEST;
	if (operation == CQL_REGISTER)
		connection__set_flag(c, WIRE_FLAG_STREAM);
	return !c->wire.requests && (operation == CQL_STARTUP || operation == CQL_OPTIONS || operation == CQL_AUTH_RESPONSE ||
				     operation == CQL_REGISTER)
		       ? KIND_LOGIN
		       : KIND_REQUEST;
}

/* memcached. Source: "protocol.txt" and "protocol_binary.xml" of memcached. Commands are lower-case words, or a header of
 * 24 bytes that begins with 0x80. */
#define MEMCACHED_HEADER 24
#define MEMCACHED_REQUEST 0x80
#define MEMCACHED_QUIT 0x07
#define MEMCACHED_QUIT_QUIETLY 0x17

static __always_inline bool memcached__is_binary(const struct payload *p)
{
	__u32 body = payload__be16(p, 8) << 16 | payload__be16(p, 10);

	return p->size >= MEMCACHED_HEADER && p->head[0] == MEMCACHED_REQUEST && p->head[1] < 0x40 && !p->head[5] &&
	       body < 64u << 20 && payload__be16(p, 2) + p->head[4] <= body && body + MEMCACHED_HEADER <= p->size;
}

/* `word` of `length` letters with what follows it, at the beginning. */
static __always_inline bool payload__begins(const struct payload *p, const char *word, __u32 length)
{
	for (__u32 i = 0; i < length; i++)
		if (p->head[i] != (__u8)word[i])
			return false;
	return true;
}

static __always_inline bool memcached__is_text(const struct payload *p)
{
	return p->size >= 7 && (p->tail & 0xffff) == 0x0d0a &&
	       (payload__begins(p, "get ", 4) || payload__begins(p, "gets ", 5) || payload__begins(p, "set ", 4) ||
		payload__begins(p, "add ", 4) || payload__begins(p, "incr ", 5) || payload__begins(p, "decr ", 5) ||
		payload__begins(p, "delete ", 7) || payload__begins(p, "version\r\n", 9) || payload__begins(p, "mg ", 3) ||
		payload__begins(p, "ms ", 3) || payload__begins(p, "touch ", 6) || payload__begins(p, "gat ", 4));
}

static __always_inline __u8 memcached__kind(const struct payload *p)
{
	if (p->head[0] == MEMCACHED_REQUEST)
		return memcached__is_binary(p) && (p->head[1] == MEMCACHED_QUIT || p->head[1] == MEMCACHED_QUIT_QUIETLY)
			       ? KIND_GOODBYE
			       : KIND_REQUEST;
	if (p->size == 6 && payload__begins(p, "quit\r\n", 6))
		return KIND_GOODBYE;
	/* "noreply" before the end of the line. */
	return p->size >= 16 && (p->tail & 0xffffffffffffffull) == 0x7265706c790d0aull ? KIND_UNANSWERED : KIND_REQUEST;
}

#endif
