/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * The maps that several files share; defined in maps.bpf.c. */
#ifndef CONNLEAK_MAPS_H
#define CONNLEAK_MAPS_H

#include "capture.h"
#include "record.h"

struct connections_map {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct connection);
};

struct stacks_map {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct stacks);
};

/* What the kernel puts before each element of a socket's storage. */
#define STORAGE_HEADER 80

_Static_assert(2 * (sizeof(struct captured) + STORAGE_HEADER) + sizeof(struct connection) + STORAGE_HEADER < 9 * 1024,
	       "of the socket's option memory, which the application shares");

/* The slots of a connection's captured stacks: see stacks.h. */
struct captures_map {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct captured);
};

/* By tgid; userspace fills it in once it knows the interpreter. Processes beyond these show their native stacks. */
struct layouts_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct frame_layout);
};

struct sessions_map {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct session);
};

/* On a thread that used a tracked connection, and on its group leader. */
struct users_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct user);
};

/* On the group leader of a process that opened a connection. */
struct met_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
};

struct paces_map {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pace);
};

/* By tgid; removed at the exit. Services beyond these are not judged by their requests. */
struct services_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct service);
};

/* Processes to observe where `scoped`: tgid to the number of the holders' scan that is the first to see them. 65,536
 * is twice the default pid_max of small hosts. */
struct scope_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u32);
};

extern struct connections_map connections SEC(".maps");
extern struct stacks_map stacks SEC(".maps");
extern struct captures_map captures_a SEC(".maps");
extern struct captures_map captures_b SEC(".maps");
extern struct layouts_map layouts SEC(".maps");
extern struct sessions_map sessions SEC(".maps");
extern struct users_map users SEC(".maps");
extern struct met_map met SEC(".maps");
extern struct paces_map paces SEC(".maps");
extern struct services_map services SEC(".maps");
extern struct scope_map scope_pids SEC(".maps");

extern const volatile bool scoped;

/* Keep connections that are not to a database. */
extern const volatile bool keep_all;

/* A session was made since the start: until then packets of others pay no second look-up. */
extern __u32 any_session;

/* There is an entry in `layouts`: until then nobody pays a look-up. */
extern __u32 any_layout;

/* Captured stacks that connections hold, and how many they may. Made and closed ones are counted; each scan of
 * levels counts anew, because a socket may go without an edge. */
extern __u32 captures_held;
extern const volatile __u32 captures_limit;

/* The holders' scan that comes next, counted from 1 by userspace. A process is searched for older connections once,
 * when it is first seen: later, a socket without a record was dismissed, or its opening was missed; see
 * socket__was_seen(). */
extern __u32 next_scan;

static __always_inline bool scope__has(__u32 tgid)
{
	return !scoped || bpf_map_lookup_elem(&scope_pids, &tgid);
}

static __always_inline bool scope__is_new(__u32 tgid)
{
	__u32 *first_scan;

	if (!scoped)
		return READ_ONCE(next_scan) == 1;
	first_scan = bpf_map_lookup_elem(&scope_pids, &tgid);
	return first_scan && *first_scan >= READ_ONCE(next_scan);
}

#endif
