// SPDX-License-Identifier: Apache-2.0
// does: a connection for each lookup; one path forgets it, and the driver's finalizer closes what is collected
// expect: LEAK L8
// or: LEAK L1
// culprit: DriverManagerCollected.lookup
// server: postgresql
import java.sql.Connection;

class DriverManagerCollected {
  static void lookup(final boolean forget) throws Exception {
    final Connection connection = Subject.connect();
    Subject.query(connection);
    if (!forget) connection.close();
  }

  public static void main(final String[] arguments) throws Exception {
    int leaked = 0;
    for (int i = 0; Subject.next(); i++) {
      lookup(i % 100 == 1);
      if (i % 100 == 1) leaked++;
      if (i % 100 == 99) System.gc();
    }
    Subject.end(leaked);
  }
}
