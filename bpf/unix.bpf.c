/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Unix sockets: opened (at the first use), and what client and server say. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.h"
#include "first.h"
#include "maps.h"
#include "names.h"
#include "opening.h"
#include "payload.h"
#include "unix.h"

/* Clients whose first bytes are no database's: most of a host's unix sockets, which this one look-up is all to. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} passed_over SEC(".maps");

/* Of a scattered payload so many pieces are added up. */
#define UNIX_PIECES 16

/* Source: the kernel's tables of system calls. */
#if defined(__TARGET_ARCH_arm64)
enum { CALL_WRITE = 64, CALL_WRITEV = 66, CALL_SENDTO = 206, CALL_SENDMSG = 211 };
#else
enum { CALL_WRITE = 1, CALL_WRITEV = 20, CALL_SENDTO = 44, CALL_SENDMSG = 46 };
#endif

struct call {
	__u64 number;
	__u64 second; /* argument */
	__u64 third;
};

/* Where the bytes of a send lie in the sender's memory. */
struct pieces {
	__u64 size; /* in all */
	struct iovec first;
	struct iovec last;
};

/* The system call that runs now; false where its number says nothing about its arguments (32-bit programs). */
static __always_inline bool call__read(struct task_struct *task, struct call *call)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

#if defined(__TARGET_ARCH_arm64)
	call->number = (__u64)regs->syscallno;
	call->second = regs->regs[1];
	call->third = regs->regs[2];
	return true;
#else
	call->number = regs->orig_ax;
	call->second = regs->si;
	call->third = regs->dx;
	return regs->cs != 0x23; /* __USER32_CS */
#endif
}

static __always_inline void pieces__add_up(struct pieces *pieces, const struct iovec *from, __u64 count)
{
	struct iovec piece;

	for (__u32 i = 0; i < UNIX_PIECES; i++) {
		if (i >= count || bpf_probe_read_user(&piece, sizeof(piece), from + i))
			break;
		if (!piece.iov_len)
			continue;
		if (!pieces->size)
			pieces->first = piece;
		pieces->last = piece;
		pieces->size += piece.iov_len;
	}
	if (count > UNIX_PIECES)
		pieces->last.iov_len = 0;
}

/* False where another call than these sends: splice, io_uring. */
static __always_inline bool pieces__find(struct task_struct *task, struct pieces *pieces)
{
	struct user_msghdr message;
	struct call call;

	if (!call__read(task, &call))
		return false;
	switch (call.number) {
	case CALL_WRITE:
	case CALL_SENDTO:
		pieces->size = call.third;
		pieces->first.iov_base = pieces->last.iov_base = (void *)call.second;
		pieces->first.iov_len = pieces->last.iov_len = call.third;
		return pieces->size;
	case CALL_WRITEV:
		pieces__add_up(pieces, (const void *)call.second, call.third);
		return pieces->size;
	case CALL_SENDMSG:
		if (bpf_probe_read_user(&message, sizeof(message), (const void *)call.second))
			return false;
		pieces__add_up(pieces, message.msg_iov, message.msg_iovlen);
		return pieces->size;
	default:
		return false;
	}
}

/* What cannot be read is one byte, and that zero: something was said. */
static __always_inline void payload__read_user(struct payload *p, const struct pieces *pieces, bool known)
{
	__u64 size = pieces->first.iov_len < PAYLOAD_HEAD ? pieces->first.iov_len : PAYLOAD_HEAD;
	__be64 last[2] = {};

	__builtin_memset(p->head, 0, sizeof(p->head));
	p->tail = p->before = 0;
	p->size = known ? pieces->size : 1;
	p->end = p->seq + p->size;
	asm volatile("" : "+r"(size));
	size = ((size - 1) & (PAYLOAD_HEAD - 1)) + 1;
	if (!known || bpf_probe_read_user(p->head, size, pieces->first.iov_base))
		return;
	if (p->size <= PAYLOAD_TAIL) {
		if (p->size == pieces->first.iov_len)
			payload__tail_from_head(p);
		return;
	}
	if (pieces->last.iov_len < PAYLOAD_TAIL)
		return;
	if (bpf_probe_read_user(last, sizeof(last), pieces->last.iov_base + (pieces->last.iov_len - PAYLOAD_TAIL)) == 0)
		payload__set_tail(p, last);
}

/* connect() is not seen, but drivers speak at once. */
static __always_inline struct connection *unix__open(void *ctx, struct sock *client, struct sock *server,
						     const struct payload *p)
{
	__u64 now = bpf_ktime_get_boot_ns();
	struct connection *c;

	if (!first__protocol(p) || client->sk_type != SOCK_STREAM) {
		bpf_sk_storage_get(&passed_over, client, NULL, BPF_SK_STORAGE_GET_F_CREATE);
		return NULL;
	}
	count__hit(HOOK_STORAGE);
	c = bpf_sk_storage_get(&connections, client, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!c) {
		count__drop(HOOK_STORAGE);
		return NULL;
	}
	c->wire.cookie = bpf_get_socket_cookie(client);
	connection__begin(ctx, client, c, now);
	c->wire.netns = BPF_CORE_READ(client, __sk_common.skc_net.net, ns.inum);
	c->wire.family = AF_UNIX;
	unix__read_path(server, c->wire.path);
	c->wire.tcp_state = TCP_ESTABLISHED;
	emit__edge(HOOK_UNIX, WIRE_OPENED, c, &c->wire.opener, now);
	c->wire.established_ns = now;
	emit__edge(HOOK_UNIX, WIRE_ESTABLISHED, c, NULL, now);
	return c;
}

