// SPDX-License-Identifier: Apache-2.0
// does: a fixed HikariCP pool of ten, filled at once by its own thread; one request at a time
// expect: none
// server: postgresql
import java.sql.Connection;

class HikariFixed {
  public static void main(final String[] arguments) throws Exception {
    final var pool = Subject.hikari(10, 10);
    while (Subject.next()) {
      try (Connection connection = pool.getConnection()) {
        Subject.query(connection);
      }
    }
    Subject.end(0);
  }
}
