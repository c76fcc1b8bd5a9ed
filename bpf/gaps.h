/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * How durations are counted: shared by bpf/, which counts, and userspace, which reads. */
#ifndef CONNLEAK_GAPS_H
#define CONNLEAK_GAPS_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* Log-linear buckets: 8 to an octave, each at most an eighth wide, see wire_gap_bucket(). 24 octaves reach from 1 ms to
 * 2.4 h. */
#define WIRE_GAP_BUCKETS 193
/* Waits of requests, two buckets of gaps in one: 4 to an octave. */
#define WIRE_WAIT_BUCKETS 97

/* The bucket of an idle gap: 0 below 2^20 ns, then 8 buckets to an octave. */
static inline unsigned int wire_gap_bucket(__u64 gap_ns)
{
	unsigned int octave = 0;
	__u64 v = gap_ns >> 20;

	if (v == 0)
		return 0;
	if (v >> 16) { octave += 16; v >>= 16; }
	if (v >> 8) { octave += 8; v >>= 8; }
	if (v >> 4) { octave += 4; v >>= 4; }
	if (v >> 2) { octave += 2; v >>= 2; }
	if (v >> 1) octave += 1;
	if (octave >= 24)
		return WIRE_GAP_BUCKETS - 1;
	return 1 + octave * 8 + (unsigned int)((gap_ns >> (17 + octave)) & 7);
}

/* The exclusive upper bound of a bucket, nanoseconds. */
static inline __u64 wire_gap_bound_ns(unsigned int bucket)
{
	unsigned int octave, step;

	if (bucket == 0)
		return 1ull << 20;
	octave = (bucket - 1) / 8;
	step = (bucket - 1) % 8;
	return (9ull + step) << (17 + octave);
}

#endif
