/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Goroutines: which one runs on the current thread, and its frames while C runs for it on the thread's own stack. */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "compat.h"
#include "maps.h"
#include "stacks.h"
#include "words.h"

/* What is read of a g, at once: reads cost 30 ns each, long or short. */
struct goroutine {
	__u64 words[GOROUTINE_BYTES / 8];
};

#define GOROUTINE_LOW 0 /* of its stack, and the first address above it */
#define GOROUTINE_HIGH 8

static __always_inline __u64 goroutine__word(const struct goroutine *g, __u32 offset)
{
	return offset / 8 < GOROUTINE_BYTES / 8 ? g->words[offset / 8] : 0;
}

static __always_inline bool goroutine__read(const struct goroutine_layout *go, __u64 address, struct goroutine *g)
{
	return address && !bpf_probe_read_user(g, sizeof(*g), (const void *)address) &&
	       goroutine__word(g, go->self) == address;
}

static __always_inline bool goroutine__has(const struct goroutine *g, __u64 address)
{
	return address >= goroutine__word(g, GOROUTINE_LOW) && address < goroutine__word(g, GOROUTINE_HIGH);
}

/* While Go's own code runs. */
static __always_inline bool goroutine__in_go(const struct goroutine_layout *go, struct task_struct *task,
					     struct goroutine *g)
{
	struct pt_regs *regs = compat__user_registers(task);
	__u64 registers[CAPTURE_REGISTERS];

	return regs && compat__read_registers(regs, registers) && goroutine__read(go, registers[CAPTURE_R14], g) &&
	       goroutine__has(g, registers[CAPTURE_SP]);
}

/* While C runs for it, or, before 5.15, whatever runs. */
static __always_inline bool goroutine__by_thread(const struct goroutine_layout *go, struct task_struct *task,
						 struct goroutine *g, bool *in_c)
{
	__u64 running = user__word(compat__thread_pointer(task) + (__s64)go->running);
	__u64 thread = running ? user__word(running + go->thread) : 0;
	__u64 current = thread ? user__word(thread + go->current) : 0;

	*in_c = current != running;
	if (!goroutine__read(go, current, g) || goroutine__word(g, go->thread) != thread)
		return false;
	return !*in_c || user__word(thread) == running;
}

/* From where the goroutine called C: the first address of the slot, which is C's, stays. Go has frame pointers
 * everywhere, and a goroutine's stack does not move meanwhile. */
static __always_inline void goroutine__walk(const struct goroutine_layout *go, const struct goroutine *g,
					    struct stack_slot *slot)
{
	__u64 frame = goroutine__word(g, go->frame);
	__u64 pair[2]; /* the caller's frame, and where it goes on */
	__u32 count = 1;

	for (__u32 i = 1; i < WIRE_FRAMES; i++) {
		if (!goroutine__has(g, frame) || bpf_probe_read_user(pair, sizeof(pair), (const void *)frame))
			break;
		slot->addresses[i] = pair[1];
		count = i + 1;
		if (pair[0] <= frame)
			break;
		frame = pair[0];
	}
	if (count > 1)
		slot->frames = count;
}

__noinline int goroutine__note(struct stack_slot *slot)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 tgid = task->tgid;
	const struct frame_layout *layout = bpf_map_lookup_elem(&layouts, &tgid);
	struct goroutine g;
	bool in_c = false;

	if (!slot || !layout || !(layout->flags & FRAMES_GOROUTINES))
		return 0;
	if (!goroutine__in_go(&layout->go, task, &g) && !goroutine__by_thread(&layout->go, task, &g, &in_c))
		return 0;
	slot->goroutine = goroutine__word(&g, layout->go.id);
	if (in_c)
		goroutine__walk(&layout->go, &g, slot);
	return 0;
}
