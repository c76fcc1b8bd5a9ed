/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * What the client says: protocol, names, requests, idle gaps, goodbye. */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "databases.h"
#include "mysql.h"
#include "packets.h"
#include "postgres.h"
#include "redis.h"

const volatile bool keep_all = false;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct postgres_startup);
} startup SEC(".maps");

/* A client's first packet in MySQL's login is never shorter than this once it is sealed; TLS 1.3's Finished before it is,
 * alone (74 bytes) and after a ChangeCipherSpec (80). */
#define MYSQL_SEALED_LOGIN 80

/* A sealed Terminate looks like a request until the alert that ends TLS follows it, unanswered: 27 to 69 bytes, and
 * drivers close at once; on a busy machine that takes them a while. */
#define TLS_GOODBYE_SIZE 80
#define TLS_GOODBYE_NS (1000ull * 1000 * 1000)

/* Functions of their own are what the verifier goes through once: in line, once for each way that leads there ("BPF
 * program is too large. Processed 1000001 insn"). */
__noinline int egress__postgres_startup(struct __sk_buff *skb, struct connection *c, __u32 at, __u32 size)
{
	struct postgres_startup *s;
	__u32 zero = 0;

	s = bpf_map_lookup_elem(&startup, &zero);
	if (s && c)
		postgres__read_startup(skb, at, size, s, c);
	return 0;
}

/* First bytes from the client. False where they are no database's and the record is to go. */
static __always_inline bool egress__identify(struct __sk_buff *skb, const struct segment *segment,
					     struct connection *c)
{
	bool late = c->wire.flags & WIRE_FLAG_LATE;
	__u32 first = POSTGRES_FIRST_OTHER;
	union {
		__be32 words[2];
		__u8 bytes[8];
	} head = {};

	if (segment->size >= 8 && bpf_skb_load_bytes(skb, segment->at, &head, 8) == 0)
		first = postgres__first(head.words, segment->size);
	else if (late && segment->size >= 5 && bpf_skb_load_bytes(skb, segment->at, &head, 5) != 0)
		return false;
	switch (first) {
	case POSTGRES_FIRST_TLS:
		c->stage = STAGE_ASKED_TLS;
		c->wire.protocol = WIRE_PROTOCOL_POSTGRESQL;
		return true;
	case POSTGRES_FIRST_STARTUP:
		c->stage = STAGE_LOGIN;
		c->wire.protocol = WIRE_PROTOCOL_POSTGRESQL;
		egress__postgres_startup(skb, c, segment->at, segment->size);
		return true;
	case POSTGRES_FIRST_CANCEL:
		return false;
	default:
		break;
	}
	if (segment->size >= 14 && redis__is_request(head.bytes)) {
		c->stage = STAGE_REDIS;
		c->wire.protocol = WIRE_PROTOCOL_REDIS;
		c->next_transaction = late ? WIRE_TRANSACTION_UNKNOWN : WIRE_TRANSACTION_NONE;
		return true;
	}
	if (late && segment->size >= 5 && mysql__is_command(head.bytes, segment->size) &&
	    (c->wire.remote_port == MYSQL_PORT || !postgres__is_client_message(head.bytes, segment->size))) {
		c->stage = STAGE_MYSQL;
		c->wire.protocol = WIRE_PROTOCOL_MYSQL;
		return true;
	}
	if (late && segment->size >= 5 && postgres__is_client_message(head.bytes, segment->size)) {
		c->stage = STAGE_LOGIN;
		c->wire.protocol = WIRE_PROTOCOL_POSTGRESQL;
		return true;
	}
	if (late && head.bytes[1] == 3 && head.bytes[0] >= TLS_FIRST && head.bytes[0] <= TLS_DATA) {
		__u8 protocol = database__assumed(c);

		/* Another to the same address may still tell. */
		if (!protocol && !keep_all)
			return true;
		if (protocol) {
			c->stage = STAGE_OPAQUE;
			c->wire.protocol = protocol;
			connection__set_flag(c, WIRE_FLAG_TLS | WIRE_FLAG_ASSUMED);
			return true;
		}
	}
	/* Redis under TLS begins with that, as do all but databases: only the port tells. */
	if ((c->wire.remote_port == REDIS_PORT || c->wire.remote_port == REDIS_TLS_PORT) && head.bytes[1] == 3 &&
	    head.bytes[0] == TLS_HANDSHAKE) {
		c->stage = STAGE_OPAQUE;
		c->wire.protocol = WIRE_PROTOCOL_REDIS;
		connection__set_flag(c, WIRE_FLAG_TLS | WIRE_FLAG_ASSUMED);
		return true;
	}
	if (!keep_all)
		return false;
	c->stage = STAGE_OPAQUE;
	c->wire.protocol = WIRE_PROTOCOL_OTHER;
	return true;
}

