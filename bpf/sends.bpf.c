/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Who sent last, when, and from where. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.h"
#include "leases.h"
#include "maps.h"
#include "requests.h"
#include "stacks.h"
#include "tasks.h"

static __always_inline void task__mark(struct task_struct *task)
{
	bpf_task_storage_get(&users, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/* The process sent something: the answer of a session, or what one of its requests may wait for. */
static __always_inline void send__serve(struct sock *sk, struct task_struct *task, struct connection *c)
{
	struct user *user = bpf_task_storage_get(&users, task->group_leader, NULL, 0);
	struct session *session;

	if (!user || !user->serves)
		return;
	session = c ? NULL : bpf_sk_storage_get(&sessions, sk, NULL, 0);
	if (session)
		session__answer(session, false, bpf_ktime_get_boot_ns());
	else
		service__send(sk, task, bpf_ktime_get_boot_ns());
}

/* Runs after the egress program has seen the same bytes: c->kind says what they were. */
static __always_inline int send__note(void *ctx, struct sock *sk, int sent)
{
	struct connection *c;
	struct task_struct *task;
	struct wire_thread thread;
	__u32 seq;

	if (sent <= 0)
		return 0;
	c = bpf_sk_storage_get(&connections, sk, NULL, 0);
	task = bpf_get_current_task_btf();
	send__serve(sk, task, c);
	if (!c)
		return 0;
	count__hit(HOOK_SEND);
	c->wire.last_send_ns = bpf_ktime_get_boot_ns();
	if (c->wire.protocol == WIRE_PROTOCOL_UNKNOWN)
		return 0; /* late and encrypted: most are no database's, and pay no stack */
	if (!task__is_user(task)) {
		connection__set_flag(c, WIRE_FLAG_ASYNC);
		return 0;
	}
	task__identify(task, &thread);
	if (c->marked_tid != thread.tid) {
		task__mark(task);
		if (thread.tid != thread.tgid)
			task__mark(task->group_leader);
		c->marked_tid = thread.tid;
	}
	if (c->kind != KIND_REQUEST && !c->undone)
		return 0;
	seq = READ_ONCE(c->users_seq);
	if ((seq & 1) || __sync_val_compare_and_swap(&c->users_seq, seq, seq + 1) != seq) {
		/* Another thread is in here now. */
		connection__set_flag(c, WIRE_FLAG_SHARED);
		return 0;
	}
	if (c->undone) {
		c->undone = 0;
		stack__take_back(sk, c);
		__sync_fetch_and_add(&c->users_seq, 1);
		return 0;
	}
	if (!c->wire.first_user.tgid)
		c->wire.first_user = thread;
	else if (c->wire.first_user.tid != thread.tid || c->wire.first_user.thread_start_ns != thread.thread_start_ns)
		connection__set_flag(c, WIRE_FLAG_SHARED);
	c->wire.last_user = thread;
	lease__note_send(task, c);
	stack__use(ctx, sk, c, &thread);
	__sync_fetch_and_add(&c->users_seq, 1);
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(tp_btf__sock_send_length, struct sock *sk, int ret, int flags)
{
	return send__note(ctx, sk, ret);
}

/* Before 6.3, where the tracepoint is not. After the send, not before it: c->kind must be that of this send. */
SEC("?fexit/tcp_sendmsg")
int BPF_PROG(fexit__tcp_sendmsg, struct sock *sk, void *msg, __u64 size, int ret)
{
	return send__note(ctx, sk, ret);
}

SEC("?fexit/unix_stream_sendmsg")
int BPF_PROG(fexit__unix_stream_sendmsg, struct socket *socket, void *msg, __u64 size, int ret)
{
	return socket->sk ? send__note(ctx, socket->sk, ret) : 0;
}
