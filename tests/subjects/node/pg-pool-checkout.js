// SPDX-License-Identifier: Apache-2.0
// does: pool.connect() without release() on one path of a pool that is large enough
// expect: LEAK L1
// culprit: reserve
// server: postgresql
'use strict';
const { Pool } = require('pg');
const subject = require('./subject');
const pool = new Pool({ max: 90, ...subject.postgres });
let leaked = 0;

async function reserve() {
  const client = await pool.connect();
  await client.query('SELECT 1');
  leaked++;
}

(async () => {
  for await (const i of subject.requests()) {
    await pool.query('SELECT 1');
    if (i % 12 === 0) await reserve();
  }
  await subject.end(leaked);
})();
