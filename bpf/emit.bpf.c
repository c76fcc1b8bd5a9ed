/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * The ring buffer: the only file that reserves and submits its records. */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "emit.h"
#include "tasks.h"

/* Of the ring; set before loading. */
const volatile __u64 ring_size = 0;
/* For tests: every Nth record is dropped as if the ring were full; 0 = never. */
const volatile __u32 drop_one_in = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} ring SEC(".maps");

/* A thousand stacks: as many may be told when a process exits before a scan has seen them. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} captures SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HOOK_END);
	__type(key, __u32);
	__type(value, struct hook_counts);
} hook_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WIRE_TYPE_END);
	__type(key, __u32);
	__type(value, __u64);
} type_drops SEC(".maps");

static __u64 drop_clock;

/* BPF_RINGBUF_HDR_SZ: what the kernel puts before each record. */
#define RING_HEADER 8

void count__hit(__u32 hook)
{
	struct hook_counts *counts = bpf_map_lookup_elem(&hook_counts, &hook);

	if (counts)
		__sync_fetch_and_add(&counts->hits, 1);
}

void count__drop(__u32 hook)
{
	struct hook_counts *counts = bpf_map_lookup_elem(&hook_counts, &hook);

	if (counts)
		__sync_fetch_and_add(&counts->dropped, 1);
}

static __always_inline void emit__drop(__u32 hook, __u32 type)
{
	__u64 *dropped = bpf_map_lookup_elem(&type_drops, &type);

	if (dropped)
		__sync_fetch_and_add(dropped, 1);
	count__drop(hook);
}

static __always_inline bool emit__starved(void)
{
	return drop_one_in && __sync_fetch_and_add(&drop_clock, 1) % drop_one_in == 0;
}

/* Readers poll on a timer; they are woken only where the ring fills faster than that: each time that another
 * sixteenth of it (a power of two) has filled. */
static __always_inline __u64 emit__wakeup(__u64 record_size)
{
	__u64 filled = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
	__u64 step = ring_size / 16;

	return filled >= step && (filled & (step - 1)) < record_size + RING_HEADER ? BPF_RB_FORCE_WAKEUP :
										     BPF_RB_NO_WAKEUP;
}

