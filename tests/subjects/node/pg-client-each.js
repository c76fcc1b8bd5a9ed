// SPDX-License-Identifier: Apache-2.0
// does: a client for each lookup; a rejected promise skips end()
// expect: LEAK L1
// culprit: lookup
// server: postgresql
'use strict';
const { Client } = require('pg');
const subject = require('./subject');
let leaked = 0;

async function lookup(locked) {
  const client = new Client(subject.postgres);
  await client.connect();
  await client.query('SELECT 1');
  if (locked) {
    leaked++;
    throw new Error('locked');
  }
  await client.end();
}

(async () => {
  for await (const i of subject.requests()) await lookup(i % 10 === 0).catch(() => {});
  await subject.end(leaked);
})();
