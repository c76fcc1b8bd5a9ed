/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Where databases are: what a late connection under TLS speaks cannot be read from its bytes. */
#ifndef CONNLEAK_DATABASES_H
#define CONNLEAK_DATABASES_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "ports.h"
#include "record.h"

/* Found there by the first bytes of other connections. */
struct database_address {
	__u8 address[16];
	__u32 netns;
	__u16 port;
	__u16 family;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct database_address);
	__type(value, __u8); /* enum wire_protocol */
} databases SEC(".maps");

static __always_inline void database__address(const struct connection *c, struct database_address *address)
{
	__builtin_memcpy(address->address, c->wire.remote, sizeof(address->address));
	address->netns = c->wire.netns;
	address->port = c->wire.remote_port;
	address->family = c->wire.family;
}

__noinline int database__learn(struct connection *c)
{
	struct database_address address;
	__u8 protocol, *known;

	if (!c)
		return 0;
	protocol = c->wire.protocol;
	database__address(c, &address);
	known = bpf_map_lookup_elem(&databases, &address);
	if (!known || *known != protocol)
		bpf_map_update_elem(&databases, &address, &protocol, BPF_ANY);
	return 0;
}

/* What a late connection under TLS speaks: as others to the same address did, else as is usual on its port; 0: unknown. */
__noinline int database__assumed(struct connection *c)
{
	struct database_address address;
	__u8 *protocol;

	if (!c)
		return 0;
	database__address(c, &address);
	protocol = bpf_map_lookup_elem(&databases, &address);
	if (protocol)
		return *protocol;
	switch (c->wire.remote_port) {
	case POSTGRESQL_PORT:
		return WIRE_PROTOCOL_POSTGRESQL;
	case MYSQL_PORT:
		return WIRE_PROTOCOL_MYSQL;
	default:
		return port__protocol_under_tls(c->wire.remote_port);
	}
}

#endif
