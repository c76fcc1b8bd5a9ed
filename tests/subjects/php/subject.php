<?php
// SPDX-License-Identifier: Apache-2.0
// What every subject in PHP shares: the pace of its requests, its end.
$subject_served = 0;

// Counts up every 20 ms, with lulls of a second in bursts, until the time is over but for 1.5 s.
function subject_requests()
{
    global $subject_served;
    $began = $lull = microtime(true);
    $seconds = (float) (getenv('SUBJECT_SECONDS') ?: 12);
    for ($i = 0; microtime(true) < $began + $seconds - 1.5; $i++) {
        yield $i;
        $subject_served++;
        usleep(20000);
        if (getenv('SUBJECT_BURSTS') && microtime(true) > $lull + 3) {
            sleep(1);
            $lull = microtime(true);
        }
    }
}

// A quiet end; what is open is closed by the exit alone.
function subject_end($leaked)
{
    global $subject_served;
    usleep(1500000);
    echo json_encode(['leaked' => $leaked, 'requests' => $subject_served]), "\n";
}
