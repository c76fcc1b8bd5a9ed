/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Protocol, turn, transaction, requests and gaps, from the payload that passes. */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "emit.h"
#include "maps.h"
#include "postgres.h"

/* Keep connections that are not to a database. */
const volatile bool keep_all = false;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct postgres_startup);
} startup SEC(".maps");

struct segment {
	__u32 seq; /* of the first payload byte */
	__u32 end;
	__u32 ack;
	__u32 at;   /* of the payload in the packet */
	__u32 size; /* of the payload */
};

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86DD
#define IPV6_HEADER 40
#define TCP_HEADER 20
#define TLS_ALERT 0x15
#define TLS_DATA 0x17
#define TLS_FIRST 0x14 /* ChangeCipherSpec, alert, handshake, application data: 0x14 to 0x17 */
#define POSTGRESQL_PORT 5432

/* Under TLS the end of a login cannot be read. The answer that ends it carries the server's parameters: 256 bytes
 * and more of application data, after at least three turns of the client (TLS request, hello, startup); the
 * certificate comes earlier, and what authentication says is shorter. Where that is never seen, the sixth turn. */
#define TLS_LOGIN_FLIGHTS 3
#define TLS_LOGIN_ANSWER 256
#define TLS_LOGIN_OVER 6

/* A sealed Terminate looks like a request until the alert that ends TLS follows it: 27 to 69 bytes, and drivers close
 * at once. */
#define TLS_GOODBYE_SIZE 80
#define TLS_GOODBYE_NS (10ull * 1000 * 1000)

/* False where the packet carries no TCP payload. Extension headers of IPv6 are not followed: databases' peers do not
 * send them. */
static __always_inline bool segment__read(struct __sk_buff *skb, struct segment *segment)
{
	__u8 tcp[TCP_HEADER];
	__u8 first[10];
	__u32 at, header;

	if (bpf_skb_load_bytes(skb, 0, first, sizeof(first)))
		return false;
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (first[9] != IPPROTO_TCP)
			return false;
		at = (first[0] & 0xf) * 4;
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		if (first[6] != IPPROTO_TCP)
			return false;
		at = IPV6_HEADER;
	} else {
		return false;
	}
	if (bpf_skb_load_bytes(skb, at, tcp, sizeof(tcp)))
		return false;
	header = (tcp[12] >> 4) * 4;
	/* Not the length of the IP header: that is 0 in a packet of more than 64 KiB. */
	if (skb->len <= at + header)
		return false;
	segment->at = at + header;
	segment->size = skb->len - segment->at;
	segment->seq = bpf_ntohl(*(__be32 *)(tcp + 4)) + (tcp[13] >> 1 & 1);
	segment->ack = bpf_ntohl(*(__be32 *)(tcp + 8));
	segment->end = segment->seq + segment->size;
	return true;
}

static __always_inline void connection__dismiss(struct bpf_sock *sk, struct connection *c, __u32 hook, __u64 now)
{
	c->wire.protocol = WIRE_PROTOCOL_OTHER;
	emit__edge(hook, WIRE_DISMISSED, c, NULL, now);
	bpf_sk_storage_delete(&stacks, sk);
	bpf_sk_storage_delete(&connections, sk);
}

/* First bytes from the client. False where they are no database's and the record is to go. */
static __always_inline bool egress__identify(struct __sk_buff *skb, const struct segment *segment,
					     struct connection *c)
{
	bool late = c->wire.flags & WIRE_FLAG_LATE;
	__u32 first = POSTGRES_FIRST_OTHER;
	__u32 zero = 0;
	struct postgres_startup *s;
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
		s = bpf_map_lookup_elem(&startup, &zero);
		if (s)
			postgres__read_startup(skb, segment->at, segment->size, s, c);
		return true;
	case POSTGRES_FIRST_CANCEL:
		return false;
	default:
		break;
	}
	if (late && segment->size >= 5 && postgres__is_client_message(head.bytes, segment->size)) {
		c->stage = STAGE_LOGIN;
		c->wire.protocol = WIRE_PROTOCOL_POSTGRESQL;
		return true;
	}
	if (late && c->wire.remote_port == POSTGRESQL_PORT && head.bytes[1] == 3 && head.bytes[0] >= TLS_FIRST &&
	    head.bytes[0] <= TLS_DATA) {
		c->stage = STAGE_OPAQUE;
		c->wire.protocol = WIRE_PROTOCOL_POSTGRESQL;
		connection__set_flag(c, WIRE_FLAG_TLS | WIRE_FLAG_ASSUMED);
		return true;
	}
	if (!keep_all)
		return false;
	c->stage = STAGE_OPAQUE;
	c->wire.protocol = WIRE_PROTOCOL_OTHER;
	return true;
}

/* TLS 1.3 seals alerts as application data: two bytes, their type and a tag of 16; no message of PostgreSQL is as
 * short. */
static __always_inline bool tls__is_alert(const __u8 head[5])
{
	return head[1] == 3 && (head[0] == TLS_ALERT || (head[0] == TLS_DATA && head[3] == 0 && head[4] == 19));
}

