/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Reading names, once for all carriers. */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "mysql.h"
#include "names.h"
#include "postgres.h"

struct names_map names_buffers SEC(".maps");

__noinline int names__read(struct connection *c, __u32 said)
{
	__u32 zero = 0;
	struct names *names = bpf_map_lookup_elem(&names_buffers, &zero);

	if (!names || !c)
		return 0;
	if (said == SAID_MYSQL_NAMES)
		mysql__read_names(names, c);
	else
		postgres__read_names(names, c);
	/* In pieces that the compiler may not join: "A call to built-in function 'memset' is not supported". */
	__builtin_memset(names->text, 0, sizeof(names->text));
	asm volatile("" ::: "memory");
	__builtin_memset(names->strings, 0, sizeof(names->strings) / 2);
	asm volatile("" ::: "memory");
	__builtin_memset(names->strings + NAMES_STRINGS / 2, 0, sizeof(names->strings) / 2);
	return 0;
}
