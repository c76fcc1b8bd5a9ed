<?php
// SPDX-License-Identifier: Apache-2.0
// does: a worker with one PDO connection to MariaDB, made anew every hundred jobs
// expect: none
// server: mariadb
require __DIR__ . '/subject.php';

function connect()
{
    $options = [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION];
    if (getenv('MYSQL_TLS')) {
        $options[PDO::MYSQL_ATTR_SSL_CA] = '/dev/null';
        $options[PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT] = false;
    }
    return new PDO('mysql:host=' . getenv('MYSQL_HOST') . ';port=' . getenv('MYSQL_PORT') . ';dbname=shop', 'app', '',
        $options);
}

foreach (subject_requests() as $i) {
    if ($i % 100 == 0) {
        $connection = null;
        $connection = connect();
    }
    $connection->query('SELECT 1')->fetchAll();
}
subject_end(0);
