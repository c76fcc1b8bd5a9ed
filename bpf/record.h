/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * What a tracked socket carries: the wire record, who writes what, and how it is read whole. */
#ifndef CONNLEAK_RECORD_H
#define CONNLEAK_RECORD_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "wire.h"

#define READ_ONCE(x) (*(volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))

/* How far the conversation has come, as the egress program sees it. */
enum record_stage {
	STAGE_CANDIDATE = 0, /* no byte seen */
	STAGE_ASKED_TLS = 1, /* SSLRequest or GSSENCRequest sent */
	STAGE_LOGIN = 2,     /* startup message sent, or late and identified */
	STAGE_OPAQUE = 3,    /* encrypted or (--all) not a database: turn by direction */
	STAGE_REDIS = 4,     /* turn by direction, roles and transactions by command */
	STAGE_MYSQL_LOGIN = 5, /* greeted */
	STAGE_MYSQL = 6,     /* logged in, or late */
	STAGE_TURNS = 7,     /* one of the others: wire.protocol says which */
};

/* KIND_UNANSWERED: a use to which nothing is answered, so that the turn stays. */
enum record_kind { KIND_LOGIN = 0, KIND_REQUEST = 1, KIND_GOODBYE = 2, KIND_UNANSWERED = 3 };

enum record_end { END_NONE = 0, END_FAILED = 1, END_CLOSED = 2 };

struct stack_slot {
	struct wire_thread thread;
	__u64 goroutine; /* as in wire_stack */
	__u64 frames;
	__u64 addresses[WIRE_FRAMES];
};

/* Tracing programs take no lock, so each field has one writing hook (ingress may lag behind egress, never the
 * other way round: a request leaves before its answer comes). wire.turn is written by none: it is worked out from
 * request_seq and answered_seq when the record is read. wire.flags is changed with atomic or only. */
struct connection {
	struct wire_connection wire;

	/* Egress: also wire.first_use_ns, last_use_ns, requests, gaps, pending_gap_ns, longest_gap_ns, protocol, user,
	 * database. */
	__u32 sent_seq;      /* end of the last payload seen */
	__u32 request_seq;   /* end of the last payload that wants an answer */
	__u8 sent;           /* sent_seq is valid */
	__u8 asked;          /* request_seq is valid */
	__u8 stage;          /* enum record_stage; ingress moves it on the answer to a TLS request, a greeting, the end of MySQL's
			      * login: the client waits for each */
	__u8 kind;           /* enum record_kind of the last payload */
	__u8 flushed;        /* the last payload ended in Flush: an answer may end without ReadyForQuery */
	__u8 undone;         /* the last request was a goodbye after all; the send hook takes its stack back */
	__u8 next_transaction; /* enum wire_transaction that the answer to the last request brings; Redis only */
	__u8 command;        /* MySQL, Oracle: of the last request */
	__u8 flights;        /* times the client spoke after the server had, saturating; tells logins under TLS */
	__u8 prior_asked;    /* asked, request_seq and wire.last_use_ns before the last request */
	__u32 last_size;     /* of the last payload */
	__u32 prior_request_seq;
	__u32 request_id;    /* MongoDB: of the last request */
	__u64 prior_use_ns;

	/* Ingress: also wire.handshake_ns, last_answer_ns, transaction, transaction_ns, longest_transaction_ns,
	 * transactions. */
	__u8 received;       /* received_seq and tail are valid */
	__u8 answered;       /* answered_seq is valid */
	__u32 received_seq;  /* end of the last payload seen */
	__u32 answered_seq;  /* what the server had received when it last gave the turn back */
	__u8 replying;       /* MongoDB: a reply is under way, 2: and another follows it */
	__u32 reply_end;     /* where it ends */
	__u32 peer_tgid;     /* unix: of wire.peer_pid */
	__u64 tail;          /* last 8 bytes of the reply stream, protocol ends only: forgotten once the turn changes */

	/* Send hook: also wire.first_user, last_user, last_send_ns. users_seq is odd while they are written. */
	__u32 users_seq;
	__u32 marked_tid;    /* the thread that was marked last as a database client */

	/* State hooks: also every other field of wire. */
	__u8 end;            /* enum record_end */
	__u8 first;          /* the first of its process: whoever reads is woken to look at that while it lives */
	struct stack_slot open;

	/* Send and state hooks: see stacks.h. The iterator clears open_slot. */
	__u8 open_slot;      /* enum capture_slot that holds the stack of the connect, until that is told */
	__u8 use_slot;       /* enum capture_slot that holds the stack of the last use; SLOT_NONE: `stacks` does */
	__u8 slots;          /* that were made */
	__u32 captures;      /* stacks of uses captured so far */

	/* Iterator: what it has told already. */
	__u32 told_open;
	__u64 told_gaps;
	__u64 told_use;      /* stack__mark() of the use told last */