/* What this payload is to the connection; also notes whether it ends in Flush. */
static __always_inline __u8 egress__kind(struct __sk_buff *skb, const struct segment *segment, struct connection *c)
{
	__u8 last[8] = {};
	bool over = c->wire.handshake_ns || (c->wire.flags & WIRE_FLAG_LATE) ||
		    c->wire.protocol == WIRE_PROTOCOL_OTHER;

	c->flushed = 0;
	if (segment->size < 5)
		return over ? KIND_REQUEST : KIND_LOGIN;
	if (c->stage == STAGE_OPAQUE) {
		if ((c->wire.flags & WIRE_FLAG_TLS) && bpf_skb_load_bytes(skb, segment->at, last, 5) == 0 &&
		    tls__is_alert(last))
			return KIND_GOODBYE;
		return over ? KIND_REQUEST : KIND_LOGIN;
	}
	if (bpf_skb_load_bytes(skb, segment->end - segment->seq + segment->at - 5, last, 5))
		return KIND_LOGIN;
	if (last[1] == 0 && last[2] == 0 && last[3] == 0 && last[4] == 4) {
		if (last[0] == 'X' && segment->size == 5)
			return KIND_GOODBYE;
		c->flushed = last[0] == 'H';
	}
	return over ? KIND_REQUEST : KIND_LOGIN;
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
	if (c->kind != KIND_REQUEST || c->last_size > TLS_GOODBYE_SIZE || now - c->wire.last_use_ns > TLS_GOODBYE_NS)
		return;
	c->wire.requests--;
	c->wire.pending_gap_ns = 0;
	c->wire.last_use_ns = c->prior_use_ns;
	WRITE_ONCE(c->request_seq, c->prior_request_seq);
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
	turn_ours = connection__turn(c) != WIRE_TURN_SERVER;
	c->sent_seq = segment->end;
	c->sent = 1;
	kind = egress__kind(skb, segment, c);
	if (kind == KIND_GOODBYE) {
		if (c->stage == STAGE_OPAQUE)
			egress__undo_goodbye(c, now);
		c->kind = kind;
		connection__set_flag(c, WIRE_FLAG_GOODBYE);
		return;
	}
	c->kind = kind;
	c->last_size = segment->size;
	if (turn_ours && c->flights < 255)
		c->flights++;
	if (c->kind == KIND_REQUEST) {
		if (turn_ours) {
			c->prior_use_ns = c->wire.last_use_ns;
			c->prior_request_seq = c->request_seq;
			egress__request(c, now);
		}
		c->wire.last_use_ns = now;
	}
	WRITE_ONCE(c->request_seq, segment->end);
	WRITE_ONCE(c->asked, 1);
}

/* The last 8 bytes of the stream, which may lie in two segments; only of what follows without a hole. */
static __always_inline void ingress__keep_tail(struct __sk_buff *skb, struct connection *c,
					       const struct segment *segment)
{
	__u64 tail = c->received && c->received_seq == segment->seq ? c->tail : 0;
	__be64 last = 0;
	__u8 byte;

	if (segment->size >= 8) {
		if (bpf_skb_load_bytes(skb, segment->at + segment->size - 8, &last, 8) == 0)
			tail = bpf_be64_to_cpu(last);
		else
			tail = 0;
	} else {
		for (__u32 i = 0; i < 7; i++) {
			if (i >= segment->size || bpf_skb_load_bytes(skb, segment->at + i, &byte, 1))
				break;
			tail = tail << 8 | byte;
		}
	}
	c->tail = tail;
}

static __always_inline void ingress__opaque(struct __sk_buff *skb, struct connection *c,
					    const struct segment *segment, __u64 now)
{
	__u8 type = 0;

	WRITE_ONCE(c->answered_seq, segment->ack);
	WRITE_ONCE(c->answered, 1);
	if (c->wire.handshake_ns)
		return;
	if (c->wire.protocol == WIRE_PROTOCOL_OTHER || c->flights >= TLS_LOGIN_OVER) {
		c->wire.handshake_ns = now;
		return;
	}
	if (c->flights >= TLS_LOGIN_FLIGHTS && segment->size >= TLS_LOGIN_ANSWER &&
	    bpf_skb_load_bytes(skb, segment->at, &type, 1) == 0 && type == TLS_DATA)
		c->wire.handshake_ns = now;
}

static __always_inline void ingress__login(struct connection *c, const struct segment *segment, __u64 now)
{
	__u8 transaction = postgres__ready(c->tail);

	if (transaction != WIRE_TRANSACTION_UNKNOWN) {
		c->wire.transaction = transaction;
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

	if (c->received && (__s32)(segment->end - c->received_seq) <= 0)
		return;
	ingress__keep_tail(skb, c, segment);
	c->received_seq = segment->end;
	c->received = 1;
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
		} else if (!keep_all) {
			/* In PostgreSQL the client speaks first. */
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
	default:
		ingress__login(c, segment, now);
		return;
	}
}

/* The record of the packet's socket, where it has one. Most have none: this look-up is all they pay. */
static __always_inline struct connection *packet__connection(struct __sk_buff *skb, struct bpf_sock **sk)
{
	struct bpf_sock *found = skb->sk;

	if (!found)
		return NULL;
	found = bpf_sk_fullsock(found);
	if (!found)
		return NULL;
	*sk = found;
	return bpf_sk_storage_get(&connections, found, NULL, 0);
}

/* Both let every packet pass. */
SEC("cgroup_skb/egress")
int cgroup_skb__egress(struct __sk_buff *skb)
{
	struct segment segment;
	struct bpf_sock *sk = NULL;
	struct connection *c = packet__connection(skb, &sk);

	if (c && !c->end && segment__read(skb, &segment)) {
		count__hit(HOOK_EGRESS);
		egress__payload(skb, sk, c, &segment);
	}
	return 1;
}

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
