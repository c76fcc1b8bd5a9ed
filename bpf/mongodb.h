/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * MongoDB's wire protocol, as far as turns go. */
#ifndef CONNLEAK_MONGODB_H
#define CONNLEAK_MONGODB_H

/* Source: "MongoDB Wire Protocol" in MongoDB's manual. A message is a header of four little-endian numbers (length, id,
 * id of the request that it answers, operation), then for OP_MSG flags and sections, of which the first begins with
 * the name of the command. */

#include "vmlinux.h"

#include "emit.h"
#include "payload.h"
#include "record.h"

#define MONGODB_HEADER 16
#define MONGODB_QUERY 2004 /* until 5.0; since then the first message of old drivers only */
#define MONGODB_COMPRESSED 2012
#define MONGODB_MSG 2013
#define MONGODB_MOST (48u << 20) /* no message is longer */

#define MONGODB_MORE_TO_COME 0x02  /* bit 1 of the flags: nothing is answered, or another answer follows */
#define MONGODB_EXHAUST 0x01       /* bit 16, in the third byte: monitors, which wait for the server from then on */

static __always_inline __u32 payload__u32(const struct payload *p, __u32 at)
{
	return p->head[at] | (__u32)p->head[at + 1] << 8 | (__u32)p->head[at + 2] << 16 | (__u32)p->head[at + 3] << 24;
}

static __always_inline bool mongodb__is_message(const struct payload *p)
{
	__u32 length = payload__u32(p, 0), operation = payload__u32(p, 12);

	return p->size >= MONGODB_HEADER && length > MONGODB_HEADER && length <= MONGODB_MOST && length >= p->size &&
	       (operation == MONGODB_MSG || operation == MONGODB_QUERY || operation == MONGODB_COMPRESSED);
}

/* A client's: it answers nothing. */
static __always_inline bool mongodb__is_request(const struct payload *p)
{
	return mongodb__is_message(p) && payload__u32(p, 8) == 0;
}

/* The command's first letters, where the body comes first and is not compressed; 0: not seen. */
static __always_inline __u32 mongodb__command(const struct payload *p)
{
	return payload__u32(p, 12) == MONGODB_MSG && p->head[20] == 0 ? payload__u32(p, 26) : 0;
}

#define MONGODB_WORD(a, b, c, d) ((a) | (b) << 8 | (c) << 16 | (d) << 24)

static __always_inline __u8 mongodb__kind(struct connection *c, const struct payload *p)
{
	__u32 command = mongodb__command(p);

	if (!mongodb__is_request(p))
		return KIND_REQUEST; /* the rest of a long one */
	c->request_id = payload__u32(p, 4);
	if (payload__u32(p, 12) == MONGODB_MSG) {
		if (p->head[16] & MONGODB_MORE_TO_COME)
			return KIND_UNANSWERED;
		if (p->head[18] & MONGODB_EXHAUST)
			connection__set_flag(c, WIRE_FLAG_STREAM);
	}
	if (command == MONGODB_WORD('e', 'n', 'd', 'S')) /* endSessions: the driver is being closed */
		return KIND_GOODBYE;
	if (!c->wire.requests && !(c->wire.flags & WIRE_FLAG_LATE) &&
	    (payload__u32(p, 12) == MONGODB_QUERY || command == MONGODB_WORD('h', 'e', 'l', 'l') ||
	     command == MONGODB_WORD('i', 's', 'M', 'a') || command == MONGODB_WORD('i', 's', 'm', 'a') ||
	     command == MONGODB_WORD('s', 'a', 's', 'l')))
		return KIND_LOGIN;
	return KIND_REQUEST;
}

/* True where an answer to the last request ends in this payload. `reply_end` is where the one under way does. */
static __always_inline bool mongodb__ends_reply(struct connection *c, const struct payload *p)
{
	bool begins = c->reply_end == p->seq || !c->replying;

	if (begins) {
		if (!mongodb__is_message(p)) {
			count__hit(HOOK_UNREAD);
			return false;
		}
		if (payload__u32(p, 8) != c->request_id)
			return false;
		c->reply_end = p->seq + payload__u32(p, 0);
		c->replying = payload__u32(p, 12) == MONGODB_MSG && p->head[16] & MONGODB_MORE_TO_COME ? 2 : 1;
	}
	if ((__s32)(p->end - c->reply_end) < 0)
		return false;
	begins = c->replying == 1;
	c->replying = 0;
	return begins;
}

#endif
