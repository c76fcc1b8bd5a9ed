# SPDX-License-Identifier: Apache-2.0
# Nests what Ruby can nest, on two threads, and says where they are (script_process.hpp): first the first one, then the
# second one, while the first one waits.
require 'delegate'
$stdout.sync = true

# Frames that are written in C have no line of their own; which they are differs from version to version.
OF_C = %w[each map times each_with_index call instance_exec class_eval eval loop tap then new initialize send
          public_send synchronize catch require load require_relative inject collect with_index yield_self].freeze

def said(locations, line)
  lines = locations.reject { |at| OF_C.include?(at.base_label) || at.path.start_with?('<internal:') }.map do |at|
    # 3.4 puts the class before the name.
    "frame\t#{at.label.sub(/(\A| )[A-Z][\w:]*[#.]/, '\1')}\t#{at.path}\t#{at.lineno}"
  end
  lines[0] = lines[0].sub(/\d+\z/, line.to_s)
  lines
end

module App
  class Pool
    def initialize(wait)
      @wait = wait
    end

    def self.open(wait)
      [1].each do |one|
        new(wait)
          .lease(one)
      end
    end

    def lease(one)
      use = lambda do |*|
        1.times { borrow(one) }
      end
      use.call(
        one
      )
    end

    define_method(:borrow) do |one|
      begin
        raise 'no connection'
      rescue StandardError
        instance_exec(one) { |*| connect(timeout: 1) }
      ensure
        one
      end
    end

    # Long enough for a second part of the table of lines.
    def connect(host: 'localhost', port: 5432, timeout: nil)
      a = { host: host, port: port, timeout: timeout }
      b = a.map { |k, v| [k, v] }
      b << [:one, a[:host] || a[:port] || a[:timeout]]
      b << [:two, a[:host] && a[:port] && a[:timeout]]
      b << [:three, a[:host].to_s + a[:port].to_s + a[:timeout].to_s]
      b << [:four, a[:host].to_s * 2, a[:port].to_i * 2]
      b << [:five, (a[:port] > 5 ? a[:port] : 5), (a[:port] < 5 ? 5 : a[:port])]
      b << [:six, "#{a[:host]}:#{a[:port]}", "#{b.size}"]
      catch(:done) do
        eval('throw :never if b.empty?; ask(b)', binding, '(generated)', 7)
      end
      b << [:seven]
    end

    def ask(_) = @wait.call
  end
end

class Quiet < SimpleDelegator
  class << self
    def work(wait)
      tap { App::Pool.open(wait) }
    end
  end
end

ready = Queue.new
second = Thread.new do
  wait = lambda do
    ready << said(caller_locations(0), __LINE__ + 1)
    sleep
  end
  Quiet.work(wait)
end
theirs = ready.pop
wait = lambda do
  mine = said(caller_locations(0), __LINE__ + 2)
  puts mine, 'ready'
  $stdin.gets
  puts theirs, 'ready'
  $stdin.gets
end
begin
  Quiet.work(wait)
ensure
  second.kill
end
