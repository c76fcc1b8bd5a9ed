/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * The last edge of a connection. */
#ifndef CONNLEAK_CLOSING_H
#define CONNLEAK_CLOSING_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "emit.h"
#include "goodbye.h"
#include "leases.h"
#include "maps.h"
#include "sockets.h"
#include "stacks.h"
#include "tasks.h"

/* A connection that was idle longer than this when it closed sends its stacks and gaps along. */
extern const volatile __u64 idle_after_ns;

/* Only while one is closed, by the current task. */
struct closing_stack {
	struct captured captured;
	struct stack_slot walked;
};

struct closing_stacks_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct closing_stack);
};

extern struct closing_stacks_map closing_stacks SEC(".maps");

/* Where the program closes it: a destructor or a garbage collector tells that it had been lost. */
static __always_inline void closing__emit_stack(void *ctx, struct connection *c, const struct wire_thread *actor,
						__u32 hook, __u64 now)
{
	__u32 zero = 0;
	struct closing_stack *stack = bpf_map_lookup_elem(&closing_stacks, &zero);

	if (!stack)
		return;
	if (capture__take(&stack->captured, actor, WIRE_STACK_CLOSE)) {
		emit__capture(hook, c->wire.cookie, c->wire.opened_ns, &stack->captured, now);
		return;
	}
	if (!stack_slot__walk(ctx, &stack->walked))
		return;
	stack->walked.thread = *actor;
	emit__stack(hook, c, WIRE_STACK_CLOSE, &stack->walked, now);
}

/* What no scan has told yet. */
static __always_inline void closing__emit_known_stacks(struct sock *sk, struct connection *c, __u32 hook, __u64 now)
{
	__u32 use_slot = stack__use_slot(c);
	struct captured *captured, *rest;
	struct stacks *s;

	captured = slot__find(sk, c->open_slot);
	if (captured)
		emit__capture(hook, c->wire.cookie, c->wire.opened_ns, captured, now);
	if (c->open.frames)
		emit__stack(hook, c, WIRE_STACK_OPEN, &c->open, now);
	captured = slot__find(sk, use_slot);
	if (captured) {
		if (!c->undone && c->told_use == stack__mark(c))
			return;
		rest = use_slot == SLOT_BOTH ? slot__find(sk, SLOT_B) : NULL;
		if (rest)
			emit__deep_capture(hook, c, captured, rest, now);
		else
			emit__capture(hook, c->wire.cookie, c->wire.opened_ns, captured, now);
		return;
	}
	s = bpf_sk_storage_get(&stacks, sk, NULL, 0);
	if (s && s->used)
		emit__stack(hook, c, WIRE_STACK_LAST_USE, &s->use[(s->active ^ c->undone) & 1], now);
}

/* `ctx`: of the program, where it may ask for the stack of the current task, which closes it; else NULL. */
static __always_inline void connection__close(void *ctx, struct sock *sk, struct connection *c, bool by_current,
					      __u32 hook, __u64 now)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct wire_thread actor = {};

	if (c->wire.flags & WIRE_FLAG_TLS)
		connection__undo_goodbye(c, now);
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
		closing__emit_known_stacks(sk, c, hook, now);
		if (ctx && actor.tgid && !(task->flags & PF_EXITING))
			closing__emit_stack(ctx, c, &actor, hook, now);
	}
	slots__release(c);
	if (c->wire.handle)
		lease__forget(c);
	emit__edge(hook, WIRE_CLOSED, c, &actor, now);
}

#endif
