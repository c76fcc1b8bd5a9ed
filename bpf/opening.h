/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * What a new record says of who opened the connection. */
#ifndef CONNLEAK_OPENING_H
#define CONNLEAK_OPENING_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "leases.h"
#include "record.h"
#include "stacks.h"
#include "tasks.h"

/* The current task opens it. */
static __always_inline void connection__begin(void *ctx, struct sock *sk, struct connection *c, __u64 now)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 *seen = bpf_task_storage_get(&met, task->group_leader, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (seen && !*seen)
		c->first = *seen = 1;
	c->wire.opened_ns = now;
	c->wire.cgroup_id = bpf_get_current_cgroup_id();
	task__identify(task, &c->wire.opener);
	c->wire.uid = (__u32)bpf_get_current_uid_gid();
	bpf_get_current_comm(c->wire.comm, sizeof(c->wire.comm));
	if (!task__is_user(task))
		return;
	if (READ_ONCE(any_driver))
		lease__note_connect(task, c);
	stack__open(ctx, sk, c);
}

#endif
