/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * How the frames of an interpreter and goroutines are found in their process: shared by bpf/, which walks them, and userspace, which
 * fills this in for each process. */
#ifndef CONNLEAK_FRAMES_H
#define CONNLEAK_FRAMES_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* Frames kept of one stack of a script; more than an error handler of a web framework has above the driver's. */
#define SCRIPT_FRAMES 64
/* Threads looked at until the current one is found. */
#define SCRIPT_THREADS 64

/* Two words of one frame: which code, and where in it. What they mean is the interpreter's business. */
struct script_frame {
	__u64 code;
	__u64 place;
};

#define FRAMES_THREADS 1u /* root leads to a list of threads, else to the innermost frame itself */
#define FRAMES_THREAD_ID_VIA 2u
#define FRAMES_TOP_VIA 4u
#define FRAMES_ARRAY 8u   /* frames lie side by side, else each points to its caller's */
/* How the stacks of a process are captured; an entry with none of these changes nothing. */
#define FRAMES_SCRIPT 16u /* this walk; native stacks where it finds nothing */
#define FRAMES_WALKED 32u /* by frame pointers, as Go's are, C functions above goroutines included */
#define FRAMES_DEEP 64u   /* twice as much of each native stack, instead of the one before and the connect's */
#define FRAMES_GOROUTINES 128u /* with FRAMES_WALKED: `go` is known */

/* How the goroutine that runs on a thread of x86-64 is found, with [x] for the word at address x; offsets in bytes.
 * Structures g and m of Go's runtime/runtime2.go. A g begins with the bounds of its stack, an m with the g of the thread's
 * own stack; [g + self] = g.
 *
 *   In Go's code R14 is the goroutine: its stack has SP.
 *   In C it is one that waits for it: running = [thread pointer + running], thread = [running + thread],
 *     [thread] = running, goroutine = [thread + current], [goroutine + thread] = thread.
 *     Its innermost frame is at [goroutine + frame].
 *   id = [goroutine + id]
 */
struct goroutine_layout {
	__s32 running;
	__u32 self;
	__u32 thread;
	__u32 current;
	__u32 id;
	__u32 frame;
};

/* Of a g; what is read of it lies in there, all but `current`. */
#define GOROUTINE_BYTES 192

/* Offsets in bytes. A walk, with [x] for the word at address x:
 *
 *   node = [root]
 *   FRAMES_THREADS: for each node, until 0 or back at the first:
 *     thread = node - thread_node
 *     id = thread + thread_id, or with FRAMES_THREAD_ID_VIA [thread + thread_id_via] + thread_id
 *     found where [id] is the thread pointer of the current thread (pthread_self(): FS base, TPIDR_EL0),
 *     else node = [node + thread_next]
 *   without: frame = node
 *   FRAMES_THREADS: frame = [thread + top], or with FRAMES_TOP_VIA [[thread + top] + top_via]
 *   then for each frame, until 0 or, with FRAMES_ARRAY, its end:
 *     code = [frame + code], place = [frame + place]
 *     frame = [frame + next], or with FRAMES_ARRAY frame + size
 *   FRAMES_ARRAY: the end is [owner + array] + 8 * [owner + array + 8], where owner = [thread + top]
 */
struct frame_layout {
	__u64 root;
	__u32 flags;
	__u32 thread_node;
	__u32 thread_next;
	__u32 thread_id;
	__u32 thread_id_via;
	__u32 top;
	__u32 top_via;
	__u32 next;
	__u32 size;
	__u32 code;
	__u32 place;
	__u32 array;
	__u32 skip; /* FRAMES_DEEP: bytes above SP where the second half begins: frames of libraries are wide */
	struct goroutine_layout go;
};

#endif