/* Nobody waits for captured stacks, but their ring fills fast. */
static __always_inline __u64 emit__capture_wakeup(void)
{
	return bpf_ringbuf_query(&captures, BPF_RB_AVAIL_DATA) >= 1024 * 1024 ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline void emit__head(struct wire_header *header, __u32 type, __u32 size, __u64 now)
{
	header->type = type;
	header->size = size;
	header->cpu = bpf_get_smp_processor_id();
	header->time_ns = now;
}

int emit__edge(__u32 hook, __u32 type, struct connection *c, struct wire_thread *actor, __u64 now)
{
	struct wire_edge *edge = emit__starved() ? NULL : bpf_ringbuf_reserve(&ring, sizeof(*edge), 0);

	if (!edge) {
		emit__drop(hook, type);
		return -1;
	}
	emit__head(&edge->header, type, sizeof(*edge), now);
	__builtin_memset(&edge->actor, 0, sizeof(edge->actor) + sizeof(edge->actor_comm));
	if (actor && actor->tgid) {
		edge->actor = *actor;
		bpf_get_current_comm(edge->actor_comm, sizeof(edge->actor_comm));
	}
	connection__copy(&edge->connection, c);
	if (c->first) {
		c->first = 0;
		bpf_ringbuf_submit(edge, BPF_RB_FORCE_WAKEUP);
		return 0;
	}
	bpf_ringbuf_submit(edge, emit__wakeup(sizeof(*edge)));
	return 0;
}

int emit__process(__u32 hook, __u32 type, struct task_struct *task, struct task_struct *parent)
{
	struct wire_process *process = emit__starved() ? NULL : bpf_ringbuf_reserve(&ring, sizeof(*process), 0);

	if (!process) {
		emit__drop(hook, type);
		return -1;
	}
	emit__head(&process->header, type, sizeof(*process), bpf_ktime_get_boot_ns());
	task__identify(task, &process->thread);
	if (parent)
		task__identify(parent, &process->parent);
	else
		__builtin_memset(&process->parent, 0, sizeof(process->parent));
	bpf_probe_read_kernel_str(process->comm, sizeof(process->comm), task->comm);
	bpf_ringbuf_submit(process, emit__wakeup(sizeof(*process)));
	return 0;
}

int emit__gaps(__u32 hook, struct connection *c, __u64 now)
{
	struct wire_gaps *gaps = emit__starved() ? NULL : bpf_ringbuf_reserve(&ring, sizeof(*gaps), 0);

	if (!gaps) {
		emit__drop(hook, WIRE_GAPS);
		return -1;
	}
	emit__head(&gaps->header, WIRE_GAPS, sizeof(*gaps), now);
	gaps->cookie = c->wire.cookie;
	gaps->opened_ns = c->wire.opened_ns;
	__builtin_memcpy(gaps->counts, c->gap_counts, sizeof(gaps->counts));
	__builtin_memset(gaps->padding, 0, sizeof(gaps->padding));
	bpf_ringbuf_submit(gaps, emit__wakeup(sizeof(*gaps)));
	return 0;
}

int emit__stack(__u32 hook, struct connection *c, __u32 kind, struct stack_slot *slot, __u64 now)
{
	struct wire_stack *stack = emit__starved() ? NULL : bpf_ringbuf_reserve(&ring, sizeof(*stack), 0);
	__u32 frames;

	if (!stack) {
		emit__drop(hook, WIRE_STACK);
		return -1;
	}
	frames = stack_slot__copy(stack->addresses, slot);
	/* The ring's entry is longer than the record: only a constant size can be reserved. */
	emit__head(&stack->header, WIRE_STACK, sizeof(*stack) - 8 * (WIRE_FRAMES - frames), now);
	stack->cookie = c->wire.cookie;
	stack->opened_ns = c->wire.opened_ns;
	stack->thread = slot->thread;
	stack->kind = kind;
	stack->frames = frames;
	stack->goroutine = slot->goroutine;
	bpf_ringbuf_submit(stack, emit__wakeup(sizeof(*stack)));
	return 0;
}

int emit__capture(__u32 hook, __u64 cookie, __u64 opened_ns, const struct captured *stack, __u64 now)
{
	struct capture *capture = emit__starved() ? NULL : bpf_ringbuf_reserve(&captures, CAPTURE_SHORT, 0);

	if (!capture) {
		emit__drop(hook, WIRE_STACK);
		return -1;
	}
	emit__head(&capture->header, CAPTURE_TYPE, CAPTURE_SHORT, now);
	capture->cookie = cookie;
	capture->opened_ns = opened_ns;
	bpf_probe_read_kernel(&capture->stack, sizeof(capture->stack), stack);
	bpf_ringbuf_submit(capture, emit__capture_wakeup());
	return 0;
}

int emit__deep_capture(__u32 hook, struct connection *c, const struct captured *stack, const struct captured *rest,
		       __u64 now)
{
	struct capture *capture = emit__starved() ? NULL : bpf_ringbuf_reserve(&captures, sizeof(*capture), 0);

	if (!capture) {
		emit__drop(hook, WIRE_STACK);
		return -1;
	}
	emit__head(&capture->header, CAPTURE_TYPE, sizeof(*capture), now);
	capture->cookie = c->wire.cookie;
	capture->opened_ns = c->wire.opened_ns;
	bpf_probe_read_kernel(&capture->stack, sizeof(capture->stack), stack);
	bpf_probe_read_kernel(&capture->rest, sizeof(capture->rest), rest);
	bpf_ringbuf_submit(capture, emit__capture_wakeup());
	return 0;
}
