// SPDX-License-Identifier: Apache-2.0
// does: members are retired after 40 uses and replaced when next wanted
// expect: none
// server: postgresql
'use strict';
const { Pool } = require('pg');
const subject = require('./subject');
const pool = new Pool({ max: 6, maxUses: 40, ...subject.postgres });

(async () => {
  for await (const i of subject.requests())
    await Promise.all(Array.from({ length: 1 + (i % 6) }, () => pool.query('SELECT 1')));
  await subject.end();
})();
