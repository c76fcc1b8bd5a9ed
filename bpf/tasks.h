/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Who a task is. */
#ifndef CONNLEAK_TASKS_H
#define CONNLEAK_TASKS_H

#include "vmlinux.h"

#include "wire.h"

static __always_inline void task__identify(struct task_struct *task, struct wire_thread *thread)
{
	thread->tgid = task->tgid;
	thread->tid = task->pid;
	thread->process_start_ns = task->group_leader->start_boottime;
	thread->thread_start_ns = task->start_boottime;
}

/* A thread of a program that runs its own system call: what it does is the program's doing, and it has a user
 * stack. Kernel threads, kworkers and io_uring's workers do not. */
static __always_inline bool task__is_user(const struct task_struct *task)
{
	return !(task->flags & (PF_KTHREAD | PF_WQ_WORKER | PF_IO_WORKER | PF_USER_WORKER));
}

#endif
