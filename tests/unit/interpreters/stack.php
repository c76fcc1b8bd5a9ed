<?php
// SPDX-License-Identifier: Apache-2.0
// Nests what PHP can nest, says its stack (script_process.hpp), and waits.
namespace App\Store;

class Pool
{
    public function __call($name, $arguments)
    {
        return $this->lease($arguments[0]);
    }

    public function lease(callable $use)
    {
        return array_map(
            $use,
            [1]
        );
    }

    public static function open(callable $use)
    {
        return (new Pool())
            ->borrow($use);
    }
}

trait Waits
{
    public function wait()
    {
        $this->say();
    }
}

$waiter = new class
{
    use Waits;

    public function say()
    {
        // PHP gives the line in the frame that it called; here each frame has its own.
        $trace = \debug_backtrace(\DEBUG_BACKTRACE_IGNORE_ARGS);
        $line = __LINE__ + 15; // where it waits
        $file = __FILE__;
        $lines = [];
        foreach ($trace as $frame) {
            $class = isset($frame['class']) ? strtok($frame['class'], "\0") . '::' : '';
            // Frames of internal functions have no line of their own; what they call has no file.
            $internal = in_array($frame['function'], ['array_map', 'call_user_func'], true);
            if (!$internal) {
                $lines[] = "frame\t$class{$frame['function']}\t$file\t$line";
            }
            $file = $frame['file'] ?? $file;
            $line = $frame['line'] ?? $line;
        }
        $lines[] = "frame\t{main}\t$file\t$line";
        echo implode("\n", $lines), "\nready\n";
        fgets(STDIN);
    }
};

function numbers($waiter)
{
    yield 1;
    $waiter->wait();
}

function handle($waiter)
{
    foreach (numbers($waiter) as $number) {
        $number++;
    }
}

Pool::open(function () use ($waiter) {
    call_user_func('App\Store\handle',
        $waiter);
});
