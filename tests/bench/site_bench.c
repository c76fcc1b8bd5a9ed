// SPDX-License-Identifier: Apache-2.0
// What a probe (uprobe) costs on each kind of instruction, on the kernel that is there, and what that kernel makes of
// it: emulated ones are cheap, the others are single-stepped, some are refused. Probes this program only, by system
// calls of its own. Needs root and Linux 6.6. Prints nanoseconds a hit: median of 7 rounds, less the same round
// without a probe.
#define _GNU_SOURCE
#include <stdio.h>

#if !defined(__x86_64__)
int main(void)
{
	puts("site_bench: probes are placed in x86-64 code only");
	return 0;
}
#else
#include <errno.h>
#include <link.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 7, TRACE_UPROBE_MULTI = 48 /* BPF_TRACE_UPROBE_MULTI, 6.6 */ };

// A case is a function NAME with the probe at NAME_site; what it returns must not depend on the probe.
#define CASE(name, before, probed, after)                                                                           \
	extern long name(long);                                                                                     \
	extern char name##_site[];                                                                                  \
	asm(".pushsection .text\n.balign 16\n.type " #name ", @function\n.globl " #name "\n" #name ":\n" before        \
	    "\n.globl " #name "_site\n" #name "_site:\n" probed "\n" after "\n.popsection\n");

#define RETURN "lea 1(%rdi), %rax\nret"
CASE(push_rbp, "", "push %rbp", "pop %rbp\n" RETURN)
CASE(push_r15, "", "push %r15", "pop %r15\n" RETURN)
CASE(nop_1, "", "nop", RETURN)
CASE(jcc_taken, "test %rdi, %rdi", "jne 1f", "ud2\n1: " RETURN)
CASE(jcc_not_taken, "test %rdi, %rdi", "je 1f", RETURN "\n1: ud2")
CASE(jcc_near, "test %rdi, %rdi", ".byte 0x0f, 0x84, 0, 0, 0, 0", RETURN)
CASE(jump, "", "jmp 1f", "ud2\n1: " RETURN)
CASE(call_rel32, "sub $8, %rsp", "call nop_1", "add $8, %rsp\nret")
CASE(endbr, "", ".byte 0xf3, 0x0f, 0x1e, 0xfa", RETURN)
CASE(test_reg, "", "test %rdi, %rdi", "je 1f\n" RETURN "\n1: ud2")
CASE(cmp_memory, "", "cmp -8(%rsp), %rdi", RETURN)
CASE(sub_rsp, "", "sub $24, %rsp", "add $24, %rsp\n" RETURN)
CASE(lea_reg, "", "lea -240(%rsp), %rcx", RETURN)
CASE(mov_spill, "", "mov %rdi, -8(%rsp)", RETURN)
CASE(mov_rip, "", "mov push_rbp(%rip), %rcx", RETURN)
CASE(return_near, "lea 1(%rdi), %rax", "ret", "")
CASE(nop_2, "", ".byte 0x66, 0x90", RETURN)
CASE(nop_3, "", ".byte 0x0f, 0x1f, 0x00", RETURN)
CASE(nop_5, "", ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00", RETURN)
CASE(nop_10, "", ".byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0", RETURN)
CASE(nop_5_in_red_zone, "mov %rdi, -8(%rsp)", ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00", "mov -8(%rsp), %rdi\n" RETURN)
CASE(pause_1, "", "pause", RETURN)
CASE(xchg_r8, "lea 1(%rdi), %rax\nlea 2(%rdi), %r8", "xchg %r8, %rax", "ret")
CASE(push_rex_w, "", ".byte 0x48, 0x50", "pop %rcx\n" RETURN)
CASE(jrcxz_1, "xor %ecx, %ecx", "jrcxz 1f", "ud2\n1: " RETURN)
CASE(call_indirect, "sub $8, %rsp\nlea nop_1(%rip), %rcx", "call *%rcx", "add $8, %rsp\nret")
CASE(vector_load, "", ".byte 0xc5, 0xfc, 0x10, 0x44, 0x24, 0xe0", "vzeroupper\n" RETURN)
CASE(prefix_cs, "", ".byte 0x2e, 0x8b, 0x4c, 0x24, 0xf8", RETURN)
CASE(prefix_66_jump, "", ".byte 0x66, 0x0f, 0x84, 0, 0, 0, 0", RETURN)
CASE(lock_inc, "", "lock incq -8(%rsp)", RETURN)
CASE(halt, "jmp 1f", "hlt", "1: " RETURN)
CASE(trap, "jmp 1f", "int3", "1: " RETURN)
CASE(system_call, "jmp 1f", "syscall", "1: " RETURN)
CASE(undefined, "jmp 1f", "ud2", "1: " RETURN)

static const struct test {
	const char *what;
	long (*function)(long);
	const char *site;
} tests[] = {
#define TEST(name, what) {what, name, name##_site}
	TEST(push_rbp, "push rbp"),
	TEST(push_r15, "push r15"),
	TEST(nop_1, "nop (90)"),
	TEST(jcc_taken, "jcc, taken"),
	TEST(jcc_not_taken, "jcc, not taken"),
	TEST(jcc_near, "jcc, near form"),
	TEST(jump, "jmp"),
	TEST(call_rel32, "call rel32"),
	TEST(endbr, "endbr64"),
	TEST(test_reg, "test rdi, rdi"),
	TEST(cmp_memory, "cmp rdi, [rsp-8]"),
	TEST(sub_rsp, "sub rsp, 24"),
	TEST(lea_reg, "lea rcx, [rsp-240]"),
	TEST(mov_spill, "mov [rsp-8], rdi"),
	TEST(mov_rip, "mov rcx, [rip+x]"),
	TEST(return_near, "ret"),
	TEST(nop_2, "nop of 2 (66 90)"),
	TEST(nop_3, "nop of 3"),
	TEST(nop_5, "nop of 5"),
	TEST(nop_10, "nop of 10, cs:"),
	TEST(nop_5_in_red_zone, "nop of 5, red zone in use"),
	TEST(pause_1, "pause (f3 90)"),
	TEST(xchg_r8, "xchg r8, rax (49 90)"),
	TEST(push_rex_w, "push rax, REX.W"),
	TEST(jrcxz_1, "jrcxz"),
	TEST(call_indirect, "call rcx"),
	TEST(vector_load, "vmovups ymm0 (VEX)"),
	TEST(prefix_cs, "mov, cs:"),
	TEST(prefix_66_jump, "jcc, 66 prefix"),
	TEST(lock_inc, "lock inc"),
	TEST(halt, "hlt"),
	TEST(trap, "int3"),
	TEST(system_call, "syscall"),
	TEST(undefined, "ud2"),
};

// The head of union bpf_attr for BPF_LINK_CREATE with uprobe_multi, which older headers lack.
struct uprobe_multi {
	uint32_t program, target, type, flags;
	uint64_t path, offsets, counters, cookies;
	uint32_t count, probe_flags, pid, pad;
};

static long bpf(int command, void *attributes, unsigned int size)
{
	return syscall(SYS_bpf, command, attributes, size);
}

static int make_counter(void)
{
	union bpf_attr attributes = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};

	return (int)bpf(BPF_MAP_CREATE, &attributes, sizeof(attributes));
}

static uint64_t read_counter(int map)
{
	uint32_t key = 0;
	uint64_t value = 0;
	union bpf_attr attributes = {.map_fd = (uint32_t)map, .key = (uintptr_t)&key, .value = (uintptr_t)&value};

	bpf(BPF_MAP_LOOKUP_ELEM, &attributes, sizeof(attributes));
	return value;
}

// Counts its runs.
static int load_program(int map)
{
	const struct bpf_insn code[] = {
		{.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_VALUE, .imm = map},
		{0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 1},
		{.code = BPF_STX | BPF_DW | BPF_ATOMIC, .dst_reg = 1, .src_reg = 2, .imm = BPF_ADD},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attributes = {.prog_type = BPF_PROG_TYPE_KPROBE,
				     .expected_attach_type = TRACE_UPROBE_MULTI,
				     .insns = (uintptr_t)code,
				     .insn_cnt = sizeof(code) / sizeof(code[0]),
				     .license = (uintptr_t) "Dual BSD/GPL"};

	return (int)bpf(BPF_PROG_LOAD, &attributes, sizeof(attributes));
}

struct place {
	uintptr_t address;
	uint64_t offset;
};

static int find_offset(struct dl_phdr_info *info, size_t size, void *found)
{
	struct place *place = found;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && place->address - start < segment->p_filesz)
			place->offset = place->address - start + segment->p_offset;
	}
	return 1; /* the program itself comes first */
}

static int attach(int program, const char *site)
{
	struct place place = {.address = (uintptr_t)site};
	struct uprobe_multi attributes = {.program = (uint32_t)program,
					  .type = TRACE_UPROBE_MULTI,
					  .path = (uintptr_t) "/proc/self/exe",
					  .offsets = (uintptr_t)&place.offset,
					  .count = 1,
					  .pid = (uint32_t)getpid()};

	dl_iterate_phdr(find_offset, &place);
	return (int)bpf(BPF_LINK_CREATE, &attributes, sizeof(attributes));
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double nanoseconds(const struct test *test, long calls, long *sum)
{
	double rounds[ROUNDS];

	*sum = 0;
	for (int round = 0; round < ROUNDS; round++) {
		struct timespec begin, end;

		clock_gettime(CLOCK_MONOTONIC, &begin);
		for (long i = 1; i <= calls; i++)
			*sum += test->function(i);
		clock_gettime(CLOCK_MONOTONIC, &end);
		rounds[round] = ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) /
				(double)calls;
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), by_size);
	return rounds[ROUNDS / 2];
}

int main(int argc, char **argv)
{
	const long calls = argc > 1 ? atol(argv[1]) : 20000;
	const int map = make_counter(), program = load_program(map);

	if (program < 0) {
		fprintf(stderr, "site_bench: this kernel or user cannot probe many places at once: %s\n", strerror(errno));
		return 3;
	}
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		const struct test *test = &tests[i];
		long expected, sum;
		const double plain = nanoseconds(test, calls, &expected);
		const int link = attach(program, test->site);

		if (link < 0) {
			printf("  %-26s refused: errno %d\n", test->what, errno);
			continue;
		}
		const uint64_t before = read_counter(map);
		const double probed = nanoseconds(test, calls, &sum);
		const uint64_t hits = read_counter(map) - before;

		close(link);
		printf("  %-26s %8.0f ns a hit%s%s\n", test->what, probed - plain,
		       sum != expected ? ", AND IT COMPUTES SOMETHING ELSE" : "",
		       hits == 0				  ? ", never passed"
		       : hits != (uint64_t)calls * ROUNDS ? ", and not each is seen"
							  : "");
		fflush(stdout);
	}
	return 0;
}
#endif
