/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * The last edge of a connection. */
#ifndef CONNLEAK_CLOSING_H
#define CONNLEAK_CLOSING_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "emit.h"
#include "maps.h"
#include "sockets.h"
#include "tasks.h"

/* A connection that was idle longer than this when it closed sends its stacks and gaps along. */
extern const volatile __u64 idle_after_ns;

static __always_inline void connection__close(struct sock *sk, struct connection *c, bool by_current, __u32 hook,
					      __u64 now)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct wire_thread actor = {};
	struct stacks *s;

	c->wire.closed_ns = now;
	/* Where the edge to ESTABLISHED was missed; at CLOSE the port is gone. */
	if (c->wire.family != AF_UNIX && !c->wire.local_port && sk->__sk_common.skc_num)
		socket__read_addresses(sk, &c->wire);
	socket__read_queues(sk, &c->wire, c->received_seq);
	if (by_current && task__is_user(task)) {
		task__identify(task, &actor);
		connection__set_flag(c, WIRE_FLAG_CLOSER);
		if (task->flags & PF_EXITING)
			connection__set_flag(c, WIRE_FLAG_EXITING);
	}
	c->end = END_CLOSED;
	if (now - connection__used_ns(c) > idle_after_ns) {
		if (c->wire.gaps)
			emit__gaps(hook, c, now);
		if (c->open.frames)
			emit__stack(hook, c, WIRE_STACK_OPEN, &c->open, now);
		s = bpf_sk_storage_get(&stacks, sk, NULL, 0);
		if (s && s->used)
			emit__stack(hook, c, WIRE_STACK_LAST_USE, &s->use[s->active & 1], now);
	}
	emit__edge(hook, WIRE_CLOSED, c, &actor, now);
}

#endif
