/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Well-known ports, and which protocols speak at once under TLS. */
#ifndef CONNLEAK_PORTS_H
#define CONNLEAK_PORTS_H

#include "vmlinux.h"

#include "wire.h"

#define POSTGRESQL_PORT 5432
#define MYSQL_PORT 3306
#define REDIS_PORT 6379
#define REDIS_TLS_PORT 6380
#define MONGODB_PORT 27017
#define ORACLE_TLS_PORT 2484
#define CASSANDRA_PORT 9042
#define CASSANDRA_TLS_PORT 9142

/* What is usual on a port where TLS begins with the first byte; 0: unknown. */
static __always_inline __u8 port__protocol_under_tls(__u16 port)
{
	switch (port) {
	case REDIS_PORT:
	case REDIS_TLS_PORT:
		return WIRE_PROTOCOL_REDIS;
	case MONGODB_PORT:
		return WIRE_PROTOCOL_MONGODB;
	case ORACLE_TLS_PORT:
		return WIRE_PROTOCOL_ORACLE;
	case CASSANDRA_PORT:
	case CASSANDRA_TLS_PORT:
		return WIRE_PROTOCOL_CASSANDRA;
	default:
		return 0;
	}
}

/* Its login has no end that shows under TLS: what is sent sealed counts as requests. */
static __always_inline bool protocol__speaks_at_once(__u8 protocol)
{
	return protocol == WIRE_PROTOCOL_REDIS || protocol == WIRE_PROTOCOL_MONGODB || protocol == WIRE_PROTOCOL_ORACLE ||
	       protocol == WIRE_PROTOCOL_CASSANDRA;
}

#endif
