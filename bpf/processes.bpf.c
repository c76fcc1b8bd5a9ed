/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Processes start, exec and end; threads that used a connection end. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.h"
#include "maps.h"

/* Before the child runs: it is in scope from its first instruction. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(tp_btf__sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 tgid = parent->tgid;
	__u32 *first_scan;

	if (child->pid != child->tgid)
		return 0;
	if (scoped) {
		first_scan = bpf_map_lookup_elem(&scope_pids, &tgid);
		if (!first_scan)
			return 0;
		tgid = child->tgid;
		bpf_map_update_elem(&scope_pids, &tgid, first_scan, BPF_ANY);
	}
	count__hit(HOOK_FORK);
	emit__process(HOOK_FORK, WIRE_FORK, child, parent);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(tp_btf__sched_process_exec, struct task_struct *task)
{
	if (!scope__has(task->tgid))
		return 0;
	count__hit(HOOK_EXEC);
	emit__process(HOOK_EXEC, WIRE_EXEC, task, NULL);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(tp_btf__sched_process_exit, struct task_struct *task)
{
	__u32 tgid = task->tgid;

	if (task->signal->live.counter == 0)
		bpf_map_delete_elem(&services, &tgid);
	if (!scope__has(tgid))
		return 0;
	/* Two threads that end at once may both be the last; under a scope the deletion decides. */
	if (task->signal->live.counter == 0 && (!scoped || bpf_map_delete_elem(&scope_pids, &tgid) == 0)) {
		count__hit(HOOK_EXIT);
		emit__process(HOOK_EXIT, WIRE_EXIT, task, NULL);
	} else if (bpf_task_storage_get(&users, task, NULL, 0)) {
		count__hit(HOOK_EXIT);
		emit__process(HOOK_EXIT, WIRE_THREAD_EXIT, task, NULL);
	}
	return 0;
}
