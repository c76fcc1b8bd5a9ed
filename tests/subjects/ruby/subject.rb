# SPDX-License-Identifier: Apache-2.0
# What every subject in Ruby shares: the pace of its requests, its end.
require 'json'

module Subject
  @served = 0

  # Counts up every 20 ms, with lulls of a second in bursts, until the time is over but for 1.5 s.
  def self.requests
    began = lull = now
    number = 0
    while now < began + Float(ENV.fetch('SUBJECT_SECONDS', '12')) - 1.5
      yield number
      number += 1
      @served += 1
      sleep 0.02
      next unless ENV['SUBJECT_BURSTS'] && now > lull + 3

      sleep 1
      lull = now
    end
  end

  # A quiet end; what is open is closed by the exit alone.
  def self.end(leaked = 0)
    sleep 1.5
    puts JSON.generate(leaked: leaked, requests: @served)
    $stdout.flush
    exit!(0)
  end

  def self.now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
