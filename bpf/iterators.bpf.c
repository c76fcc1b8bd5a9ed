/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Scans: levels of tracked connections, sessions, holders, and connections older than the observer. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.h"
#include "maps.h"
#include "sockets.h"
#include "stacks.h"
#include "tasks.h"
#include "unix.h"

/* A connection that was silent longer than this shows its stacks. */
const volatile __u64 stack_idle_ns = 50ull * 1000 * 1000;
/* A last use that follows one which was told already is told after this much silence: a pool's members, used now and
 * then, would have their stacks made out at every scan. */
const volatile __u64 stack_again_ns = 1000ull * 1000 * 1000;
/* Length of a jiffy; 0 = unknown. */
const volatile __u64 jiffy_ns = 0;

/* What connections hold of captured stacks, as the scan under way has counted; userspace begins at 0. */
__u32 captures_seen = 0;

/* Scans are read by one thread of ours: nothing else writes here meanwhile. */
struct scan_buffer {
	struct wire_edge edge;
	struct wire_gaps gaps;
	struct wire_stack stack;
	struct capture capture;
	struct connection fresh; /* the first value of a late record */
	struct path_match match;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scan_buffer);
} scan_buffers SEC(".maps");

static __always_inline void scan__head(struct wire_header *header, __u32 type, __u32 size, __u64 now)
{
	header->type = type;
	header->size = size;
	header->cpu = bpf_get_smp_processor_id();
	header->time_ns = now;
}

/* The kernel keeps 32 bits of jiffies: an age first, then a stamp of ours. */
static __always_inline __u64 socket__used_ns(const struct sock *sk, __u64 now)
{
	const struct tcp_sock *tp = (const void *)sk;
	__u32 jiffies = (__u32)bpf_jiffies64();
	__u32 sent = jiffies - BPF_CORE_READ(tp, lsndtime);
	__u32 received = jiffies - BPF_CORE_READ(tp, inet_conn.icsk_ack.lrcvtime);
	__u64 age = (__u64)(sent < received ? sent : received) * jiffy_ns;

	return jiffy_ns && age < now ? now - age : 0;
}

/* 0, or an error where the reader's buffer is full: the kernel then calls again for the same socket. */
static __always_inline long scan__level(struct seq_file *seq, struct sock *sk, struct connection *c,
					struct scan_buffer *buffer, __u64 now)
{
	struct wire_edge *edge = &buffer->edge;

	scan__head(&edge->header, WIRE_LEVEL, sizeof(*edge), now);
	__builtin_memset(&edge->actor, 0, sizeof(edge->actor) + sizeof(edge->actor_comm));
	connection__copy(&edge->connection, c);
	edge->connection.tcp_state = sk->__sk_common.skc_state;
	if (c->wire.family != AF_UNIX && !edge->connection.local_port)
		socket__read_addresses(sk, &edge->connection);
	socket__read_queues(sk, &edge->connection, c->received_seq);
	if (c->wire.family != AF_UNIX && (edge->connection.flags & WIRE_FLAG_LATE))
		edge->connection.socket_use_ns = socket__used_ns(sk, now);
	return bpf_seq_write(seq, edge, sizeof(*edge));
}

static __always_inline long scan__gaps(struct seq_file *seq, struct connection *c, struct scan_buffer *buffer,
				       __u64 now)
{
	struct wire_gaps *gaps = &buffer->gaps;

	scan__head(&gaps->header, WIRE_GAPS, sizeof(*gaps), now);
	gaps->cookie = c->wire.cookie;
	gaps->opened_ns = c->wire.opened_ns;
	__builtin_memcpy(gaps->counts, c->gap_counts, sizeof(gaps->counts));
	return bpf_seq_write(seq, gaps, sizeof(*gaps));
}

static __always_inline long scan__stack(struct seq_file *seq, struct connection *c, struct stack_slot *slot,
					__u32 kind, struct scan_buffer *buffer, __u64 now)
{
	struct wire_stack *stack = &buffer->stack;
	__u32 frames = stack_slot__copy(stack->addresses, slot);
	__u32 size;

	size = sizeof(*stack) - 8 * (WIRE_FRAMES - frames);
	scan__head(&stack->header, WIRE_STACK, size, now);
	stack->cookie = c->wire.cookie;
	stack->opened_ns = c->wire.opened_ns;
	stack->thread = slot->thread;
	stack->kind = kind;
	stack->frames = frames;
	stack->goroutine = slot->goroutine;
	/* "R3 min value is negative": the bound must be seen on the register that is passed. */
	asm volatile("" : "+r"(size));
	if (size > sizeof(*stack))
		return 0;
	return bpf_seq_write(seq, stack, size);
}