static __always_inline void unix__read_names(struct connection *c, const struct pieces *pieces, __u32 said)
{
	__u32 skipped = said == SAID_POSTGRES_NAMES ? NAMES_POSTGRES_SKIPPED : 0;
	struct names *names;

	/* A first piece without parameters: what follows it in memory is none of ours. */
	if (pieces->first.iov_len <= skipped)
		return;
	names = names__begin();
	if (!names)
		return;
	if (bpf_probe_read_user(names->text, names__size(pieces->first.iov_len - skipped),
				pieces->first.iov_base + skipped) == 0)
		names__read(c, said);
	names__end(names);
}

static __always_inline void unix__client_said(void *ctx, struct sock *client, struct sock *server)
{
	struct connection *c = bpf_sk_storage_get(&connections, client, NULL, 0);
	struct task_struct *task = bpf_get_current_task_btf();
	struct pieces pieces = {};
	struct payload p = {};
	__u32 said;
	bool known;

	if (!c && (bpf_sk_storage_get(&passed_over, client, NULL, 0) || !task__is_user(task) || !scope__has(task->tgid)))
		return;
	if (c && !unix__look(client, c))
		return;
	known = task__is_user(task) && pieces__find(task, &pieces);
	p.seq = c ? c->sent_seq : 0;
	payload__read_user(&p, &pieces, known);
	if (!c)
		c = known ? unix__open(ctx, client, server, &p) : NULL;
	if (!c)
		return;
	count__hit(HOOK_UNIX);
	if (!known)
		count__hit(HOOK_UNREAD);
	said = client__said(c, &p);
	if (said == SAID_OTHER) {
		c->wire.protocol = WIRE_PROTOCOL_OTHER;
		emit__edge(HOOK_UNIX, WIRE_DISMISSED, c, NULL, bpf_ktime_get_boot_ns());
		stacks__forget(client, c);
		bpf_sk_storage_delete(&connections, client);
	} else if (said) {
		unix__read_names(c, &pieces, said);
	} else if (c->kind == KIND_GOODBYE) {
		/* The close that follows may make no edge: what is known of the connection is told here. */
		emit__edge(HOOK_UNIX, WIRE_LEVEL, c, NULL, bpf_ktime_get_boot_ns());
	}
}

/* The process's number in its own namespace: what the server itself, and pg_stat_activity, calls it. */
static __always_inline __u32 task__own_pid(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	const char *numbers = (const char *)pid + bpf_core_field_offset(pid->numbers);
	int number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), numbers + level * bpf_core_type_size(struct upid));
	return number;
}

static __always_inline void unix__server_said(struct sock *client)
{
	struct connection *c = bpf_sk_storage_get(&connections, client, NULL, 0);
	struct task_struct *task = bpf_get_current_task_btf();
	struct pieces pieces = {};
	struct payload p = {};
	bool known;

	if (!c || c->end)
		return;
	count__hit(HOOK_UNIX);
	p.seq = c->received_seq;
	p.ack = c->sent_seq;
	known = task__is_user(task) && pieces__find(task, &pieces);
	payload__read_user(&p, &pieces, known);
	if (!known)
		count__hit(HOOK_UNREAD);
	if (task__is_user(task) && c->peer_tgid != (__u32)task->tgid) {
		c->peer_tgid = task->tgid;
		c->wire.peer_pid = task__own_pid(task);
		bpf_get_current_comm(c->wire.peer_comm, sizeof(c->wire.peer_comm));
	}
	server__said(c, &p);
}

/* `sk` has received; who sent to it runs now. */
static __always_inline int unix__data(void *ctx, struct sock *sk)
{
	struct unix_sock *end = bpf_skc_to_unix_sock(sk);
	struct sock *peer = end ? end->peer : NULL;
	struct unix_sock *other = peer ? bpf_skc_to_unix_sock(peer) : NULL;

	if (!end || !peer || !other)
		return 0;
	/* As unix__is_client(), by plain loads: every send on a unix socket comes by here. */
	if (!end->addr && other->addr)
		unix__server_said(sk);
	else if (end->addr && !other->addr)
		unix__client_said(ctx, peer, sk);
	return 0;
}

SEC("?tp_btf/sk_data_ready")
int BPF_PROG(tp_btf__sk_data_ready, struct sock *sk)
{
	return sk->__sk_common.skc_family == AF_UNIX ? unix__data(ctx, sk) : 0;
}

/* Before 6.3, where the tracepoint is not: the function that it lies in. */
SEC("?fentry/sock_def_readable")
int BPF_PROG(fentry__sock_def_readable, struct sock *sk)
{
	return sk->__sk_common.skc_family == AF_UNIX ? unix__data(ctx, sk) : 0;
}

/* Where such programs may be attached, the end of either side when it happens; elsewhere it is found when the other one
 * reads, or by a scan. */
SEC("?fentry/unix_release")
int BPF_PROG(fentry__unix_release, struct socket *socket)
{
	struct sock *sk = socket->sk;
	struct unix_sock *end = sk ? bpf_skc_to_unix_sock(sk) : NULL;
	struct connection *c;
	struct sock *peer;

	if (!end)
		return 0;
	c = bpf_sk_storage_get(&connections, sk, NULL, 0);
	if (c) {
		if (!c->end)
			connection__close(ctx, sk, c, true, HOOK_UNIX, bpf_ktime_get_boot_ns());
		return 0;
	}
	peer = end->peer;
	c = peer ? bpf_sk_storage_get(&connections, peer, NULL, 0) : NULL;
	if (c && !c->end && !c->wire.peer_closed_ns) {
		c->wire.peer_closed_ns = bpf_ktime_get_boot_ns();
		emit__edge(HOOK_UNIX, WIRE_PEER_CLOSED, c, NULL, c->wire.peer_closed_ns);
	}
	return 0;
}
