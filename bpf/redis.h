/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 * The Redis protocol (RESP), as far as commands that open, change or end something go. */
#ifndef CONNLEAK_REDIS_H
#define CONNLEAK_REDIS_H

/* Source: "Redis serialization protocol specification". A request is an array of bulk strings, the command first:
 * *2 CRLF $3 CRLF GET CRLF ... Of a payload with several requests only the first one and its last bytes are looked
 * at. Inline commands (typed by a person) are not recognised. */

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "payload.h"

enum redis_command {
	REDIS_OTHER = 0,
	REDIS_LOGIN = 1,   /* AUTH, HELLO, CLIENT, SELECT, COMMAND: what drivers send before the first use */
	REDIS_QUIT = 2,
	REDIS_MULTI = 3,
	REDIS_END = 4,     /* EXEC, DISCARD: by the payload's end, where a pipeline has them */
	REDIS_STREAM = 5,  /* SUBSCRIBE and its kind, MONITOR, PSYNC */
};

static __always_inline bool redis__is_digit(__u8 letter) { return letter >= '0' && letter <= '9'; }

/* The first 8 bytes of a connection begin a request: an array of up to 99 strings. */
static __always_inline bool redis__is_request(const __u8 *head)
{
	if (head[0] != '*' || head[1] < '1' || head[1] > '9')
		return false;
	if (head[2] == '\r')
		return head[3] == '\n' && head[4] == '$' && redis__is_digit(head[5]);
	return redis__is_digit(head[2]) && head[3] == '\r' && head[4] == '\n' && head[5] == '$' &&
	       redis__is_digit(head[6]);
}

/* How "-ERR max number of clients reached" and its longer form of a cluster begin. Redis says so when it accepts, mostly
 * before the client has spoken. */
static __always_inline bool redis__is_refusal(const __u8 *text)
{
	return text[0] == '-' && text[1] == 'E' && text[2] == 'R' && text[3] == 'R' && text[4] == ' ' && text[5] == 'm' &&
	       text[6] == 'a' && text[7] == 'x';
}

/* `value` where six letters, the first one lowest, are `word`, else 0. Case does not matter, and bit 5 of what is no
 * letter neither. Without a branch, as in postgres__is_listen(). */
static __always_inline __u32 redis__match(__u64 text, const char word[7], __u32 value)
{
	__u64 other = 0;

	for (int i = 5; i >= 0; i--)
		other = other << 8 | (__u8)word[i];
	text = (text ^ other) & 0xdfdfdfdfdfdfull;
	asm volatile("" : "+r"(text));
	return value * (__u32)(~(text | (0 - text)) >> 63);
}

/* Six letters of the head, the first one lowest. */
static __always_inline __u64 redis__letters(const struct payload *p, __u32 at)
{
	__u64 letters = 0;

	for (int i = 5; i >= 0; i--)
		letters = letters << 8 | p->head[(at + i) & (PAYLOAD_HEAD - 1)];
	return letters;
}

static __always_inline __u32 redis__command(const struct payload *p)
{
	__u64 first, last;
	__u32 at, command;

	if (p->size < 14 || p->head[0] != '*')
		return REDIS_OTHER;
	at = 4 + (p->head[2] != '\r');
	at += 4 + (p->head[(at + 2) & (PAYLOAD_HEAD - 1)] != '\r');
	first = redis__letters(p, at);
	last = bpf_be64_to_cpu(p->tail << 16) & 0xffffffffffffull; /* a swap: the first of them lowest */
	command = redis__match(last, "exec\r\n", REDIS_END) | redis__match(last, "card\r\n", REDIS_END);
	if (command)
		return command;
	/* A pipeline that goes on after MULTI tells its end elsewhere. */
	if (p->size == 15 && redis__match(first, "multi\r", REDIS_MULTI))
		return REDIS_MULTI;
	return redis__match(first, "auth\r\n", REDIS_LOGIN) | redis__match(first, "hello\r", REDIS_LOGIN) |
	       redis__match(first, "client", REDIS_LOGIN) | redis__match(first, "select", REDIS_LOGIN) |
	       redis__match(first, "comman", REDIS_LOGIN) | redis__match(first, "quit\r\n", REDIS_QUIT) |
	       redis__match(first, "subscr", REDIS_STREAM) | redis__match(first, "psubsc", REDIS_STREAM) |
	       redis__match(first, "ssubsc", REDIS_STREAM) | redis__match(first, "monito", REDIS_STREAM) |
	       redis__match(first, "psync\r", REDIS_STREAM);
}

#endif
