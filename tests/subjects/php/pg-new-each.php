<?php
// SPDX-License-Identifier: Apache-2.0
// does: a queue worker makes a new connection for each failed job and keeps it in a static list
// expect: LEAK L1
// culprit: retry
// server: postgresql
require __DIR__ . '/subject.php';

$kept = [];

function retry()
{
    global $kept;
    $connection = pg_connect('', PGSQL_CONNECT_FORCE_NEW);
    pg_query($connection, 'SELECT 1');
    $kept[] = $connection;
}

$steady = pg_connect('');
foreach (subject_requests() as $i) {
    pg_query($steady, 'SELECT 1');
    if ($i % 12 == 0) {
        retry();
    }
}
subject_end(count($kept));
