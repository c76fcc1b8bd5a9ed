// SPDX-License-Identifier: Apache-2.0
// runs: honest leaked
// does: 50 requests a second, open loop, want a pool of 8 and wait 1 s for it at most. honest: 250 ms each, so 32 a second
// does: are served, the pool is too small. leaked: 125 ms each, 64 a second would be, but four slots are lost between
// does: the 2nd and the 6th second, which leaves 32
// expect: LEAK L2
// or: SUSPECT L2
// expect of honest: none
// culprit: reserve
// needs: starved
// server: postgresql
'use strict';
const { Pool } = require('pg');
const subject = require('./subject');
const leaked = process.argv[2] === 'leaked';
const seconds = leaked ? 0.125 : 0.25;
const lose = 4;
const pool = new Pool({ max: 8, idleTimeoutMillis: 0, connectionTimeoutMillis: 1000, ...subject.postgres });
let lost = 0;
let refused = 0;

async function reserve(path) {
  const client = await pool.connect();
  await client.query('SELECT pg_sleep($1)', [seconds]);
  if (leaked && path === '/locked' && lost < lose) lost++;
  else client.release();
}

(async () => {
  await subject.service((path) => reserve(path).then(() => 200, () => { refused++; return 503; }));
  await subject.end(lost, { refused });
})();
