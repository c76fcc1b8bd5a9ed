/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * What the client says: protocol, names, requests, idle gaps, goodbye. */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "databases.h"
#include "first.h"
#include "goodbye.h"
#include "maps.h"
#include "mysql.h"
#include "names.h"
#include "payload.h"
#include "postgres.h"
#include "redis.h"

/* A client's first packet in MySQL's login is never shorter than this once it is sealed; TLS 1.3's Finished before it is,
 * alone (74 bytes) and after a ChangeCipherSpec (80). */
#define MYSQL_SEALED_LOGIN 80

/* It speaks `protocol`: enum said. */
static __always_inline int client__begin(struct connection *c, const struct payload *p, __u8 protocol)
{
	bool late = c->wire.flags & WIRE_FLAG_LATE;

	c->wire.protocol = protocol;
	switch (protocol) {
	case WIRE_PROTOCOL_POSTGRESQL:
		if (first__of_postgres(p) == POSTGRES_FIRST_TLS) {
			c->stage = STAGE_ASKED_TLS;
			return SAID_NOTHING;
		}
		c->stage = STAGE_LOGIN;
		return first__of_postgres(p) == POSTGRES_FIRST_STARTUP ? SAID_POSTGRES_NAMES : SAID_NOTHING;
	case WIRE_PROTOCOL_MYSQL:
		if (mysql__is_login(p->head, p->size)) {
			c->stage = STAGE_MYSQL_LOGIN;
			return SAID_MYSQL_NAMES;
		}
		c->stage = STAGE_MYSQL;
		return SAID_NOTHING;
	case WIRE_PROTOCOL_REDIS:
		c->stage = STAGE_REDIS;
		c->next_transaction = late ? WIRE_TRANSACTION_UNKNOWN : WIRE_TRANSACTION_NONE;
		return SAID_NOTHING;
	default:
		c->stage = STAGE_TURNS;
		return SAID_NOTHING;
	}
}

/* First bytes from the client: enum said. */
static __always_inline int client__identify(struct connection *c, const struct payload *p)
{
	bool late = c->wire.flags & WIRE_FLAG_LATE;
	const __u8 *head = p->head;
	__u8 protocol;

	if (first__of_postgres(p) == POSTGRES_FIRST_CANCEL)
		return SAID_OTHER;
	protocol = first__protocol(p);
	if (!protocol && late)
		protocol = later__protocol(p, c->wire.remote_port == MYSQL_PORT ? WIRE_PROTOCOL_MYSQL : c->wire.protocol);
	if (protocol)
		return client__begin(c, p, protocol);
	/* Under TLS from the first byte, as most that are no database's: only what is usual there tells. */
	if (head[1] == 3 && (late ? head[0] >= TLS_FIRST && head[0] <= TLS_DATA : head[0] == TLS_HANDSHAKE)) {
		protocol = late ? database__assumed(c) : port__protocol_under_tls(c->wire.remote_port);
		/* Another to the same address may still tell. */
		if (!protocol && late && !keep_all)
			return SAID_NOTHING;
		if (protocol) {
			c->stage = STAGE_OPAQUE;
			c->wire.protocol = protocol;
			connection__set_flag(c, WIRE_FLAG_TLS | WIRE_FLAG_ASSUMED);
			return SAID_NOTHING;
		}
	}
	if (!keep_all)
		return SAID_OTHER;
	c->stage = STAGE_OPAQUE;
	c->wire.protocol = WIRE_PROTOCOL_OTHER;
	return SAID_NOTHING;
}

/* What the client sends under TLS. Where no login is known of, requests begin where data does. */
static __always_inline __u8 client__opaque(struct connection *c, const struct payload *p, bool over)
{
	const __u8 *head = p->head;

	if (!(c->wire.flags & WIRE_FLAG_TLS))
		return over ? KIND_REQUEST : KIND_LOGIN;
	if (tls__is_alert(head))
		return KIND_GOODBYE;
	if (over)
		return KIND_REQUEST;
	if (protocol__speaks_at_once(c->wire.protocol) && head[0] == TLS_DATA) {
		c->wire.handshake_ns = bpf_ktime_get_boot_ns();
		return KIND_REQUEST;
	}
	if (c->wire.protocol == WIRE_PROTOCOL_MYSQL &&
	    p->size > (head[0] == TLS_DATA ? MYSQL_SEALED_LOGIN : 2 * MYSQL_SEALED_LOGIN) &&
	    (head[0] == TLS_DATA || head[0] == TLS_FIRST) && c->flights < TLS_LOGIN_FLIGHTS)
		c->flights = TLS_LOGIN_FLIGHTS;
	return KIND_LOGIN;
}

