// SPDX-License-Identifier: Apache-2.0
// does: a connection for each lookup; an exception skips close()
// expect: LEAK L1
// culprit: DriverManagerEach.lookup
// server: postgresql
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;

class DriverManagerEach {
  private static final List<Connection> kept = new ArrayList<>();

  static void lookup(final boolean locked) throws Exception {
    final Connection connection = Subject.connect();
    Subject.query(connection);
    if (locked) {
      kept.add(connection);
      throw new IllegalStateException("locked");
    }
    connection.close();
  }

  public static void main(final String[] arguments) throws Exception {
    for (int i = 0; Subject.next(); i++) {
      try {
        lookup(i % 10 == 0);
      } catch (IllegalStateException expected) {
        continue;
      }
    }
    Subject.end(kept.size());
  }
}
