/* SPDX-License-Identifier: Apache-2.0
 * What the kernel side's readers of protocols ask of the kernel, natively. In the place of libbpf's header. */
#ifndef CONNLEAK_NATIVE_HELPERS_H
#define CONNLEAK_NATIVE_HELPERS_H

#define SEC(name)
#define __uint(name, value) int(*name)[value]
#define __type(name, value) value *name
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))
#define __hidden
#define NULL ((void *)0)

__u64 bpf_ktime_get_boot_ns(void);
void *bpf_map_lookup_elem(void *map, const void *key);
long bpf_map_update_elem(void *map, const void *key, const void *value, __u64 flags);

#endif