static __always_inline __u8 client__mysql(struct connection *c, const struct payload *p)
{
	const __u8 *head = p->head;

	if (p->size < 5)
		return c->stage == STAGE_MYSQL ? KIND_REQUEST : KIND_LOGIN;
	if (c->stage == STAGE_MYSQL_LOGIN) {
		if (head[3] == 1 && p->size == MYSQL_TLS_REQUEST && (head[5] << 8) & MYSQL_TLS) {
			c->stage = STAGE_OPAQUE;
			connection__set_flag(c, WIRE_FLAG_TLS);
		}
		return KIND_LOGIN;
	}
	if (p->size == 5 && head[0] == 1 && head[4] == MYSQL_QUIT)
		return KIND_GOODBYE;
	if (head[3] != 0)
		return KIND_REQUEST; /* the rest of a long one */
	if (mysql__is_unanswered(head, p->size))
		return KIND_UNANSWERED;
	c->command = head[4];
	if (head[4] == MYSQL_BINLOG_DUMP || head[4] == MYSQL_BINLOG_DUMP_GTID)
		connection__set_flag(c, WIRE_FLAG_STREAM);
	return KIND_REQUEST;
}

/* What drivers send before anything else is the login, wherever they stop; later the same commands are requests. */
static __always_inline __u8 client__redis(struct connection *c, const struct payload *p)
{
	__u32 command = redis__command(p);

	if (command == REDIS_QUIT)
		return KIND_GOODBYE;
	if (command == REDIS_LOGIN && !c->wire.requests && !(c->wire.flags & WIRE_FLAG_LATE))
		return KIND_LOGIN;
	if (command == REDIS_STREAM)
		connection__set_flag(c, WIRE_FLAG_STREAM);
	if (command == REDIS_MULTI)
		c->next_transaction = WIRE_TRANSACTION_OPEN;
	if (command == REDIS_END)
		c->next_transaction = WIRE_TRANSACTION_NONE;
	return KIND_REQUEST;
}

static __always_inline __u8 client__tds(struct connection *c, const struct payload *p, bool over)
{
	if (tls__is_alert(p->head))
		return KIND_GOODBYE;
	/* After the first packets TLS may take over, for the login or for good. */
	if (p->head[0] == TLS_DATA && p->head[1] == 3) {
		if (over)
			connection__set_flag(c, WIRE_FLAG_TLS);
		else
			c->command = TLS_DATA;
	} else {
		c->command = 0;
	}
	c->next_transaction = tds__request_state(p);
	return over ? KIND_REQUEST : KIND_LOGIN;
}

static __always_inline __u8 client__turns(struct connection *c, const struct payload *p, bool over)
{
	switch (c->wire.protocol) {
	case WIRE_PROTOCOL_MONGODB:
		return mongodb__kind(c, p);
	case WIRE_PROTOCOL_TDS:
		return client__tds(c, p, over);
	case WIRE_PROTOCOL_ORACLE:
		return oracle__kind(c, p, over);
	case WIRE_PROTOCOL_CASSANDRA:
		return cassandra__kind(c, p, over);
	default:
		return memcached__kind(p);
	}
}

