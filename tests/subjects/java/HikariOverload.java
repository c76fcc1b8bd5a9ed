// SPDX-License-Identifier: Apache-2.0
// runs: honest leaked
// does: 50 requests a second, open loop, want a pool of 8 and wait 1 s for it at most. honest: 250 ms each, so 32 a second
// does: are served, the pool is too small. leaked: 125 ms each, 64 a second would be, but four slots are lost between
// does: the 2nd and the 6th second, which leaves 32
// expect: LEAK L2
// or: SUSPECT L2
// expect of honest: none
// culprit: HikariOverload.reserve
// needs: starved
// server: postgresql
import java.sql.Connection;
import java.sql.SQLTransientConnectionException;
import java.util.concurrent.atomic.AtomicInteger;

class HikariOverload {
  private static final int LOSE = 4;
  private static final AtomicInteger lost = new AtomicInteger();
  private static boolean leaked;

  static void reserve(final javax.sql.DataSource pool, final String path) throws Exception {
    final Connection connection = pool.getConnection();
    try (var statement = connection.createStatement()) {
      statement.execute(leaked ? "SELECT pg_sleep(0.125)" : "SELECT pg_sleep(0.25)");
    }
    if (leaked && path.equals("/locked") && lost.incrementAndGet() <= LOSE) {
      return;
    }
    connection.close();
  }

  public static void main(final String[] arguments) throws Exception {
    leaked = arguments[0].equals("leaked");
    final var pool = Subject.hikari(1, 8);
    pool.setConnectionTimeout(1000);
    Subject.service(path -> {
      try {
        reserve(pool, path);
        return 200;
      } catch (SQLTransientConnectionException full) {
        return 503;
      }
    });
    Subject.end(Math.min(lost.get(), LOSE));
  }
}
