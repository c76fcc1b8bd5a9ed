/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Probes on the functions of drivers and pools. Userspace chooses the instructions; see userspace/drivers. */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.h"
#include "leases.h"
#include "maps.h"
#include "tasks.h"

/* By their numbers. All are read: the verifier takes no chosen offset into the context. */
static __always_inline void registers__read(const struct pt_regs *regs, __u64 to[DRIVER_REGISTERS])
{
#if defined(__TARGET_ARCH_x86)
	to[0] = regs->ax;
	to[1] = regs->cx;
	to[2] = regs->dx;
	to[3] = regs->bx;
	to[4] = regs->sp;
	to[5] = regs->bp;
	to[6] = regs->si;
	to[7] = regs->di;
	to[8] = regs->r8;
	to[9] = regs->r9;
	to[10] = regs->r10;
	to[11] = regs->r11;
	to[12] = regs->r12;
	to[13] = regs->r13;
	to[14] = regs->r14;
	to[15] = regs->r15;
#else
	__builtin_memset(to, 0, DRIVER_REGISTERS * sizeof(*to));
#endif
}

/* 0 where the cookie names none. */
static __always_inline __u64 register__of(const __u64 registers[DRIVER_REGISTERS], __u64 number)
{
	number &= 255;
	return number < DRIVER_REGISTERS ? registers[number] : 0;
}

/* A new one where there is none. */
static __always_inline struct lease *lease__make(const struct lease_key *key)
{
	static const struct lease none;
	struct lease *lease = bpf_map_lookup_elem(&leases, key);

	if (lease)
		return lease;
	if (bpf_map_update_elem(&leases, key, &none, BPF_ANY))
		count__drop(HOOK_DRIVER);
	return bpf_map_lookup_elem(&leases, key);
}

/* Deeper than this no connect is. */
#define CONNECT_REACH (1u << 20)

static __always_inline bool connecting__is_inside(const struct connecting *now, struct task_struct *task)
{
	struct pt_regs *regs = compat__user_registers(task);
	__u64 returns;

	return regs && now->frame - regs->sp < CONNECT_REACH &&
	       !bpf_probe_read_user(&returns, sizeof(returns), (const void *)now->frame) && returns == now->returns;
}

void lease__note_connect(struct task_struct *task, struct connection *c)
{
	struct connecting *now = bpf_task_storage_get(&connecting, task, NULL, 0);
	struct lease_key key = { .tgid = task->tgid };
	struct lease *lease;

	if (!now || !now->handle || !connecting__is_inside(now, task))
		return;
	c->wire.handle = key.handle = now->handle;
	c->wire.driver = (__u8)now->driver;
	lease = lease__make(&key);
	if (!lease)
		return;
	lease->thread = c->wire.opener;
	lease->cookie = c->wire.cookie;
	lease->object = WIRE_OBJECT_HANDLE;
	lease->driver = (__u8)now->driver;
	lease->taken++;
	lease->released_ns = 0;
	WRITE_ONCE(lease->acquired_ns, c->wire.opened_ns);
}

void lease__forget(struct connection *c)
{
	struct lease_key key = { .handle = c->wire.handle, .tgid = c->wire.opener.tgid };
	const struct lease *lease = bpf_map_lookup_elem(&leases, &key);

	/* After a reset it is the next socket's already. */
	if (lease && lease->cookie == c->wire.cookie)
		bpf_map_delete_elem(&leases, &key);
}

static __always_inline void handle__connecting(struct task_struct *task, __u64 handle, __u64 frame, __u8 driver)
{
	struct connecting *now = bpf_task_storage_get(&connecting, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!now) {
		count__drop(HOOK_DRIVER);
		return;
	}
	now->driver = driver;
	now->frame = frame;
	bpf_probe_read_user(&now->returns, sizeof(now->returns), (const void *)frame);
	now->handle = handle;
}

/* 0: not known. */
static __always_inline __u64 goroutine__id(__u32 tgid, __u64 goroutine)
{
	const struct frame_layout *layout = READ_ONCE(any_layout) ? bpf_map_lookup_elem(&layouts, &tgid) : NULL;
	__u64 id = 0;

	if (!layout || !(layout->flags & FRAMES_GOROUTINES))
		return 0;
	bpf_probe_read_user(&id, sizeof(id), (const void *)(goroutine + layout->go.id));
	return id;
}

static __always_inline void lease__end(struct lease_key *key)
{
	struct lease *lease = bpf_map_lookup_elem(&leases, key);
	const __u64 *held;
	__u64 handle = key->handle;

	if (!lease)
		return;
	lease->released_ns = bpf_ktime_get_boot_ns();
	key->handle = lease->owner;
	held = lease->owner ? bpf_map_lookup_elem(&owners, key) : NULL;
	if (held && *held == handle)
		bpf_map_delete_elem(&owners, key);
}

static __always_inline void lease__begin(struct pt_regs *ctx, struct task_struct *task, struct lease_key *key, __u64 pool,
					 __u64 owner, __u64 cookie)
{
	struct lease *lease = lease__make(key);
	__u64 handle = key->handle;
	long size;

	if (!lease)
		return;
	task__identify(task, &lease->thread);
	lease->driver = (__u8)(cookie >> 8);
	lease->object = (__u8)(cookie >> 16);
	lease->owner = owner;
	lease->goroutine = goroutine__id(task->tgid, owner);
	lease->taken++;
	if (!pool)
		bpf_probe_read_user(&pool, sizeof(pool), (const void *)handle);
	lease->pool = pool;
	size = bpf_get_stack(ctx, lease->addresses, sizeof(lease->addresses), BPF_F_USER_STACK);
	lease->frames = size > 0 ? size / 8 : 0;
	lease->released_ns = 0;
	WRITE_ONCE(lease->acquired_ns, bpf_ktime_get_boot_ns());
	key->handle = owner;
	bpf_map_update_elem(&owners, key, &handle, BPF_ANY);
}

static __always_inline int driver__site(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 cookie = bpf_get_attach_cookie(ctx);
	struct lease_key key = { .tgid = task->tgid };
	__u64 registers[DRIVER_REGISTERS];
	__u64 words[2] = {};

	count__hit(HOOK_DRIVER);
	registers__read(ctx, registers);
	key.handle = register__of(registers, cookie >> 24);
	if (cookie >> 48 & DRIVER_VIA) {
		bpf_probe_read_user(words, sizeof(words), (const void *)key.handle);
		key.handle = words[0];
	}
	switch (cookie & 255) {
	case ROLE_CONNECTING:
		handle__connecting(task, key.handle, registers[4] + 8 * (cookie >> 56), (__u8)(cookie >> 8));
		break;
	case ROLE_FINISHED:
	case ROLE_RELEASED:
		lease__end(&key);
		break;
	case ROLE_ACQUIRED:
		if (key.handle && !register__of(registers, cookie >> 32))
			lease__begin(ctx, task, &key, words[1], register__of(registers, cookie >> 40), cookie);
		break;
	}
	return 0;
}

/* From 6.6 on all sites of a file hang on one link. */
SEC("?uprobe.multi")
int uprobe_multi__driver(struct pt_regs *ctx)
{
	return driver__site(ctx);
}

SEC("?uprobe")
int uprobe__driver(struct pt_regs *ctx)
{
	return driver__site(ctx);
}
