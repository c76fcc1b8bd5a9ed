// SPDX-License-Identifier: Apache-2.0
// does: one event-loop tick asks for one connection more each time, before it uses the spares it has
// expect: none
// server: postgresql
'use strict';
const { Pool } = require('pg');
const subject = require('./subject');
const pool = new Pool({ max: 20, idleTimeoutMillis: 0, ...subject.postgres });

(async () => {
  for await (const i of subject.requests())
    if (i % 25 === 0)
      await Promise.all(Array.from({ length: Math.min(20, 1 + i / 25) }, () => pool.query('SELECT pg_sleep(0.01)')));
  await subject.end();
})();
