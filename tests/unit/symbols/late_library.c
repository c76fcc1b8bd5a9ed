// SPDX-License-Identifier: Apache-2.0
// Loaded by c_subject.c while it runs.
int late_function(int n);
int late_function(int n) { return n + 1; }
