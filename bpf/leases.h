/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Which driver's object a socket belongs to. */
#ifndef CONNLEAK_LEASES_H
#define CONNLEAK_LEASES_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "compat.h"
#include "drivers.h"
#include "maps.h"
#include "record.h"

/* Leases beyond these are not seen. They go with their socket; userspace removes what has none. */
struct leases_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct lease_key);
	__type(value, struct lease);
};

/* The handle that a goroutine took last; by its address. */
struct owners_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct lease_key);
	__type(value, __u64);
};

/* On a thread inside its driver's connect: as long as the return address is where it was, above the stack pointer. Where
 * a function returns cannot always be told, and its returns would be dear to probe. */
struct connecting {
	__u64 handle;
	__u64 frame;   /* address of the return address */
	__u64 returns; /* to where */
	__u32 driver;
	__u32 padding;
};

struct connecting_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct connecting);
};

extern struct leases_map leases SEC(".maps");
extern struct owners_map owners SEC(".maps");
extern struct connecting_map connecting SEC(".maps");

/* A probe was placed: until then nobody pays a look-up. */
extern __u32 any_driver;

/* The current task connects it. */
void lease__note_connect(struct task_struct *task, struct connection *c) __hidden;

/* It is closed: its handle's address may be the next one's. */
void lease__forget(struct connection *c) __hidden;

/* The current task, a goroutine's, sends on it. A socket is one handle's for good, and a handle one socket's: what a goroutine
 * sends on another one while it holds a lease is not that lease's. */
static __always_inline void lease__note_send(struct task_struct *task, struct connection *c)
{
	struct lease_key key = { .tgid = task->tgid };
	const struct frame_layout *layout;
	const __u64 *handle;
	struct lease *lease;

	if (!READ_ONCE(any_driver) || c->wire.handle || !READ_ONCE(any_layout))
		return;
	layout = bpf_map_lookup_elem(&layouts, &key.tgid);
	if (!layout || !(layout->flags & FRAMES_GOROUTINES))
		return;
	if (bpf_probe_read_user(&key.handle, sizeof(key.handle),
				(const void *)(compat__thread_pointer(task) + (__s64)layout->go.running)))
		return;
	handle = bpf_map_lookup_elem(&owners, &key);
	if (!handle)
		return;
	key.handle = *handle;
	lease = bpf_map_lookup_elem(&leases, &key);
	if (!lease || (lease->cookie && lease->cookie != c->wire.cookie))
		return;
	lease->cookie = c->wire.cookie;
	c->wire.handle = key.handle;
	c->wire.driver = lease->driver;
}

#endif
