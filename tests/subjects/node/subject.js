// SPDX-License-Identifier: Apache-2.0
// What every subject in JavaScript shares: the pace of its requests, its end, its servers.
'use strict';
const http = require('http');
const { spawn } = require('child_process');
const seconds = Number(process.env.SUBJECT_SECONDS || 12);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let served = 0;

// Counts up every 20 ms, with lulls of a second in bursts, until the time is over but for 1.5 s.
exports.requests = async function* () {
  const began = Date.now();
  let lull = began;
  for (let i = 0; Date.now() < began + (seconds - 1.5) * 1000; i++) {
    yield i;
    served++;
    await sleep(20);
    if (process.env.SUBJECT_BURSTS && Date.now() > lull + 3000) {
      await sleep(1000);
      lull = Date.now();
    }
  }
};

// A quiet end; what is open is closed by the exit alone.
exports.end = async (leaked, more) => {
  await sleep(1500);
  console.log(JSON.stringify({ leaked: leaked || 0, requests: served, ...more }));
  process.exit(0);
};

// Answers over HTTP with the status that handle(path) promises, until clients.py has asked for all it wants.
exports.service = (handle) => new Promise((resolve) => {
  const server = http.createServer(async (request, response) => {
    response.statusCode = await handle(request.url);
    response.end();
  });
  server.listen(0, '127.0.0.1', () => {
    spawn('/usr/bin/python3', [process.env.SUBJECT_CLIENTS, String(server.address().port)]).on('exit', resolve);
  });
});

exports.sleep = sleep;
exports.postgres = process.env.PGSSLMODE === 'require' ? { ssl: { rejectUnauthorized: false } } : {};
exports.mysql = {
  host: process.env.MYSQL_HOST, port: Number(process.env.MYSQL_PORT), user: 'app', database: 'shop',
  ...(process.env.MYSQL_TLS ? { ssl: { rejectUnauthorized: false } } : {}),
};
