/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * The stacks of a connection: where it was opened, and where it was used last. */
#ifndef CONNLEAK_STACKS_H
#define CONNLEAK_STACKS_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "emit.h"
#include "maps.h"

/* Two slots of captured stacks lie beside the record, each a storage of its own (an element above 4,096 bytes takes
 * twice that). The connect's lies in A until a scan has told it; meanwhile every use is written to B. From then on
 * uses alternate, so that a reader finds a whole one, and the use before is still there. What cannot be captured is
 * walked by frame pointers, into `open` of the record and `stacks`. Writers hold users_seq; see sends.bpf.c. */
enum capture_slot { SLOT_NONE = 0, SLOT_A = 1, SLOT_B = 2, SLOT_BOTH = 3 /* one deep stack, from A to B */ };

/* Of the current task, in its context: capturing.bpf.c. Take: false where it can only be walked; of `to` is nothing
 * valid then but form, which is CAPTURE_NONE. */
bool capture__is_possible(void) __hidden;
bool capture__take(struct captured *to, const struct wire_thread *thread, __u32 kind) __hidden;
/* Its stacks are deep: what follows in `to` on what `first` holds, of size 0 where that is all. */
bool capture__is_deep(void) __hidden;
void capture__take_rest(struct captured *to, const struct captured *first) __hidden;

/* Of the current task, which runs Go, whose stack has just been walked into `slot`: who it is, and, where C runs for it
 * and breaks the walk, its own frames. See goroutines.bpf.c. Verified once, by itself. */
int goroutine__note(struct stack_slot *slot);

/* The current task's, by frame pointers. False: it has none. */
static __always_inline bool stack_slot__walk(void *ctx, struct stack_slot *slot)
{
	long size = bpf_get_stack(ctx, slot->addresses, sizeof(slot->addresses), BPF_F_USER_STACK);

	slot->goroutine = 0;
	slot->frames = size > 0 ? size / 8 : 0;
	if (size <= 0)
		return false;
	if (READ_ONCE(any_layout))
		goroutine__note(slot);
	return true;
}

static __always_inline struct captured *slot__find(void *sk, __u32 slot)
{
	if (slot & SLOT_A)
		return bpf_sk_storage_get(&captures_a, sk, NULL, 0);
	if (slot == SLOT_B)
		return bpf_sk_storage_get(&captures_b, sk, NULL, 0);
	return NULL;
}