/* What this payload is to the connection; also notes whether it ends in Flush. */
__noinline int client__kind(struct connection *c, struct payload *p)
{
	bool over;

	if (!c || !p)
		return KIND_LOGIN;
	over = c->wire.handshake_ns || (c->wire.flags & WIRE_FLAG_LATE) || c->wire.protocol == WIRE_PROTOCOL_OTHER;
	c->flushed = 0;
	if (c->stage == STAGE_REDIS)
		return client__redis(c, p);
	if (c->stage == STAGE_MYSQL_LOGIN || c->stage == STAGE_MYSQL)
		return client__mysql(c, p);
	if (c->stage == STAGE_TURNS)
		return client__turns(c, p, over);
	if (p->size < 5)
		return over ? KIND_REQUEST : KIND_LOGIN;
	if (c->stage == STAGE_OPAQUE)
		return client__opaque(c, p, over);
	if ((p->tail & 0xffffffff) == 4) {
		__u8 type = payload__last(p, 4);

		if (type == 'X' && p->size == 5)
			return KIND_GOODBYE;
		c->flushed = type == 'H';
	}
	return over ? KIND_REQUEST : KIND_LOGIN;
}

static __always_inline void client__role(struct connection *c, const struct payload *p)
{
	__u64 text = 0;

	if (c->stage != STAGE_LOGIN)
		return;
	for (int i = 12; i >= 5; i--)
		text = text << 8 | p->head[i];
	__sync_fetch_and_or(&c->wire.flags, WIRE_FLAG_LISTEN * postgres__is_listen(p->head[0], text));
}

/* A request in the client's turn: the last one was answered, so the gap before it is complete now. */
static __always_inline void client__request(struct connection *c, __u64 now)
{
	__u64 since = c->wire.last_answer_ns > c->wire.handshake_ns ? c->wire.last_answer_ns : c->wire.handshake_ns;
	__u64 gap = c->wire.pending_gap_ns;

	if (gap) {
		__u32 bucket = wire_gap_bucket(gap);

		if (bucket < WIRE_GAP_BUCKETS && c->gap_counts[bucket] != 0xffff)
			c->gap_counts[bucket]++;
		if (gap > c->wire.longest_gap_ns)
			c->wire.longest_gap_ns = gap;
		c->wire.gaps++;
	}
	/* From birth to first use is no gap. */
	c->wire.pending_gap_ns = c->wire.first_use_ns && since && now > since ? now - since : 0;
	if (!c->wire.first_use_ns)
		c->wire.first_use_ns = now;
	c->wire.requests++;
}

__noinline int client__said(struct connection *c, struct payload *p)
{
	int said = SAID_NOTHING;
	bool turn_ours;
	__u64 now;
	__u8 kind;

	if (!c || !p || (c->sent && (__s32)(p->end - c->sent_seq) <= 0))
		return SAID_NOTHING;
	now = bpf_ktime_get_boot_ns();
	if (c->stage == STAGE_CANDIDATE)
		said = client__identify(c, p);
	else if (c->stage == STAGE_MYSQL_LOGIN && p->head[3] == 1 && p->size > MYSQL_TLS_REQUEST)
		said = SAID_MYSQL_NAMES;
	if (said == SAID_OTHER)
		return said;
	if (c->stage != STAGE_CANDIDATE && !c->sent && !(c->wire.flags & WIRE_FLAG_ASSUMED) && c->wire.family != AF_UNIX)
		database__learn(c);
	turn_ours = connection__turn(c) != WIRE_TURN_SERVER;
	c->sent_seq = p->end;
	c->sent = 1;
	kind = client__kind(c, p);
	if (kind == KIND_GOODBYE) {
		if (c->stage == STAGE_OPAQUE)
			connection__undo_goodbye(c, now);
		c->kind = kind;
		connection__set_flag(c, WIRE_FLAG_GOODBYE);
		return said;
	}
	if (kind == KIND_UNANSWERED) {
		c->wire.last_use_ns = now;
		return said;
	}
	c->kind = kind;
	c->last_size = p->size;
	if (turn_ours && c->flights < 255)
		c->flights++;
	if (c->kind == KIND_REQUEST) {
		client__role(c, p);
		if (turn_ours) {
			c->prior_use_ns = c->wire.last_use_ns;
			c->prior_request_seq = c->request_seq;
			c->prior_asked = c->asked;
			client__request(c, now);
		}
		c->wire.last_use_ns = now;
	}
	WRITE_ONCE(c->request_seq, p->end);
	WRITE_ONCE(c->asked, 1);
	return said;
}
