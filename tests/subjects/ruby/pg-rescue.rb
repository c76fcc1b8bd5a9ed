# SPDX-License-Identifier: Apache-2.0
# does: an exception on the way skips close; a list of failures keeps the connections alive
# expect: LEAK L1
# culprit: find_order
# server: postgresql
require 'pg'
require_relative 'subject'

$kept = []

def find_order(number)
  connection = PG.connect
  connection.exec('SELECT 1')
  if (number % 10).zero?
    $kept << connection
    raise 'locked'
  end
  connection.close
end

Subject.requests do |number|
  find_order(number)
rescue RuntimeError
  nil
end
Subject.end($kept.size)
