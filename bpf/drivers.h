/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * What probes on drivers and pools say: shared by bpf/, which notes it, and userspace, which places the probes and reads
 * the leases. */
#ifndef CONNLEAK_DRIVERS_H
#define CONNLEAK_DRIVERS_H

#include "wire.h"

/* What a probed instruction means; the first byte of its cookie. */
enum driver_role {
	ROLE_NONE = 0,
	ROLE_CONNECTING = 1,  /* what this thread connects before the function returns is of the handle */
	ROLE_FINISHED = 2,    /* the handle is given up */
	ROLE_ACQUIRED = 3,    /* taken out of its pool, unless the error's register is not 0 */
	ROLE_RELEASED = 4,    /* given back */
	ROLE_END
};

/* Registers as they are numbered in instructions (x86-64). */
#define DRIVER_REGISTERS 16
#define DRIVER_NO_REGISTER 255

/* The register holds the address of two words: the handle and its pool. Else it holds the handle, whose first word is the
 * pool. */
#define DRIVER_VIA 1u

/* A cookie, from its lowest byte: role, enum wire_driver, enum wire_object, then the registers of the handle, of an
 * error and of the goroutine, DRIVER_* flags, and by how many words the stack pointer is below the return address. */
static inline __u64 driver_cookie(__u8 role, __u8 driver, __u8 object, __u8 handle, __u8 error, __u8 goroutine, __u8 flags,
				  __u8 words)
{
	return role | (__u64)driver << 8 | (__u64)object << 16 | (__u64)handle << 24 | (__u64)error << 32 |
	       (__u64)goroutine << 40 | (__u64)flags << 48 | (__u64)words << 56;
}

struct lease_key {
	__u64 handle;
	__u32 tgid;
	__u32 padding;
};

/* By handle. Each field has one writing site: who takes it, then who gives it back. */
struct lease {
	struct wire_thread thread;
	__u64 pool;        /* the first word of the handle, where that is its pool */
	__u64 owner;
	__u64 goroutine;   /* its id, where that is known */
	__u64 acquired_ns;
	__u64 released_ns;
	__u64 taken;
	__u64 cookie;      /* of the socket that it is; 0: nothing was sent on it since the probes are there */
	__u8 object;
	__u8 driver;
	__u8 padding[6];
	__u64 frames;
	__u64 addresses[WIRE_FRAMES];
};

#endif