/* What the client sends under TLS. Redis has no login that all clients send: its requests begin where data does. */
static __always_inline __u8 egress__opaque(struct __sk_buff *skb, const struct segment *segment, struct connection *c,
					   bool over)
{
	__u8 head[5] = {};

	if (!(c->wire.flags & WIRE_FLAG_TLS) || bpf_skb_load_bytes(skb, segment->at, head, 5))
		return over ? KIND_REQUEST : KIND_LOGIN;
	if (tls__is_alert(head))
		return KIND_GOODBYE;
	if (over)
		return KIND_REQUEST;
	if (c->wire.protocol == WIRE_PROTOCOL_REDIS && head[0] == TLS_DATA) {
		c->wire.handshake_ns = bpf_ktime_get_boot_ns();
		return KIND_REQUEST;
	}
	if (c->wire.protocol == WIRE_PROTOCOL_MYSQL &&
	    segment->size > (head[0] == TLS_DATA ? MYSQL_SEALED_LOGIN : 2 * MYSQL_SEALED_LOGIN) &&
	    (head[0] == TLS_DATA || head[0] == TLS_FIRST) && c->flights < TLS_LOGIN_FLIGHTS)
		c->flights = TLS_LOGIN_FLIGHTS;
	return KIND_LOGIN;
}

/* The names in the client's first packet, of 37 bytes at least. */
__noinline int egress__mysql_login(struct __sk_buff *skb, struct connection *c, __u32 at, __u32 size)
{
	struct postgres_startup *s;
	__u32 zero = 0;

	s = bpf_map_lookup_elem(&startup, &zero);
	if (!s || !c || s->busy)
		return 0;
	if (size > POSTGRES_STARTUP)
		size = POSTGRES_STARTUP;
	/* "R3 min value is outside of the allowed memory range": as in postgres__read_startup(). */
	asm volatile("" : "+r"(size));
	size = ((size - 1) & (POSTGRES_STARTUP - 1)) + 1;
	s->busy = 1;
	if (bpf_skb_load_bytes(skb, at, s->text, size) == 0)
		mysql__read_names(s, c);
	__builtin_memset(s->text, 0, sizeof(s->text));
	s->busy = 0;
	return 0;
}

static __always_inline __u8 egress__mysql(struct __sk_buff *skb, const struct segment *segment, struct connection *c)
{
	__u8 head[8] = {};

	if (segment->size < 5 || bpf_skb_load_bytes(skb, segment->at, head, 5))
		return c->stage == STAGE_MYSQL ? KIND_REQUEST : KIND_LOGIN;
	if (c->stage == STAGE_MYSQL_LOGIN) {
		bpf_skb_load_bytes(skb, segment->at + 5, head + 5, 1);
		if (head[3] != 1 || segment->size < MYSQL_TLS_REQUEST)
			return KIND_LOGIN;
		if (segment->size == MYSQL_TLS_REQUEST) {
			if ((head[5] << 8) & MYSQL_TLS) {
				c->stage = STAGE_OPAQUE;
				connection__set_flag(c, WIRE_FLAG_TLS);
			}
			return KIND_LOGIN;
		}
		egress__mysql_login(skb, c, segment->at, segment->size);
		return KIND_LOGIN;
	}
	if (segment->size == 5 && head[0] == 1 && head[4] == MYSQL_QUIT)
		return KIND_GOODBYE;
	if (head[3] != 0)
		return KIND_REQUEST; /* the rest of a long one */
	if (mysql__is_unanswered(head, segment->size))
		return KIND_UNANSWERED;
	c->command = head[4];
	if (head[4] == MYSQL_BINLOG_DUMP || head[4] == MYSQL_BINLOG_DUMP_GTID)
		connection__set_flag(c, WIRE_FLAG_STREAM);
	return KIND_REQUEST;
}

