// SPDX-License-Identifier: Apache-2.0

package main

/*
static __thread long counted[5];
static long count(int which) { return ++counted[which]; }
*/
import "C"

func init() { C.count(2) }
