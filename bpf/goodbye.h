/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * Goodbyes that are told only by what follows them. */
#ifndef CONNLEAK_GOODBYE_H
#define CONNLEAK_GOODBYE_H

#include "vmlinux.h"

#include "record.h"

/* A sealed goodbye looks like a request until the alert that ends TLS follows it, or the close, unanswered: 27 to 69
 * bytes (Java pads its alerts, too), and drivers close at once; on a busy machine that takes them a while. */
#define TLS_GOODBYE_SIZE 80
#define TLS_GOODBYE_NS (1000ull * 1000 * 1000)

/* Takes the last request back where it was the goodbye. The gap before it stays uncounted: it was pending. */
static __always_inline void connection__undo_goodbye(struct connection *c, __u64 now)
{
	if (c->kind != KIND_REQUEST || c->last_size > TLS_GOODBYE_SIZE || now - c->wire.last_use_ns > TLS_GOODBYE_NS ||
	    connection__turn(c) != WIRE_TURN_SERVER)
		return;
	c->wire.requests--;
	c->wire.pending_gap_ns = 0;
	c->wire.last_use_ns = c->prior_use_ns;
	WRITE_ONCE(c->request_seq, c->prior_request_seq);
	WRITE_ONCE(c->asked, c->prior_asked);
	if (!c->wire.requests)
		c->wire.first_use_ns = 0;
	c->undone = 1;
}

#endif
