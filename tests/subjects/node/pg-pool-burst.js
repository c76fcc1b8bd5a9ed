// SPDX-License-Identifier: Apache-2.0
// does: a pool of ten whose members never time out: bursts use all, single requests one
// expect: none
// server: postgresql
'use strict';
const { Pool } = require('pg');
const subject = require('./subject');
const pool = new Pool({ max: 10, idleTimeoutMillis: 0, ...subject.postgres });

(async () => {
  for await (const i of subject.requests())
    await Promise.all(Array.from({ length: i % 100 === 0 ? 10 : 1 }, () => pool.query('SELECT 1')));
  await subject.end();
})();
