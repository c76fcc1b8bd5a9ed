/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Processes start, exec and end; threads that used a connection end. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.h"
#include "maps.h"
#include "stacks.h"
#include "tasks.h"

/* Only while a process forks. */
struct fork_stack {
	struct connection connection; /* stands for the child: see WIRE_STACK_FORK */
	struct captured captured;
	struct stack_slot walked;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fork_stack);
} fork_stacks SEC(".maps");

/* Who forks with connections open may leave them to the child by accident. */
static __always_inline void fork__emit_stack(void *ctx, struct task_struct *parent, struct task_struct *child)
{
	struct wire_thread thread;
	struct fork_stack *stack;
	__u32 zero = 0;
	__u64 now;

	if (!bpf_task_storage_get(&met, parent->group_leader, NULL, 0) &&
	    !bpf_task_storage_get(&users, parent->group_leader, NULL, 0))
		return;
	stack = bpf_map_lookup_elem(&fork_stacks, &zero);
	if (!stack)
		return;
	now = bpf_ktime_get_boot_ns();
	task__identify(parent, &thread);
	stack->connection.wire.cookie = child->tgid;
	stack->connection.wire.opened_ns = child->start_boottime;
	if (capture__take(&stack->captured, &thread, WIRE_STACK_FORK)) {
		emit__capture(HOOK_FORK, child->tgid, child->start_boottime, &stack->captured, now);
		return;
	}
	if (!stack_slot__walk(ctx, &stack->walked))
		return;
	stack->walked.thread = thread;
	emit__stack(HOOK_FORK, &stack->connection, WIRE_STACK_FORK, &stack->walked, now);
}

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
	fork__emit_stack(ctx, parent, child);
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

	if (task->signal->live.counter == 0) {
		bpf_map_delete_elem(&services, &tgid);
		bpf_map_delete_elem(&layouts, &tgid);
	}
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