/* Tells the same use only once, however often it is repeated. Never 0. All words, for the verifier's sake. */
static __always_inline __u64 stack_slot__hash(const struct stack_slot *slot)
{
	__u64 hash = 14695981039346656037ull ^ slot->thread.tid ^ slot->frames << 32 ^ slot->goroutine << 8;

	for (__u32 i = 0; i < WIRE_FRAMES; i++)
		hash = (hash ^ slot->addresses[i]) * 1099511628211ull;
	return hash | 1;
}

/* False where it was being written, or the reader's buffer is full. */
static __always_inline bool scan__capture(struct seq_file *seq, struct sock *sk, struct connection *c, __u32 slot,
					  struct scan_buffer *buffer, __u64 now)
{
	struct capture *capture = &buffer->capture;
	struct captured *captured = slot__find(sk, slot);
	struct captured *rest = slot == SLOT_BOTH ? slot__find(sk, SLOT_B) : NULL;
	__u32 before = __sync_fetch_and_add(&c->users_seq, 0);

	if (!captured || (before & 1))
		return false;
	bpf_probe_read_kernel(&capture->stack, sizeof(capture->stack), captured);
	if (rest)
		bpf_probe_read_kernel(&capture->rest, sizeof(capture->rest), rest);
	if (__sync_fetch_and_add(&c->users_seq, 0) != before)
		return false;
	scan__head(&capture->header, CAPTURE_TYPE, rest ? sizeof(*capture) : CAPTURE_SHORT, now);
	capture->cookie = c->wire.cookie;
	capture->opened_ns = c->wire.opened_ns;
	if (rest)
		return bpf_seq_write(seq, capture, sizeof(*capture)) == 0;
	return bpf_seq_write(seq, capture, CAPTURE_SHORT) == 0;
}

static __always_inline void scan__stacks(struct seq_file *seq, struct sock *sk, struct connection *c,
					 struct scan_buffer *buffer, __u64 now)
{
	__u64 wait = c->told_use ? stack_again_ns : stack_idle_ns;
	__u64 idle = now - connection__used_ns(c);
	__u32 use_slot = stack__use_slot(c);
	__u64 mark = stack__mark(c);
	struct stack_slot *walked;
	struct stacks *s;

	if (c->open_slot && now - c->wire.opened_ns >= stack_idle_ns &&
	    scan__capture(seq, sk, c, c->open_slot, buffer, now))
		WRITE_ONCE(c->open_slot, SLOT_NONE);
	if (idle < stack_idle_ns)
		return;
	if (!c->told_open && c->open.frames) {
		if (scan__stack(seq, c, &c->open, WIRE_STACK_OPEN, buffer, now))
			return;
		c->told_open = 1;
	}
	if (use_slot) {
		if (c->told_use != mark && idle >= wait && scan__capture(seq, sk, c, use_slot, buffer, now))
			c->told_use = mark;
		return;
	}
	s = bpf_sk_storage_get(&stacks, sk, NULL, 0);
	if (s && s->used) {
		walked = s->active & 1 ? &s->use[1] : &s->use[0];
		mark = stack_slot__hash(walked);
		if (c->told_use != mark && !scan__stack(seq, c, walked, WIRE_STACK_LAST_USE, buffer, now))
			c->told_use = mark;
	}
}

SEC("iter/bpf_sk_storage_map")
int iter__connections(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct connection *c = ctx->value;
	struct sock *sk = ctx->sk;
	struct scan_buffer *buffer;
	__u32 zero = 0;
	__u64 now;

	if (!c || !sk || c->end || (c->wire.family == AF_UNIX && !unix__look(sk, c)))
		return 0;
	buffer = bpf_map_lookup_elem(&scan_buffers, &zero);
	if (!buffer)
		return 0;
	now = bpf_ktime_get_boot_ns();
	if (scan__level(seq, sk, c, buffer, now))
		return 0;
	if (c->told_gaps != c->wire.gaps) {
		if (scan__gaps(seq, c, buffer, now))
			return 0;
		c->told_gaps = c->wire.gaps;
	}
	__sync_fetch_and_add(&captures_seen, c->slots);
	scan__stacks(seq, sk, c, buffer, now);
	return 0;
}

