# SPDX-License-Identifier: Apache-2.0
# does: five server threads, each with a connection of its own, asked in turn
# expect: none
# server: postgresql
require 'pg'
require_relative 'subject'

jobs = Queue.new
5.times do
  Thread.new do
    connection = PG.connect
    loop do
      jobs.pop
      connection.exec('SELECT 1')
    end
  end
end
Subject.requests { |number| (1 + number % 3).times { jobs << number } }
Subject.end
