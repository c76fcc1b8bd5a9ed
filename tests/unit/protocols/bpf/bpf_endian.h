/* SPDX-License-Identifier: Apache-2.0
 * Byte order, natively. In the place of libbpf's header. */
#ifndef CONNLEAK_NATIVE_ENDIAN_H
#define CONNLEAK_NATIVE_ENDIAN_H

#define bpf_ntohs(x) __builtin_bswap16(x)
#define bpf_ntohl(x) __builtin_bswap32(x)
#define bpf_htons(x) __builtin_bswap16(x)
#define bpf_htonl(x) __builtin_bswap32(x)
#define bpf_be64_to_cpu(x) __builtin_bswap64(x)

#endif
