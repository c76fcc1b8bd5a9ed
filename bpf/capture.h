/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Stacks as they are captured, before they are addresses: shared by bpf/ and userspace, never recorded. */
#ifndef CONNLEAK_CAPTURE_H
#define CONNLEAK_CAPTURE_H

#include "frames.h"
#include "wire.h"

/* Words and bytes of another process's stack hold anything: SQL, passwords. They cross from the kernel to one buffer
 * of ours, which is wiped, are made into addresses there (userspace/unwind), and no decoder takes this type. */
#define CAPTURE_TYPE 0x8000

/* All storage of one socket stays below 9 KiB, which the kernel charges to the application's option memory (20 KiB):
 * two of these and the record. */
#define CAPTURE_BYTES 3568
#define CAPTURE_STEP 1024

/* Of x86-64, those that calls preserve, in the order of DWARF's numbers; DI, because glibc's vfork() keeps its return
 * address there. */
enum capture_register {
	CAPTURE_BX = 0, CAPTURE_BP = 1, CAPTURE_SP = 2, CAPTURE_R12 = 3, CAPTURE_R13 = 4, CAPTURE_R14 = 5, CAPTURE_R15 = 6,
	CAPTURE_IP = 7, CAPTURE_DI = 8, CAPTURE_REGISTERS = 9
};

enum capture_form {
	CAPTURE_NONE = 0,
	CAPTURE_RAW = 1,    /* registers, and the stack from SP on */
	CAPTURE_SCRIPT = 2, /* struct script_frame, innermost first */
	CAPTURE_FORM_END
};

struct captured {
	struct wire_thread thread;
	__u32 kind; /* enum wire_stack_kind */
	__u16 form; /* enum capture_form */
	__u16 size; /* bytes of data that are valid */
	__u64 registers[CAPTURE_REGISTERS];
	__u8 data[CAPTURE_BYTES];
};

struct capture {
	struct wire_header header; /* type CAPTURE_TYPE */
	__u64 cookie;              /* as in wire_stack */
	__u64 opened_ns;
	struct captured stack;
	struct captured rest; /* of FRAMES_DEEP: what lies higher, from registers[CAPTURE_SP] on; else the record ends before it */
};

#define CAPTURE_SHORT __builtin_offsetof(struct capture, rest)

WIRE_ASSERT(sizeof(struct captured) % 8 == 0, "copied in words");
WIRE_ASSERT(SCRIPT_FRAMES * sizeof(struct script_frame) <= CAPTURE_BYTES, "script frames");

#endif
