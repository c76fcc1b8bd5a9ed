/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * What the server says: end of the login, whose turn it is, transaction state. */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "mysql.h"
#include "packets.h"
#include "postgres.h"
#include "redis.h"

/* The last 8 bytes of the stream, which may lie in two segments; only of what follows without a hole. */
static __always_inline void ingress__keep_tail(struct __sk_buff *skb, struct connection *c,
					       const struct segment *segment)
{
	__u64 tail = c->received && c->received_seq == segment->seq ? c->tail : 0;
	__u32 size = segment->size;
	__be64 last = 0;

	if (size >= 8) {
		if (bpf_skb_load_bytes(skb, segment->at + size - 8, &last, 8) == 0)
			tail = bpf_be64_to_cpu(last);
		else
			tail = 0;
	} else {
		/* "R3 min value is outside of the allowed memory range": as in postgres__read_startup(). */
		asm volatile("" : "+r"(size));
		size = ((size - 1) & 7) + 1;
		if (bpf_skb_load_bytes(skb, segment->at, &last, size) == 0)
			tail = tail << (8 * size & 63) | bpf_be64_to_cpu(last) >> (64 - 8 * size & 63);
		else
			tail = 0;
	}
	c->tail = tail;
}

/* The server told the state of the transaction. */
static __always_inline void ingress__transaction(struct connection *c, __u8 transaction, __u64 now)
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
static __always_inline void ingress__redis(struct connection *c, const struct segment *segment, __u64 now)
{
	WRITE_ONCE(c->answered_seq, segment->ack);
	WRITE_ONCE(c->answered, 1);
	if (!c->wire.handshake_ns)
		c->wire.handshake_ns = now;
	if (c->next_transaction != c->wire.transaction)
		ingress__transaction(c, c->next_transaction, now);
}

/* False where the first bytes of a server that speaks first are neither a greeting nor a refusal. */
static __always_inline bool ingress__greeting(struct __sk_buff *skb, struct connection *c,
					      const struct segment *segment)
{
	__u8 head[8] = {};

	if (segment->size < 8 || bpf_skb_load_bytes(skb, segment->at, head, 8))
		return false;
	if (redis__is_refusal(head)) {
		connection__set_flag(c, WIRE_FLAG_REFUSED);
		c->wire.protocol = WIRE_PROTOCOL_REDIS;
		c->stage = STAGE_REDIS;
	} else {
		if (mysql__is_refusal(head, segment->size))
			connection__set_flag(c, WIRE_FLAG_REFUSED);
		else if (!mysql__is_greeting(head, segment->size))
			return false;
		c->wire.protocol = WIRE_PROTOCOL_MYSQL;
		c->stage = STAGE_MYSQL_LOGIN;
	}
	WRITE_ONCE(c->answered_seq, segment->ack);
	WRITE_ONCE(c->answered, 1);
	return true;
}

/* Nothing was answered before: does the server refuse for want of a slot? */
static __always_inline void ingress__refusal(struct __sk_buff *skb, struct connection *c,
					     const struct segment *segment)
{
	__u8 text[8] = {};

	if (c->wire.handshake_ns || (c->wire.flags & WIRE_FLAG_LATE))
		return;
	if (c->stage == STAGE_LOGIN && segment->size > 26 && bpf_skb_load_bytes(skb, segment->at + 19, text, 7) == 0 &&
	    postgres__is_refusal(text))
		connection__set_flag(c, WIRE_FLAG_REFUSED);
	if (c->stage == STAGE_REDIS && segment->size > 8 && bpf_skb_load_bytes(skb, segment->at, text, 8) == 0 &&
	    redis__is_refusal(text))
		connection__set_flag(c, WIRE_FLAG_REFUSED);
	if (c->stage == STAGE_MYSQL_LOGIN && segment->size > 8 &&
	    bpf_skb_load_bytes(skb, segment->at, text, 8) == 0 && mysql__is_refusal(text, segment->size))
		connection__set_flag(c, WIRE_FLAG_REFUSED);
}

/* Of a few commands the replies have no mark at their end: there the turn goes by direction. */
static __always_inline void ingress__mysql(struct __sk_buff *skb, struct connection *c,
					   const struct segment *segment, __u64 now)
{
	__u32 status = mysql__reply(skb, segment);
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
			ingress__transaction(c, status & MYSQL_IN_TRANSACTION ? WIRE_TRANSACTION_OPEN
									     : WIRE_TRANSACTION_NONE, now);
	} else if (status == MYSQL_UNFINISHED && !unmarked) {
		return;
	}
	WRITE_ONCE(c->answered_seq, segment->ack);
	WRITE_ONCE(c->answered, 1);
}

