/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * What differs between kernels: each with the version and the commit that changed it. */
#ifndef CONNLEAK_COMPAT_H
#define CONNLEAK_COMPAT_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

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

/* 5.6, bf9765145b85 "sock: Make sk_protocol a 16-bit value": before that a bit field of 8 bits, which no kernel with
 * the ring buffer (5.8) has; sk_protocol is read plainly.
 * 5.5, cf25e24db61c "time: Rename tsk->real_start_time to ->start_boottime": below the floor, read plainly.
 * 6.3, 6e6eda44b939 "sock: add tracepoint for send recv length": no send or receive hook before that. */

#endif
