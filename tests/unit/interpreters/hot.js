// SPDX-License-Identifier: Apache-2.0
// Functions that are run until V8 compiles them. Then says their names (script_process.hpp) and waits.
'use strict';

function queryOrders(count) {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += i % 7;
  return sum;
}

class Pool {
  get total() {
    return queryOrders(1000);
  }
}

const pool = new Pool();
let all = 0;
for (let i = 0; i < 5000; i++) all += pool.total;
console.log(`frame\tqueryOrders\t${__filename}\t5`);
console.log(`frame\tget total\t${__filename}\t12`);
console.log('ready');
require('fs').readSync(0, Buffer.alloc(1));
process.exit(all === 0 ? 1 : 0);
