// SPDX-License-Identifier: Apache-2.0
// does: getConnection() without close() on one path of a HikariCP pool that is large enough
// expect: LEAK L1
// culprit: HikariKept.reserve
// server: postgresql
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

class HikariKept {
  private static final List<Connection> kept = new ArrayList<>();

  static void reserve(final DataSource pool) throws Exception {
    final Connection connection = pool.getConnection();
    Subject.query(connection);
    kept.add(connection);
  }

  public static void main(final String[] arguments) throws Exception {
    final var pool = Subject.hikari(2, 90);
    for (int i = 0; Subject.next(); i++) {
      try (Connection connection = pool.getConnection()) {
        Subject.query(connection);
      }
      if (i % 12 == 0) {
        reserve(pool);
      }
    }
    Subject.end(kept.size());
  }
}
