/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * What differs between kernels: each with the version and the commit that changed it. */
#ifndef CONNLEAK_COMPAT_H
#define CONNLEAK_COMPAT_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "capture.h"

/* 6.13, 90ee6ed776c0 "fs: port files to file_ref": struct file counts its references in f_ref, where no reference is
 * -1 and a dead file lies in [0xE000..., 0xFFFF...]; before that in f_count, where it is 0. */
struct file___f_ref {
	struct {
		struct {
			s64 counter;
		} refcnt;
	} f_ref;
} __attribute__((preserve_access_index));

struct file___f_count {
	struct {
		s64 counter;
	} f_count;
} __attribute__((preserve_access_index));

/* FILE_REF_RELEASED of include/linux/file_ref.h: from here up no reference is left. */
#define COMPAT_FILE_REF_RELEASED 0xC000000000000000ull

/* The last reference to the file is gone: its release is what runs now. */
static __always_inline bool compat__file_is_dead(const struct file *file)
{
	const struct file___f_ref *by_ref = (const void *)file;
	const struct file___f_count *by_count = (const void *)file;

	if (bpf_core_field_exists(by_ref->f_ref))
		return (__u64)BPF_CORE_READ(by_ref, f_ref.refcnt.counter) >= COMPAT_FILE_REF_RELEASED;
	return BPF_CORE_READ(by_count, f_count.counter) == 0;
}

/* 5.6, the series that brought MPTCP, and only with CONFIG_MPTCP: subflows are TCP sockets with this bit. */
struct tcp_sock___mptcp {
	bool is_mptcp;
} __attribute__((preserve_access_index));

static __always_inline bool compat__is_subflow(const struct sock *sk)
{
	const struct tcp_sock___mptcp *tp = (const void *)sk;

	return bpf_core_field_exists(tp->is_mptcp) && BPF_CORE_READ(tp, is_mptcp);
}

enum bpf_func_id___pt_regs {
	BPF_FUNC_task_pt_regs___pt_regs = 0xbad,
};

/* __USER_CS of 64-bit programs. */
#define X86_USER_CS 0x33

/* 5.15, dd6e10fbd9fb "bpf: Add bpf_task_pt_regs() helper": before that stacks are only walked. */
static __always_inline struct pt_regs *compat__user_registers(struct task_struct *task)
{
	if (!bpf_core_enum_value_exists(enum bpf_func_id___pt_regs, BPF_FUNC_task_pt_regs___pt_regs))
		return NULL;
	return (struct pt_regs *)bpf_task_pt_regs(task);
}

/* pthread_self() of the C libraries. Kept up to date for the current task but where it is set without a system call. */
static __always_inline __u64 compat__thread_pointer(const struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return task->thread.fsbase;
#else
	return task->thread.uw.tp_value;
#endif
}

/* False where the unwinder does not know the processor, or the program is a 32-bit one. */
static __always_inline bool compat__read_registers(const struct pt_regs *regs, __u64 to[CAPTURE_REGISTERS])
{
#if defined(__TARGET_ARCH_x86)
	if (regs->cs != X86_USER_CS)
		return false;
	to[CAPTURE_BX] = regs->bx;
	to[CAPTURE_BP] = regs->bp;
	to[CAPTURE_SP] = regs->sp;
	to[CAPTURE_R12] = regs->r12;
	to[CAPTURE_R13] = regs->r13;
	to[CAPTURE_R14] = regs->r14;
	to[CAPTURE_R15] = regs->r15;
	to[CAPTURE_IP] = regs->ip;
	to[CAPTURE_DI] = regs->di;
	return true;
#else
	return false;
#endif
}

/* 5.6, bf9765145b85 "sock: Make sk_protocol a 16-bit value": before that a bit field of 8 bits, which no kernel with
 * the ring buffer (5.8) has; sk_protocol is read plainly.
 * 5.5, cf25e24db61c "time: Rename tsk->real_start_time to ->start_boottime": below the floor, read plainly.
 * 6.3, 6e6eda44b939 "sock: add tracepoint for send recv length": no send or receive hook before that. */

#endif
