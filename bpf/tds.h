/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Tabular Data Stream (SQL Server, Sybase), as far as turns and transactions go. */
#ifndef CONNLEAK_TDS_H
#define CONNLEAK_TDS_H

/* Source: [MS-TDS] "Tabular Data Stream Protocol", 2.2. A packet is a header of 8 bytes (type, status, length in network
 * order, process, number, window), then data. A reply is tokens, the last of which is DONE. */

#include "vmlinux.h"

#include "payload.h"
#include "record.h"

#define TDS_BATCH 0x01
#define TDS_RPC 0x03
#define TDS_REPLY 0x04
#define TDS_TRANSACTION 0x0E
#define TDS_PRELOGIN 0x12
#define TDS_LAST 0x01  /* status: the message ends with this packet */
#define TDS_RESET 0x08 /* the pool hands the connection out anew: what was before is undone */
#define TDS_ENVCHANGE 0xE3
#define TDS_DONE 0xFD
#define TDS_DONE_PROC 0xFE
#define TDS_DONE_SIZE 13 /* since 7.2 */
#define TDS_DONE_MORE 0x01

static __always_inline __u32 tds__length(const struct payload *p) { return (__u32)p->head[2] << 8 | p->head[3]; }

/* A client's first packet: options, of which the first is the version. */
static __always_inline bool tds__is_prelogin(const struct payload *p)
{
	return p->size >= 20 && p->head[0] == TDS_PRELOGIN && p->head[1] == TDS_LAST && tds__length(p) == p->size &&
	       !p->head[4] && !p->head[5] && !p->head[7] && !p->head[8] && !p->head[9];
}

/* A request since 7.2 begins with headers, of which the one here says the transaction that it belongs to. */
static __always_inline bool tds__is_request(const struct payload *p)
{
	return p->size >= 30 && (p->head[0] == TDS_BATCH || p->head[0] == TDS_RPC || p->head[0] == TDS_TRANSACTION) &&
	       p->head[1] < 0x20 && tds__length(p) <= p->size && p->head[8] == 22 && p->head[12] == 18 && p->head[16] == 2 &&
	       !(p->head[9] | p->head[10] | p->head[11] | p->head[13] | p->head[14] | p->head[15] | p->head[17]);
}

/* What of the transaction the request says: open, none, or unknown. */
static __always_inline __u8 tds__request_state(const struct payload *p)
{
	__u8 any = 0;

	if (!tds__is_request(p))
		return WIRE_TRANSACTION_UNKNOWN;
	for (__u32 i = 18; i < 26; i++)
		any |= p->head[i];
	return any && !(p->head[1] & TDS_RESET) ? WIRE_TRANSACTION_OPEN : WIRE_TRANSACTION_NONE;
}

/* What a reply says of it in its first token: begun (8), committed (9), rolled back (10). */
static __always_inline __u8 tds__reply_state(const struct payload *p)
{
	if (p->size < 12 || p->head[0] != TDS_REPLY || p->head[8] != TDS_ENVCHANGE)
		return WIRE_TRANSACTION_UNKNOWN;
	if (p->head[11] == 8)
		return WIRE_TRANSACTION_OPEN;
	return p->head[11] == 9 || p->head[11] == 10 ? WIRE_TRANSACTION_NONE : WIRE_TRANSACTION_UNKNOWN;
}

/* The payload ends in a DONE after which nothing follows. */
static __always_inline bool tds__ends_reply(const struct payload *p)
{
	__u8 token = payload__last(p, TDS_DONE_SIZE - 1);

	return p->size >= TDS_DONE_SIZE && (token == TDS_DONE || token == TDS_DONE_PROC) &&
	       !(payload__last(p, TDS_DONE_SIZE - 2) & TDS_DONE_MORE) && payload__last(p, TDS_DONE_SIZE - 3) < 2;
}

#endif