	__u16 gap_counts[WIRE_GAP_BUCKETS]; /* egress */
};

/* Apart from the record: made at the first use, which most connections that are opened never see, and not missed by
 * sockets without room for it (optmem). */
struct stacks {
	struct stack_slot use[2];
	__u32 active; /* the slot of `use` to read */
	__u32 used;   /* one was written */
};

/* Copies the frames that are worth telling, zeros after them, and answers how many they are. Where code uses the
 * frame pointer for other things the walk ends in a word of the stack, which may be anything, text too: from the first
 * that no address can be (the first page; 56 bits and more, beyond user space on x86-64 and arm64) nothing is told.
 * Without a branch: the verifier would go through all that follows for each number of frames ("Processed 1000001
 * insn"). */
static __always_inline __u32 stack_slot__copy(__u64 to[WIRE_FRAMES], const struct stack_slot *slot)
{
	__u64 alive = 1;
	__u64 count = 0;

	for (__u64 i = 0; i < WIRE_FRAMES; i++) {
		__u64 address = slot->addresses[i];
		__u64 page = address >> 12;
		__u64 high = address >> 56;

		/* Or the compiler makes comparisons of them, with branches. */
		asm volatile("" : "+r"(page), "+r"(high));
		alive &= (i - slot->frames) >> 63;
		alive &= (page | (0 - page)) >> 63;
		alive &= ~((high | (0 - high)) >> 63);
		to[i] = address * alive;
		count += alive;
	}
	return count;
}

struct session {
	struct wire_thread owner;
	__u64 cookie;
	__u64 accepted_ns;
	__u64 last_receive_ns;
	__u64 waiting_ns; /* since when a request waits for its answer; 0: none does */
	__u32 failed;     /* egress: its answer begins like HTTP 5xx */
	__u32 padding;
};

/* On the group leader of a database's client, and on each thread that used a connection. */
struct user {
	__u32 serves; /* it has sessions: there is a struct service */
};

/* What such a process does for its sessions; see requests.h. */
struct service {
	struct wire_requests sums; /* first: userspace reads that much, and fills in header and cpu_ns */
	__u64 sent_ns;    /* last sent something elsewhere */
	__u64 waiting;    /* requests that wait now */
	__u64 changed_ns; /* busy_ns and free_ns are up to date to here */
	__u64 busy_ns;    /* in all, with a request that waits */
	__u64 free_ns;    /* and without */
};

/* How often a socket that is no session sent, while requests waited and while none did. */
struct pace {
	__u64 busy;
	__u64 free;
};

/* Fewer sends in free time are no pace. */
#define PACE_WANTED 3

_Static_assert(sizeof(struct connection) % 8 == 0, "copied in words");

static __always_inline __u8 connection__turn(const struct connection *c)
{
	if (c->wire.protocol == WIRE_PROTOCOL_UNKNOWN)
		return WIRE_TURN_UNKNOWN;
	if (!READ_ONCE(c->asked))
		return READ_ONCE(c->answered) ? WIRE_TURN_CLIENT : WIRE_TURN_UNKNOWN;
	if (READ_ONCE(c->answered) && (__s32)(READ_ONCE(c->answered_seq) - READ_ONCE(c->request_seq)) >= 0)
		return WIRE_TURN_CLIENT;
	return WIRE_TURN_SERVER;
}

/* When the connection was last used by anyone: its idle time counts from here. */
static __always_inline __u64 connection__used_ns(const struct connection *c)
{
	__u64 used = c->wire.opened_ns;

	if (c->wire.established_ns > used)
		used = c->wire.established_ns;
	if (c->wire.handshake_ns > used)
		used = c->wire.handshake_ns;
	if (c->wire.last_use_ns > used)
		used = c->wire.last_use_ns;
	if (c->wire.last_answer_ns > used)
		used = c->wire.last_answer_ns;
	return used;
}

/* A copy whose threads are whole: three tries, then unknown. */
static __always_inline void connection__copy(struct wire_connection *to, struct connection *from)
{
	__u32 before = __sync_fetch_and_add(&from->users_seq, 0);
	bool whole = false;

	__builtin_memcpy(to, &from->wire, sizeof(*to));
	for (int i = 0; i < 3; i++) {
		__u32 after = __sync_fetch_and_add(&from->users_seq, 0);

		if (before == after && !(before & 1)) {
			whole = true;
			break;
		}
		before = after;
		to->first_user = from->wire.first_user;
		to->last_user = from->wire.last_user;
	}
	if (!whole) {
		__builtin_memset(&to->first_user, 0, sizeof(to->first_user));
		__builtin_memset(&to->last_user, 0, sizeof(to->last_user));
	}
	to->turn = connection__turn(from);
}

static __always_inline void connection__set_flag(struct connection *c, __u32 flag)
{
	if (!(READ_ONCE(c->wire.flags) & flag))
		__sync_fetch_and_or(&c->wire.flags, flag);
}

#endif
