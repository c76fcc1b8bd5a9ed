// SPDX-License-Identifier: Apache-2.0
// A library with the variables by which interpreters are found, all at the start of its memory. The numbers of the
// versions are put in place of the nines.
const char ruby_version[] = "9.9.9";
const char php_version[] = "X-Powered-By: PHP/9.9.9";

char memory[4096];
#define AT_START(name) extern char name[4096] __attribute__((alias("memory")))
AT_START(_PyRuntime);
AT_START(executor_globals);
AT_START(ruby_current_vm_ptr);