static __always_inline struct captured *slot__make(struct sock *sk, struct connection *c, __u32 slot)
{
	struct captured *found = slot__find(sk, slot);

	if (found || READ_ONCE(captures_held) >= captures_limit || !capture__is_possible())
		return found;
	count__hit(HOOK_STACK_STORAGE);
	if (slot == SLOT_A)
		found = bpf_sk_storage_get(&captures_a, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	else
		found = bpf_sk_storage_get(&captures_b, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!found) {
		count__drop(HOOK_STACK_STORAGE);
		return NULL;
	}
	c->slots++;
	__sync_fetch_and_add(&captures_held, 1);
	return found;
}

/* The connection has ended: its slots go with the socket, or now. */
static __always_inline void slots__release(struct connection *c)
{
	__u32 slots = c->slots;

	c->slots = 0;
	if (slots && READ_ONCE(captures_held) >= slots)
		__sync_fetch_and_add(&captures_held, -slots);
}

static __always_inline void stacks__forget(void *sk, struct connection *c)
{
	slots__release(c);
	bpf_sk_storage_delete(&captures_a, sk);
	bpf_sk_storage_delete(&captures_b, sk);
	bpf_sk_storage_delete(&stacks, sk);
}

/* Of the use before the last one. */
static __always_inline __u32 slot__before(const struct connection *c)
{
	return c->open_slot || c->use_slot == SLOT_BOTH ? SLOT_NONE : c->use_slot ^ SLOT_A ^ SLOT_B;
}

/* The current task opens it. */
static __always_inline void stack__open(void *ctx, struct sock *sk, struct connection *c)
{
	struct captured *slot = slot__make(sk, c, SLOT_A);

	if (slot && capture__take(slot, &c->wire.opener, WIRE_STACK_OPEN)) {
		c->open_slot = SLOT_A;
		return;
	}
	stack_slot__walk(ctx, &c->open);
	c->open.thread = c->wire.opener;
}

/* Into the slot that nobody reads; then that one is the one to read. */
static __always_inline bool stack__walk(void *ctx, struct sock *sk, const struct wire_thread *thread)
{
	struct stacks *s = bpf_sk_storage_get(&stacks, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	struct stack_slot *slot;
	__u32 next;

	if (!s) {
		count__drop(HOOK_STACK_STORAGE);
		return false;
	}
	if (!s->used)
		count__hit(HOOK_STACK_STORAGE);
	next = (READ_ONCE(s->active) & 1) ^ 1;
	slot = next ? &s->use[1] : &s->use[0];
	if (!stack_slot__walk(ctx, slot))
		return false;
	slot->thread = *thread;
	WRITE_ONCE(s->active, next);
	s->used = 1;
	return true;
}

/* The current task uses it. */
static __always_inline void stack__use(void *ctx, struct sock *sk, struct connection *c, const struct wire_thread *thread)
{
	__u32 next = READ_ONCE(c->open_slot) || c->use_slot == SLOT_A ? SLOT_B : SLOT_A;
	struct captured *slot, *rest;

	if (capture__is_deep()) {
		slot = slot__make(sk, c, SLOT_A);
		rest = slot__make(sk, c, SLOT_B);
		if (slot && rest && capture__take(slot, thread, WIRE_STACK_LAST_USE)) {
			capture__take_rest(rest, slot);
			WRITE_ONCE(c->open_slot, SLOT_NONE);
			WRITE_ONCE(c->use_slot, rest->size ? SLOT_BOTH : SLOT_A);
			c->captures++;
			return;
		}
	}
	slot = slot__make(sk, c, next);
	if (slot && capture__take(slot, thread, WIRE_STACK_LAST_USE)) {
		WRITE_ONCE(c->use_slot, next);
		c->captures++;
	} else if (stack__walk(ctx, sk, thread)) {
		WRITE_ONCE(c->use_slot, SLOT_NONE);
	}
}

/* The last use was none: the one before it, where that is still there. */
static __always_inline void stack__take_back(struct sock *sk, struct connection *c)
{
	struct stacks *s = bpf_sk_storage_get(&stacks, sk, NULL, 0);
	struct stack_slot *walked;
	struct captured *captured;

	if (c->use_slot) {
		__u32 before = slot__before(c);

		captured = c->wire.requests ? slot__find(sk, before) : NULL;
		if (captured && captured->form && captured->kind == WIRE_STACK_LAST_USE) {
			c->wire.last_user = captured->thread;
			WRITE_ONCE(c->use_slot, before);
		} else {
			WRITE_ONCE(c->use_slot, SLOT_NONE);
		}
		return;
	}
	if (!s)
		return;
	walked = s->active & 1 ? &s->use[0] : &s->use[1];
	if (walked->frames && c->wire.requests) {
		s->active ^= 1;
		c->wire.last_user = walked->thread;
	} else {
		s->used = 0;
	}
}

/* Of the use that was last, `undone` counted in; SLOT_NONE where it was walked, or none is known. */
static __always_inline __u32 stack__use_slot(const struct connection *c)
{
	__u32 slot = READ_ONCE(c->use_slot);

	if (!c->undone || !slot)
		return slot;
	return slot__before(c);
}

/* Tells one use from the next. Never 0. */
static __always_inline __u64 stack__mark(const struct connection *c)
{
	return (__u64)c->captures << 8 | 1;
}

#endif