static __always_inline void ingress__opaque(struct __sk_buff *skb, struct connection *c,
					    const struct segment *segment, __u64 now)
{
	__u8 type = 0;

	WRITE_ONCE(c->answered_seq, segment->ack);
	WRITE_ONCE(c->answered, 1);
	if (c->wire.handshake_ns || c->wire.protocol == WIRE_PROTOCOL_REDIS)
		return;
	if (c->wire.protocol == WIRE_PROTOCOL_OTHER || c->flights >= TLS_LOGIN_OVER) {
		c->wire.handshake_ns = now;
		return;
	}
	/* MySQL's last answer is a short one: what follows the login is it, or an authentication more. */
	if (c->flights >= TLS_LOGIN_FLIGHTS &&
	    (segment->size >= TLS_LOGIN_ANSWER || c->wire.protocol == WIRE_PROTOCOL_MYSQL) &&
	    bpf_skb_load_bytes(skb, segment->at, &type, 1) == 0 && type == TLS_DATA)
		c->wire.handshake_ns = now;
}

static __always_inline void ingress__login(struct connection *c, const struct segment *segment, __u64 now)
{
	__u8 transaction = postgres__ready(c->tail);

	if (transaction != WIRE_TRANSACTION_UNKNOWN) {
		ingress__transaction(c, transaction, now);
		if (!c->wire.handshake_ns)
			c->wire.handshake_ns = now;
	} else if (!c->flushed || !postgres__ends_flush(c->tail)) {
		return;
	}
	c->tail = 0;
	WRITE_ONCE(c->answered_seq, segment->ack);
	WRITE_ONCE(c->answered, 1);
}

static __always_inline void ingress__payload(struct __sk_buff *skb, struct bpf_sock *sk, struct connection *c,
					     const struct segment *segment)
{
	__u64 now = bpf_ktime_get_boot_ns();
	__u8 head[5] = {};

	if (c->received && (__s32)(segment->end - c->received_seq) <= 0)
		return;
	ingress__keep_tail(skb, c, segment);
	ingress__refusal(skb, c, segment);
	c->received_seq = segment->end;
	c->received = 1;
	/* The server's goodbye may overtake the client's. */
	if (c->stage == STAGE_OPAQUE && (c->wire.flags & WIRE_FLAG_TLS) &&
	    bpf_skb_load_bytes(skb, segment->at, head, sizeof(head)) == 0 && tls__is_alert(head))
		return;
	/* What comes in the client's turn, notices and the server's goodbye, answers nothing. */
	if (connection__turn(c) == WIRE_TURN_SERVER)
		c->wire.last_answer_ns = now;
	switch (c->stage) {
	case STAGE_CANDIDATE:
		if (c->wire.flags & WIRE_FLAG_LATE) {
			/* In the middle of a reply nothing can be told. */
			if (postgres__ready(c->tail) == WIRE_TRANSACTION_UNKNOWN)
				return;
			c->stage = STAGE_LOGIN;
			c->wire.protocol = WIRE_PROTOCOL_POSTGRESQL;
			ingress__login(c, segment, now);
		} else if (!ingress__greeting(skb, c, segment) && !keep_all) {
			/* Of the others the client speaks first. */
			connection__dismiss(sk, c, HOOK_INGRESS, now);
		}
		return;
	case STAGE_ASKED_TLS:
		if (segment->size != 1)
			return;
		if ((c->tail & 0xff) == 'N') {
			c->stage = STAGE_CANDIDATE;
		} else if ((c->tail & 0xff) == 'S' || (c->tail & 0xff) == 'G') {
			c->stage = STAGE_OPAQUE;
			connection__set_flag(c, WIRE_FLAG_TLS);
		} else {
			return;
		}
		WRITE_ONCE(c->answered_seq, segment->ack);
		WRITE_ONCE(c->answered, 1);
		return;
	case STAGE_OPAQUE:
		ingress__opaque(skb, c, segment, now);
		return;
	case STAGE_MYSQL_LOGIN:
	case STAGE_MYSQL:
		ingress__mysql(skb, c, segment, now);
		return;
	case STAGE_REDIS:
		ingress__redis(c, segment, now);
		return;
	default:
		ingress__login(c, segment, now);
		return;
	}
}

/* Lets every packet pass. */
SEC("cgroup_skb/ingress")
int cgroup_skb__ingress(struct __sk_buff *skb)
{
	struct segment segment;
	struct bpf_sock *sk = NULL;
	struct connection *c = packet__connection(skb, &sk);

	if (c && !c->end && segment__read(skb, &segment)) {
		count__hit(HOOK_INGRESS);
		ingress__payload(skb, sk, c, &segment);
	}
	return 1;
}
