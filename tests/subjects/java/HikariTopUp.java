// SPDX-License-Identifier: Apache-2.0
// does: load ramps while a HikariCP pool tops up a minimum of four idle members
// expect: none
// server: postgresql
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;

class HikariTopUp {
  public static void main(final String[] arguments) throws Exception {
    final var pool = Subject.hikari(4, 30);
    for (int i = 0; Subject.next(); i++) {
      final int busy = Math.min(12, 1 + i / 30);
      final List<Connection> taken = new ArrayList<>();
      for (int n = 0; n < busy; n++) {
        taken.add(pool.getConnection());
        Subject.query(taken.get(n));
      }
      for (Connection connection : taken) {
        connection.close();
      }
    }
    Subject.end(0);
  }
}
