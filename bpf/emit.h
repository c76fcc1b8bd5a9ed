/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Handing records to userspace, and counting. Nothing else reserves or submits ring-buffer records. */
#ifndef CONNLEAK_EMIT_H
#define CONNLEAK_EMIT_H

#include "capture.h"
#include "record.h"

/* The hooks whose work is counted. Userspace knows each by its place: kHookNames in userspace/probes/losses.hpp. */
enum hook {
	HOOK_STATE_OWNED,
	HOOK_STATE_SOFTIRQ,
	HOOK_DESTROY,
	HOOK_SEND,
	HOOK_RECEIVE,
	HOOK_EGRESS,
	HOOK_INGRESS,
	HOOK_UNIX,
	HOOK_FORK,
	HOOK_EXEC,
	HOOK_EXIT,
	HOOK_STORAGE,       /* records made; dropped: the socket had no room for one */
	HOOK_STACK_STORAGE, /* likewise stacks */
	HOOK_MPTCP,         /* MPTCP connections that were left out */
	HOOK_DRIVER,        /* probes on drivers and pools */
	HOOK_UNREAD,        /* payloads that could not be read: they leave the state as it was */
	HOOK_END
};

struct hook_counts {
	__u64 hits;
	__u64 dropped;
};

void count__hit(__u32 hook) __hidden;
void count__drop(__u32 hook) __hidden;

/* `actor`, where there is one, is the current task. Each returns 0, or -1 where the record found no room; that is counted at its hook and its type. */
int emit__edge(__u32 hook, __u32 type, struct connection *c, struct wire_thread *actor, __u64 now) __hidden;
int emit__process(__u32 hook, __u32 type, struct task_struct *task, struct task_struct *parent) __hidden;
int emit__gaps(__u32 hook, struct connection *c, __u64 now) __hidden;
int emit__stack(__u32 hook, struct connection *c, __u32 kind, struct stack_slot *slot, __u64 now) __hidden;
/* `cookie` and `opened_ns` as in wire_stack. By a ring of its own, which nothing else reads: see capture.h. */
int emit__capture(__u32 hook, __u64 cookie, __u64 opened_ns, const struct captured *stack, __u64 now) __hidden;
/* Both halves of a deep one. */
int emit__deep_capture(__u32 hook, struct connection *c, const struct captured *stack, const struct captured *rest,
		       __u64 now) __hidden;

#endif
