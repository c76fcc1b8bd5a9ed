/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Which database's client begins like this. */
#ifndef CONNLEAK_FIRST_H
#define CONNLEAK_FIRST_H

#include "vmlinux.h"

#include "mongodb.h"
#include "mysql.h"
#include "payload.h"
#include "postgres.h"
#include "redis.h"
#include "tds.h"
#include "turns.h"

/* enum postgres_first of the first bytes. */
static __always_inline __u32 first__of_postgres(const struct payload *p)
{
	return p->size >= 8 ? postgres__first((const void *)p->head, p->size) : POSTGRES_FIRST_OTHER;
}

/* Of the client's first payload; WIRE_PROTOCOL_UNKNOWN where it is nobody's. */
static __always_inline __u8 first__protocol(const struct payload *p)
{
	__u32 first = first__of_postgres(p);

	if (first == POSTGRES_FIRST_STARTUP || first == POSTGRES_FIRST_TLS)
		return WIRE_PROTOCOL_POSTGRESQL;
	if (p->size >= 14 && redis__is_request(p->head))
		return WIRE_PROTOCOL_REDIS;
	/* The greeting before it was not seen. */
	if (mysql__is_login(p->head, p->size))
		return WIRE_PROTOCOL_MYSQL;
	if (mongodb__is_request(p))
		return WIRE_PROTOCOL_MONGODB;
	if (tds__is_prelogin(p))
		return WIRE_PROTOCOL_TDS;
	if (oracle__is_connect(p))
		return WIRE_PROTOCOL_ORACLE;
	if (cassandra__is_start(p))
		return WIRE_PROTOCOL_CASSANDRA;
	if (memcached__is_binary(p) || memcached__is_text(p))
		return WIRE_PROTOCOL_MEMCACHED;
	return WIRE_PROTOCOL_UNKNOWN;
}

/* Of some client's payload, in the middle of a conversation. `expected`: what is usual there. */
static __always_inline __u8 later__protocol(const struct payload *p, __u8 expected)
{
	bool postgres = p->size >= 5 && postgres__is_client_message(p->head, p->size);

	if (tds__is_request(p))
		return WIRE_PROTOCOL_TDS;
	if (cassandra__is_request(p))
		return WIRE_PROTOCOL_CASSANDRA;
	if (oracle__is_call(p))
		return WIRE_PROTOCOL_ORACLE;
	if (p->size >= 5 && mysql__is_command(p->head, p->size) && (expected == WIRE_PROTOCOL_MYSQL || !postgres))
		return WIRE_PROTOCOL_MYSQL;
	return postgres ? WIRE_PROTOCOL_POSTGRESQL : WIRE_PROTOCOL_UNKNOWN;
}

#endif
