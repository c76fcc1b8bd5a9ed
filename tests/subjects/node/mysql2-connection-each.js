// SPDX-License-Identifier: Apache-2.0
// does: a connection for each report over mysql2; one path forgets end()
// expect: LEAK L1
// culprit: report
// server: mariadb
'use strict';
const mysql = require('mysql2/promise');
const subject = require('./subject');
let leaked = 0;

async function report(locked) {
  const connection = await mysql.createConnection(subject.mysql);
  await connection.query('SELECT 1');
  if (locked) leaked++;
  else await connection.end();
}

(async () => {
  for await (const i of subject.requests()) await report(i % 10 === 0);
  await subject.end(leaked);
})();
