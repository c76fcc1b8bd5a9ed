/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Taking the stack of the current task, in its context: a script's frames where the interpreter is known, else
 * registers with a piece of the stack as it lies there. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "capture.h"
#include "compat.h"
#include "maps.h"
#include "stacks.h"
#include "tasks.h"
#include "words.h"

/* A thread's own stack ends this close above SP: what is further away is another stack, a goroutine's for one. */
#define STACK_REACH (64ull << 20)

/* Where frames begin, or 0. As bpf/frames.h tells it. */
static __always_inline __u64 script__top(const struct frame_layout *layout, __u64 thread_pointer, __u64 *end)
{
	__u64 node = user__word(layout->root), first = node, thread = 0, owner, base;

	*end = ~0ull;
	if (!(layout->flags & FRAMES_THREADS))
		return node;
	for (__u32 i = 0; i < SCRIPT_THREADS && node; i++) {
		__u64 holder = node - layout->thread_node;

		if (layout->flags & FRAMES_THREAD_ID_VIA)
			holder = user__word(holder + layout->thread_id_via);
		if (user__word(holder + layout->thread_id) == thread_pointer) {
			thread = node - layout->thread_node;
			break;
		}
		node = user__word(node + layout->thread_next);
		if (node == first)
			break;
	}
	if (!thread)
		return 0;
	owner = user__word(thread + layout->top);
	if (layout->flags & FRAMES_ARRAY) {
		base = user__word(owner + layout->array);
		*end = base + 8 * user__word(owner + layout->array + 8);
	}
	return layout->flags & FRAMES_TOP_VIA ? user__word(owner + layout->top_via) : owner;
}

static __always_inline const struct frame_layout *task__layout(struct task_struct *task)
{
	__u32 tgid = task->tgid;

	return READ_ONCE(any_layout) ? bpf_map_lookup_elem(&layouts, &tgid) : NULL;
}

static __always_inline bool capture__script(struct captured *to, struct task_struct *task,
					    const struct frame_layout *layout)
{
	struct script_frame *frames = (void *)to->data;
	__u64 frame, end;
	__u32 count = 0;

	frame = script__top(layout, compat__thread_pointer(task), &end);
	for (__u32 i = 0; i < SCRIPT_FRAMES; i++) {
		if (!frame || frame >= end)
			break;
		if (bpf_probe_read_user(&frames[i].code, 8, (const void *)(frame + layout->code)) ||
		    bpf_probe_read_user(&frames[i].place, 8, (const void *)(frame + layout->place)))
			break;
		count = i + 1;
		frame = layout->flags & FRAMES_ARRAY ? frame + layout->size : user__word(frame + layout->next);
	}
	if (!count)
		return false;
	to->size = count * sizeof(*frames);
	to->form = CAPTURE_SCRIPT;
	return true;
}

/* Bytes from `sp` to the top of the thread's own stack; 0: it runs on another one. Above a thread's stack lies its
 * control block, which begins with its own address; above the main thread's, arguments and environment. Go's threads
 * have no such block, and goroutines no such stack. */
static __always_inline __u64 stack__reach(struct task_struct *task, __u64 sp)
{
	__u64 block = compat__thread_pointer(task);
	__u64 top;

	if (task->pid == task->tgid) {
		top = task->mm->start_stack;
		if (user__word(block) != block)
			return 0;
	} else {
		top = block;
		if (top - sp >= STACK_REACH || user__word(block) != block)
			return 0;
	}
	return top - sp < STACK_REACH ? top - sp : 0;
}

/* Steps, because a read that fails half way leaves zeros. */
static __always_inline __u32 stack__copy(__u8 *to, __u64 from, __u64 wanted)
{
	__u32 done = 0;

	for (__u32 at = 0; at < CAPTURE_BYTES; at += CAPTURE_STEP) {
		__u32 room = CAPTURE_BYTES - at < CAPTURE_STEP ? CAPTURE_BYTES - at : CAPTURE_STEP;
		__u64 size = wanted - at;

		if (at >= wanted)
			break;
		if (size > room)
			size = room;
		/* The verifier wants the bound on the register that is passed. */
		asm volatile("" : "+r"(size));
		if (size > room || bpf_probe_read_user(to + at, (__u32)size, (const void *)(from + at)))
			break;
		done = at + (__u32)size;
	}
	return done;
}

static __always_inline bool capture__raw(struct captured *to, struct task_struct *task)
{
	struct pt_regs *regs = compat__user_registers(task);
	__u64 reach;

	if (!regs || !compat__read_registers(regs, to->registers))
		return false;
	reach = stack__reach(task, to->registers[CAPTURE_SP]);
	if (!reach)
		return false;
	to->size = (__u16)stack__copy(to->data, to->registers[CAPTURE_SP], reach);
	if (!to->size)
		return false;
	to->form = CAPTURE_RAW;
	return true;
}

bool capture__is_possible(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const struct frame_layout *layout = task__layout(task);
	struct pt_regs *regs = compat__user_registers(task);
	__u64 registers[CAPTURE_REGISTERS];

	if (layout && (layout->flags & (FRAMES_SCRIPT | FRAMES_WALKED)))
		return !(layout->flags & FRAMES_WALKED);
	return regs && compat__read_registers(regs, registers) && stack__reach(task, registers[CAPTURE_SP]);
}

bool capture__is_deep(void)
{
	const struct frame_layout *layout = task__layout(bpf_get_current_task_btf());

	return layout && (layout->flags & FRAMES_DEEP);
}

bool capture__take(struct captured *to, const struct wire_thread *thread, __u32 kind)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const struct frame_layout *layout = task__layout(task);

	to->thread = *thread;
	to->kind = kind;
	to->form = CAPTURE_NONE;
	if (layout && (layout->flags & FRAMES_WALKED))
		return false;
	if (layout && (layout->flags & FRAMES_SCRIPT) && capture__script(to, task, layout))
		return true;
	return capture__raw(to, task);
}

void capture__take_rest(struct captured *to, const struct captured *first)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const struct frame_layout *layout = task__layout(task);
	__u64 from, reach;

	to->form = CAPTURE_NONE;
	to->size = 0;
	if (first->form != CAPTURE_RAW || first->size < CAPTURE_BYTES || !layout)
		return;
	from = first->registers[CAPTURE_SP] + layout->skip;
	to->registers[CAPTURE_SP] = from;
	reach = stack__reach(task, from);
	if (reach)
		to->size = (__u16)stack__copy(to->data, from, reach);
}
