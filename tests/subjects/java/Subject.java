// SPDX-License-Identifier: Apache-2.0
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;

/** What every subject in Java shares: the pace of its requests, its end, its server. */
final class Subject {
  private static long began;
  private static long lull;
  private static int served;

  private Subject() {}

  /** True every 20 ms, with lulls of a second in bursts, until the time is over but for 1.5 s. */
  static boolean next() throws InterruptedException {
    final long now = System.currentTimeMillis();
    if (began == 0) {
      began = lull = now;
    }
    if (System.getenv("SUBJECT_BURSTS") != null && now > lull + 3000) {
      Thread.sleep(1000);
      lull = System.currentTimeMillis();
    }
    Thread.sleep(20);
    served++;
    final String seconds = System.getenv().getOrDefault("SUBJECT_SECONDS", "12");
    return System.currentTimeMillis() < began + (long) (1000 * (Double.parseDouble(seconds) - 1.5));
  }

  /** A quiet end; what is open is closed by the exit alone. */
  static void end(final int leaked) throws InterruptedException {
    Thread.sleep(1500);
    System.out.println("{\"leaked\": " + leaked + ", \"requests\": " + served + "}");
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }

  static String url() {
    return "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/"
        + System.getenv("PGDATABASE") + "?user=" + System.getenv("PGUSER") + "&sslmode=" + System.getenv("PGSSLMODE");
  }

  static Connection connect() throws SQLException {
    return DriverManager.getConnection(url());
  }

  static void query(final Connection connection) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute("SELECT 1");
    }
  }

  static com.zaxxer.hikari.HikariDataSource hikari(final int idle, final int most) {
    final var config = new com.zaxxer.hikari.HikariConfig();
    config.setJdbcUrl(url());
    config.setMinimumIdle(idle);
    config.setMaximumPoolSize(most);
    return new com.zaxxer.hikari.HikariDataSource(config);
  }
}
