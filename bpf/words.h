/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Words of the current task's memory. */
#ifndef CONNLEAK_WORDS_H
#define CONNLEAK_WORDS_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

/* 0 also where it cannot be read. */
static __always_inline __u64 user__word(__u64 address)
{
	__u64 word = 0;

	bpf_probe_read_user(&word, sizeof(word), (const void *)address);
	return word;
}

#endif