SEC("iter/bpf_sk_storage_map")
int iter__sessions(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct session *session = ctx->value;
	struct sock *sk = ctx->sk;
	struct wire_session record = {};
	__u8 state;

	if (!session || !sk)
		return 0;
	state = sk->__sk_common.skc_state;
	if (state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT)
		return 0;
	scan__head(&record.header, WIRE_SESSION, sizeof(record), bpf_ktime_get_boot_ns());
	record.owner = session->owner;
	record.cookie = session->cookie;
	record.accepted_ns = session->accepted_ns;
	record.last_receive_ns = session->last_receive_ns;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/* Who else is a client of what the first bytes would tell, were it not silent. */
static __always_inline bool late__is_unix_client(struct sock *sk, struct connection *fresh, struct path_match *match)
{
	/* Not by bpf_skc_to_unix_sock(), which came with 5.16: without this program nothing is observed. */
	const struct sock *peer = BPF_CORE_READ((const struct unix_sock *)sk, peer);

	if (sk->sk_type != SOCK_STREAM || unix__is_closed(sk) || !peer || !unix__is_client(sk, peer))
		return false;
	__builtin_memset(fresh->wire.path, 0, sizeof(fresh->wire.path));
	unix__read_path(peer, fresh->wire.path);
	fresh->wire.protocol = unix__protocol(fresh->wire.path, match);
	return fresh->wire.protocol != WIRE_PROTOCOL_UNKNOWN;
}

/* Creates with NOEXIST inside, so that a live record wins. */
static __always_inline struct connection *late__create(struct task_struct *task, struct sock *sk,
						       struct scan_buffer *buffer, __u64 now)
{
	struct connection *fresh = &buffer->fresh;
	struct connection *c;
	__u8 state = sk->__sk_common.skc_state;
	bool of_unix = sk->__sk_common.skc_family == AF_UNIX;

	if ((state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT) || (task->flags & PF_KTHREAD))
		return NULL;
	if (of_unix ? !late__is_unix_client(sk, fresh, &buffer->match) : !socket__is_plain_tcp(sk) || !socket__is_outgoing(sk))
		return NULL;
	fresh->wire.cookie = bpf_get_socket_cookie(sk);
	fresh->wire.opened_ns = now;
	fresh->wire.peer_closed_ns = state == TCP_CLOSE_WAIT ? now : 0;
	fresh->wire.flags = of_unix ? WIRE_FLAG_LATE | WIRE_FLAG_ASSUMED : WIRE_FLAG_LATE;
	fresh->wire.tcp_state = state;
	fresh->wire.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	fresh->wire.uid = BPF_CORE_READ(task, cred, uid.val);
	fresh->wire.cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	task__identify(task, &fresh->wire.opener);
	bpf_probe_read_kernel_str(fresh->wire.comm, sizeof(fresh->wire.comm), task->comm);
	if (of_unix) {
		fresh->wire.family = AF_UNIX;
		fresh->wire.local_port = fresh->wire.remote_port = 0;
		__builtin_memset(fresh->wire.local, 0, sizeof(fresh->wire.local));
		__builtin_memset(fresh->wire.remote, 0, sizeof(fresh->wire.remote));
	} else {
		fresh->wire.protocol = WIRE_PROTOCOL_UNKNOWN;
		fresh->wire.path[0] = 0;
		socket__read_addresses(sk, &fresh->wire);
	}
	count__hit(HOOK_STORAGE);
	c = bpf_sk_storage_get(&connections, sk, fresh, BPF_SK_STORAGE_GET_F_CREATE);
	if (!c)
		count__drop(HOOK_STORAGE);
	return c;
}

SEC("iter/task_file")
int iter__holders(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct wire_holder record = {};
	struct scan_buffer *buffer;
	struct connection *c;
	struct socket *socket;
	struct sock *sk;
	__u32 zero = 0;
	__u64 now;

	if (!task || !file || !scope__has(task->tgid))
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	buffer = bpf_map_lookup_elem(&scan_buffers, &zero);
	if (!sk || !buffer)
		return 0;
	now = bpf_ktime_get_boot_ns();
	c = bpf_sk_storage_get(&connections, sk, NULL, 0);
	/* The opening of a unix socket is its first use: there is none to be missed. */
	if (!c && (scope__is_new(task->tgid) ||
		   (sk->__sk_common.skc_family != AF_UNIX && !socket__was_seen(sk))))
		c = late__create(task, sk, buffer, now);
	if (!c || c->end)
		return 0;
	scan__head(&record.header, WIRE_HOLDER, sizeof(record), now);
	record.cookie = c->wire.cookie;
	record.opened_ns = c->wire.opened_ns;
	task__identify(task, &record.holder);
	record.fd = ctx->fd;
	bpf_probe_read_kernel_str(record.comm, sizeof(record.comm), task->comm);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
