/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * The edges of a connection's life, from the TCP state machine. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "closing.h"
#include "emit.h"
#include "maps.h"
#include "opening.h"
#include "requests.h"
#include "sockets.h"
#include "tasks.h"

/* Softirq work of a socket that is owned waits in its backlog and runs when the owner lets go: in the owner's
 * context, with the socket still owned. So "owned" alone is no act of the application, only "owned and released". */
static __always_inline bool closed_by_application(const struct sock *sk, bool owned)
{
	return owned && socket__is_released(sk);
}

static __always_inline void connection__open(void *ctx, struct sock *sk, __u32 hook)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 now = bpf_ktime_get_boot_ns();
	struct connection *c;

	c = bpf_sk_storage_get(&connections, sk, NULL, 0);
	if (c) {
		/* connect() again on the same socket: same cookie, another connection. */
		if (!c->end)
			connection__close(ctx, sk, c, true, hook, now);
		stacks__forget(sk, c);
		bpf_sk_storage_delete(&connections, sk);
	}
	if ((task->flags & PF_KTHREAD) || socket__is_released(sk) || !scope__has(task->tgid))
		return;
	if (!socket__is_plain_tcp(sk))
		return;
	count__hit(hook);
	count__hit(HOOK_STORAGE);
	c = bpf_sk_storage_get(&connections, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!c) {
		count__drop(HOOK_STORAGE);
		return;
	}
	c->wire.cookie = bpf_get_socket_cookie(sk);
	connection__begin(ctx, sk, c, now);
	c->wire.netns = sk->__sk_common.skc_net.net->ns.inum;
	c->wire.tcp_state = TCP_SYN_SENT;
	socket__read_addresses(sk, &c->wire);
	emit__edge(hook, WIRE_OPENED, c, &c->wire.opener, now);
}

/* A session changes its state in the middle of a request only as one of the two leaves. */
static __always_inline void session__change(struct sock *sk, bool owned)
{
	struct session *session = bpf_sk_storage_get(&sessions, sk, NULL, 0);

	if (!session)
		return;
	if (closed_by_application(sk, owned))
		session__forget(session, bpf_ktime_get_boot_ns());
	else
		session__answer(session, true, bpf_ktime_get_boot_ns());
}

static __always_inline int state__change(void *ctx, struct sock *sk, int old, int new, bool owned, __u32 hook)
{
	struct connection *c;
	__u64 now;

	if (new == TCP_SYN_SENT) {
		if (owned)
			connection__open(ctx, sk, hook);
		return 0;
	}
	c = bpf_sk_storage_get(&connections, sk, NULL, 0);
	if (!c) {
		session__change(sk, owned);
		return 0;
	}
	if (c->end)
		return 0;
	count__hit(hook);
	now = bpf_ktime_get_boot_ns();
	c->wire.tcp_state = new;
	if (old == TCP_SYN_SENT) {
		if (new == TCP_ESTABLISHED) {
			c->wire.established_ns = now;
			socket__read_addresses(sk, &c->wire);
			emit__edge(hook, WIRE_ESTABLISHED, c, NULL, now);
		} else if (new == TCP_CLOSE) {
			c->end = END_FAILED;
			c->wire.closed_ns = now;
			emit__edge(hook, WIRE_FAILED, c, NULL, now);
		}
		return 0;
	}
	if (closed_by_application(sk, owned)) {
		connection__close(ctx, sk, c, true, hook, now);
	} else if (new == TCP_CLOSE_WAIT) {
		c->wire.peer_closed_ns = now;
		emit__edge(hook, WIRE_PEER_CLOSED, c, NULL, now);
	} else if (new == TCP_CLOSE && !c->wire.aborted_ns) {
		/* After shutdown() the server's FIN leads here, not to CLOSE_WAIT. */
		if (!c->wire.peer_closed_ns && (sk->sk_shutdown & RCV_SHUTDOWN))
			c->wire.peer_closed_ns = now;
		c->wire.aborted_ns = now;
		emit__edge(hook, WIRE_ABORTED, c, NULL, now);
	}
	return 0;
}

/* Two programs, so that a softirq edge that interrupts a process-context one on its CPU is not skipped. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tp_btf__state_owned, struct sock *sk, int old, int new)
{
	if (!sk->sk_lock.owned)
		return 0;
	if (sk->sk_protocol == IPPROTO_MPTCP) {
		if (new == TCP_SYN_SENT)
			count__hit(HOOK_MPTCP);
		return 0;
	}
	return state__change(ctx, sk, old, new, true, HOOK_STATE_OWNED);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tp_btf__state_softirq, struct sock *sk, int old, int new)
{
	if (sk->sk_lock.owned)
		return 0;
	return state__change(ctx, sk, old, new, false, HOOK_STATE_SOFTIRQ);
}

/* The last edge in every case; of a connection that was reset, the only one that its close() makes. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(tp_btf__tcp_destroy_sock, struct sock *sk)
{
	struct connection *c = bpf_sk_storage_get(&connections, sk, NULL, 0);

	if (!c || c->end)
		return 0;
	count__hit(HOOK_DESTROY);
	connection__close(ctx, sk, c, closed_by_application(sk, sk->sk_lock.owned), HOOK_DESTROY, bpf_ktime_get_boot_ns());
	return 0;
}
