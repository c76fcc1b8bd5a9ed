/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * What the server says: end of the login, whose turn it is, transaction state. */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "mongodb.h"
#include "mysql.h"
#include "payload.h"
#include "ports.h"
#include "postgres.h"
#include "redis.h"
#include "tds.h"
#include "turns.h"

/* The last 8 bytes of the stream, which may lie in two payloads; only of what follows without a hole. */
static __always_inline void server__keep_tail(struct connection *c, const struct payload *p)
{
	__u64 tail = c->received && c->received_seq == p->seq ? c->tail : 0;

	c->tail = p->size >= 8 ? p->tail : tail << (8 * p->size & 63) | p->tail;
}

/* The server told the state of the transaction. */
static __always_inline void server__transaction(struct connection *c, __u8 transaction, __u64 now)
{
	__u64 began = c->wire.transaction_ns;

	c->wire.transaction = transaction;
	if (transaction != WIRE_TRANSACTION_NONE) {
		if (!began)
			c->wire.transaction_ns = now;
		return;
	}
	if (!began)
		return;
	c->wire.transaction_ns = 0;
	c->wire.transactions++;
	if (now - began > c->wire.longest_transaction_ns)
		c->wire.longest_transaction_ns = now - began;
}

/* Redis has no login that must be: the handshake is over when the connection stands. What is answered carries what
 * the request did to the transaction. */
static __always_inline void server__redis(struct connection *c, const struct payload *p, __u64 now)
{
	WRITE_ONCE(c->answered_seq, p->ack);
	WRITE_ONCE(c->answered, 1);
	if (!c->wire.handshake_ns)
		c->wire.handshake_ns = now;
	if (c->next_transaction != c->wire.transaction)
		server__transaction(c, c->next_transaction, now);
}

/* False where the first bytes of a server that speaks first are neither a greeting nor a refusal. */
static __always_inline bool server__greeting(struct connection *c, const struct payload *p)
{
	const __u8 *head = p->head;

	if (p->size < 8)
		return false;
	if (redis__is_refusal(head)) {
		connection__set_flag(c, WIRE_FLAG_REFUSED);
		c->wire.protocol = WIRE_PROTOCOL_REDIS;
		c->stage = STAGE_REDIS;
	} else {
		if (mysql__is_refusal(head, p->size))
			connection__set_flag(c, WIRE_FLAG_REFUSED);
		else if (!mysql__is_greeting(head, p->size))
			return false;
		c->wire.protocol = WIRE_PROTOCOL_MYSQL;
		c->stage = STAGE_MYSQL_LOGIN;
	}
	WRITE_ONCE(c->answered_seq, p->ack);
	WRITE_ONCE(c->answered, 1);
	return true;
}

/* Nothing was answered before: does the server refuse for want of a slot? */
static __always_inline void server__refusal(struct connection *c, const struct payload *p)
{
	const __u8 *head = p->head;

	if (c->wire.handshake_ns || (c->wire.flags & WIRE_FLAG_LATE))
		return;
	if ((c->stage == STAGE_LOGIN && p->size > 26 && postgres__is_refusal(head + 19)) ||
	    (c->stage == STAGE_REDIS && p->size > 8 && redis__is_refusal(head)) ||
	    (c->stage == STAGE_MYSQL_LOGIN && p->size > 8 && mysql__is_refusal(head, p->size)))
		connection__set_flag(c, WIRE_FLAG_REFUSED);
}

/* Of a few commands the replies have no mark at their end: there the turn goes by direction. */
static __always_inline void server__mysql(struct connection *c, const struct payload *p, __u64 now)
{
	__u32 status = mysql__reply(p);
	bool unmarked = c->stage == STAGE_MYSQL_LOGIN || c->command == MYSQL_STMT_PREPARE ||
			c->command == MYSQL_FIELD_LIST || c->command == MYSQL_STATISTICS;

	if (status < MYSQL_NO_STATUS) {
		if (c->stage == STAGE_MYSQL_LOGIN) {
			c->stage = STAGE_MYSQL;
			c->wire.handshake_ns = now;
		}
		if (status & MYSQL_MORE_RESULTS)
			return;
		if (c->command != MYSQL_STMT_PREPARE)
			server__transaction(c, status & MYSQL_IN_TRANSACTION ? WIRE_TRANSACTION_OPEN
									     : WIRE_TRANSACTION_NONE, now);
	} else if (status == MYSQL_UNFINISHED && !unmarked) {
		return;
	}
	WRITE_ONCE(c->answered_seq, p->ack);
	WRITE_ONCE(c->answered, 1);
}