/* What drivers send before anything else is the login, wherever they stop; later the same commands are requests. */
static __always_inline __u8 egress__redis(struct __sk_buff *skb, const struct segment *segment, struct connection *c)
{
	__u32 command = redis__command(skb, segment);

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

/* What this payload is to the connection; also notes whether it ends in Flush. */
__noinline int egress__kind(struct __sk_buff *skb, struct connection *c, __u32 at, __u32 size)
{
	const struct segment whole = {.at = at, .size = size};
	const struct segment *segment = &whole;
	__u8 last[8] = {};
	bool over;

	if (!c)
		return KIND_LOGIN;
	over = c->wire.handshake_ns || (c->wire.flags & WIRE_FLAG_LATE) || c->wire.protocol == WIRE_PROTOCOL_OTHER;
	c->flushed = 0;
	if (c->stage == STAGE_REDIS)
		return egress__redis(skb, segment, c);
	if (c->stage == STAGE_MYSQL_LOGIN || c->stage == STAGE_MYSQL)
		return egress__mysql(skb, segment, c);
	if (segment->size < 5)
		return over ? KIND_REQUEST : KIND_LOGIN;
	if (c->stage == STAGE_OPAQUE)
		return egress__opaque(skb, segment, c, over);
	if (bpf_skb_load_bytes(skb, at + size - 5, last, 5))
		return KIND_LOGIN;
	if (last[1] == 0 && last[2] == 0 && last[3] == 0 && last[4] == 4) {
		if (last[0] == 'X' && segment->size == 5)
			return KIND_GOODBYE;
		c->flushed = last[0] == 'H';
	}
	return over ? KIND_REQUEST : KIND_LOGIN;
}

/* What cannot be read is zero, and no LISTEN. */
static __always_inline void egress__role(struct __sk_buff *skb, const struct segment *segment, struct connection *c)
{
	__u8 type = 0;
	__u64 text = 0;

	if (c->stage != STAGE_LOGIN)
		return;
	bpf_skb_load_bytes(skb, segment->at, &type, sizeof(type));
	bpf_skb_load_bytes(skb, segment->at + 5, &text, sizeof(text));
	__sync_fetch_and_or(&c->wire.flags, WIRE_FLAG_LISTEN * postgres__is_listen(type, text));
}

/* A request in the client's turn: the last one was answered, so the gap before it is complete now. */
static __always_inline void egress__request(struct connection *c, __u64 now)
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

/* Takes the last request back where it was the goodbye. The gap before it stays uncounted: it was pending. */
static __always_inline void egress__undo_goodbye(struct connection *c, __u64 now)
{
	if (c->kind != KIND_REQUEST || c->last_size > TLS_GOODBYE_SIZE || now - c->wire.last_use_ns > TLS_GOODBYE_NS ||
	    connection__turn(c) != WIRE_TURN_SERVER)
		return;
	c->wire.requests--;
	c->wire.pending_gap_ns = 0;
	c->wire.last_use_ns = c->prior_use_ns;
	WRITE_ONCE(c->request_seq, c->prior_request_seq);
	WRITE_ONCE(c->asked, c->prior_asked);
	if (!c->wire.requests)
		c->wire.first_use_ns = 0;
	c->undone = 1;
}

static __always_inline void egress__payload(struct __sk_buff *skb, struct bpf_sock *sk, struct connection *c,
					    const struct segment *segment)
{
	__u64 now = bpf_ktime_get_boot_ns();
	bool turn_ours;
	__u8 kind;

	if (c->sent && (__s32)(segment->end - c->sent_seq) <= 0)
		return;
	if ((c->stage == STAGE_CANDIDATE) && !egress__identify(skb, segment, c)) {
		connection__dismiss(sk, c, HOOK_EGRESS, now);
		return;
	}
	if (c->stage != STAGE_CANDIDATE && !c->sent && !(c->wire.flags & WIRE_FLAG_ASSUMED))
		database__learn(c);
	turn_ours = connection__turn(c) != WIRE_TURN_SERVER;
	c->sent_seq = segment->end;
	c->sent = 1;
	kind = egress__kind(skb, c, segment->at, segment->size);
	if (kind == KIND_GOODBYE) {
		if (c->stage == STAGE_OPAQUE)
			egress__undo_goodbye(c, now);
		c->kind = kind;
		connection__set_flag(c, WIRE_FLAG_GOODBYE);
		return;
	}
	if (kind == KIND_UNANSWERED) {
		c->wire.last_use_ns = now;
		return;
	}
	c->kind = kind;
	c->last_size = segment->size;
	if (turn_ours && c->flights < 255)
		c->flights++;
	if (c->kind == KIND_REQUEST) {
		egress__role(skb, segment, c);
		if (turn_ours) {
			c->prior_use_ns = c->wire.last_use_ns;
			c->prior_request_seq = c->request_seq;
			c->prior_asked = c->asked;
			egress__request(c, now);
		}
		c->wire.last_use_ns = now;
	}
	WRITE_ONCE(c->request_seq, segment->end);
	WRITE_ONCE(c->asked, 1);
}

/* "HTTP/1.1 503": the tenth byte tells; nothing of the text is kept. */
static __always_inline void egress__session(struct __sk_buff *skb, struct bpf_sock *sk)
{
	struct session *session = bpf_sk_storage_get(&sessions, sk, NULL, 0);
	struct segment segment;
	__u8 head[10];

	if (!session || !session->waiting_ns || !segment__read(skb, &segment) || segment.size < sizeof(head) ||
	    bpf_skb_load_bytes(skb, segment.at, head, sizeof(head)))
		return;
	if (head[0] == 'H' && head[1] == 'T' && head[2] == 'T' && head[3] == 'P' && head[4] == '/' && head[8] == ' ' &&
	    head[9] == '5')
		session->failed = 1;
}

/* Lets every packet pass. */
SEC("cgroup_skb/egress")
int cgroup_skb__egress(struct __sk_buff *skb)
{
	struct segment segment;
	struct bpf_sock *sk = NULL;
	struct connection *c = packet__connection(skb, &sk);

	if (!c) {
		if (sk && READ_ONCE(any_session))
			egress__session(skb, sk);
		return 1;
	}
	if (!c->end && segment__read(skb, &segment)) {
		count__hit(HOOK_EGRESS);
		egress__payload(skb, sk, c, &segment);
	}
	return 1;
}
