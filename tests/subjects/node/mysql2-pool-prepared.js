// SPDX-License-Identifier: Apache-2.0
// does: prepared statements over a mysql2 pool whose load rises and falls
// expect: none
// server: mariadb
'use strict';
const mysql = require('mysql2/promise');
const subject = require('./subject');
const pool = mysql.createPool({ ...subject.mysql, connectionLimit: 8 });

(async () => {
  for await (const i of subject.requests()) {
    const load = 1 + Math.round(7 * Math.abs(Math.sin(i / 60)));
    await Promise.all(Array.from({ length: load }, () => pool.execute('SELECT seq FROM seq_1_to_5 WHERE seq > ?', [2])));
  }
  await subject.end();
})();