static __always_inline void server__opaque(struct connection *c, const struct payload *p, __u64 now)
{
	WRITE_ONCE(c->answered_seq, p->ack);
	WRITE_ONCE(c->answered, 1);
	if (c->wire.handshake_ns || protocol__speaks_at_once(c->wire.protocol))
		return;
	if (c->wire.protocol == WIRE_PROTOCOL_OTHER || c->flights >= TLS_LOGIN_OVER) {
		c->wire.handshake_ns = now;
		return;
	}
	/* MySQL's last answer is a short one: what follows the login is it, or an authentication more. */
	if (c->flights >= TLS_LOGIN_FLIGHTS &&
	    (p->size >= TLS_LOGIN_ANSWER || c->wire.protocol == WIRE_PROTOCOL_MYSQL) &&
	    p->head[0] == TLS_DATA)
		c->wire.handshake_ns = now;
}

static __always_inline void server__login(struct connection *c, const struct payload *p, __u64 now)
{
	__u8 transaction = postgres__ready(c->tail);

	if (transaction != WIRE_TRANSACTION_UNKNOWN) {
		server__transaction(c, transaction, now);
		if (!c->wire.handshake_ns)
			c->wire.handshake_ns = now;
	} else if (!c->flushed || !postgres__ends_flush(c->tail)) {
		return;
	}
	c->tail = 0;
	WRITE_ONCE(c->answered_seq, p->ack);
	WRITE_ONCE(c->answered, 1);
}

/* Of TDS the login is over with the first reply in tokens; of Oracle with the answer to the second half of its
 * authentication; the others have none that must be. */
static __always_inline void server__turns(struct connection *c, const struct payload *p, __u64 now)
{
	bool over = true;

	if (c->wire.protocol == WIRE_PROTOCOL_MONGODB && !mongodb__ends_reply(c, p))
		return;
	if (c->wire.protocol == WIRE_PROTOCOL_ORACLE)
		over = c->command == TTC_AUTHENTICATE;
	if (c->wire.protocol == WIRE_PROTOCOL_TDS) {
		__u8 state = tds__reply_state(p);

		/* Sealed, the login is over with the answer to the first sealed payload, and nothing more is seen. */
		over = tds__ends_reply(p) || c->command == TLS_DATA;
		if (state == WIRE_TRANSACTION_UNKNOWN)
			state = c->next_transaction;
		if (over && state != WIRE_TRANSACTION_UNKNOWN)
			server__transaction(c, state, now);
		/* A long reply: its end is still to come. */
		if (!over && c->wire.handshake_ns && !(c->wire.flags & WIRE_FLAG_TLS))
			return;
	}
	WRITE_ONCE(c->answered_seq, p->ack);
	WRITE_ONCE(c->answered, 1);
	if (!c->wire.handshake_ns && over)
		c->wire.handshake_ns = now;
}

__noinline int server__said(struct connection *c, struct payload *p)
{
	__u64 now;

	if (!c || !p || (c->received && (__s32)(p->end - c->received_seq) <= 0))
		return SAID_NOTHING;
	now = bpf_ktime_get_boot_ns();
	server__keep_tail(c, p);
	server__refusal(c, p);
	c->received_seq = p->end;
	c->received = 1;
	/* The server's goodbye may overtake the client's. */
	if (c->stage == STAGE_OPAQUE && (c->wire.flags & WIRE_FLAG_TLS) && tls__is_alert(p->head))
		return SAID_NOTHING;
	/* What comes in the client's turn, notices and the server's goodbye, answers nothing. */
	if (connection__turn(c) == WIRE_TURN_SERVER)
		c->wire.last_answer_ns = now;
	switch (c->stage) {
	case STAGE_CANDIDATE:
		if (c->wire.flags & WIRE_FLAG_LATE) {
			/* In the middle of a reply nothing can be told. */
			if (postgres__ready(c->tail) == WIRE_TRANSACTION_UNKNOWN)
				return SAID_NOTHING;
			c->stage = STAGE_LOGIN;
			c->wire.protocol = WIRE_PROTOCOL_POSTGRESQL;
			server__login(c, p, now);
		} else if (!server__greeting(c, p) && !keep_all) {
			/* Of the others the client speaks first. */
			return SAID_OTHER;
		}
		return SAID_NOTHING;
	case STAGE_ASKED_TLS:
		if (p->size != 1)
			return SAID_NOTHING;
		if ((c->tail & 0xff) == 'N') {
			c->stage = STAGE_CANDIDATE;
		} else if ((c->tail & 0xff) == 'S' || (c->tail & 0xff) == 'G') {
			c->stage = STAGE_OPAQUE;
			connection__set_flag(c, WIRE_FLAG_TLS);
		} else {
			return SAID_NOTHING;
		}
		WRITE_ONCE(c->answered_seq, p->ack);
		WRITE_ONCE(c->answered, 1);
		return SAID_NOTHING;
	case STAGE_OPAQUE:
		server__opaque(c, p, now);
		return SAID_NOTHING;
	case STAGE_MYSQL_LOGIN:
	case STAGE_MYSQL:
		server__mysql(c, p, now);
		return SAID_NOTHING;
	case STAGE_TURNS:
		server__turns(c, p, now);
		return SAID_NOTHING;
	case STAGE_REDIS:
		server__redis(c, p, now);
		return SAID_NOTHING;
	default:
		server__login(c, p, now);
		return SAID_NOTHING;
	}
}

